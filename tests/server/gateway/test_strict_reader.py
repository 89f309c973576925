"""Frames are judged the same wherever TCP cuts them, and what came before a wrong one is not lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import WebSocketError
from aiohttp._websocket.reader import WebSocketDataQueue
from hypothesis import given, settings
from hypothesis import strategies as some

from server.gateway.strict_reader import StrictReader
from tests.server.gateway.conformance.frames import PING, TEXT, frame, pieces

GOOD = {
    "small": (frame(b"a"), [b"a"]),
    "none": (frame(b""), [b""]),
    "middle": (frame(b"b" * 126), [b"b" * 126]),
    "large": (frame(b"c" * 65_536), [b"c" * 65_536]),
    "ping": (frame(b"d", PING), [b"d"]),
    "fragments": (pieces(b"efg", TEXT, 1, 2, between=frame(b"h", PING)), [b"h", b"h", b"efg"]),
    "empty fragments": (pieces(b"i", TEXT, 0, 1), [b"i"]),
}
WRONG = {
    "nothing": b"",
    "unmasked": frame(b"x", mask=None),
    "unmasked and long": frame(b"x" * 300, mask=None),
    "unmasked ping": frame(b"", PING, mask=None),
    "entangled": frame(b"", last=False) + frame(b"x"),
}


def a_reader(bytes_max: int = 1 << 20) -> tuple[WebSocketDataQueue, StrictReader]:
    """With a queue that nobody waits at, so that it needs no loop."""
    protocol: Any = SimpleNamespace(_reading_paused=True, resume_reading=lambda: None)
    no_loop: Any = None
    queue = WebSocketDataQueue(protocol, bytes_max, loop=no_loop)
    return queue, StrictReader(queue, 1 << 20)


def read(chunks: list[bytes]) -> tuple[list[bytes], str]:
    """What a reader makes of it: messages, and its complaint."""
    queue, reader = a_reader()
    for chunk in chunks:
        if reader.feed_data(chunk)[0]:
            break
    messages = [message.data for message, _ in queue._buffer]
    error = queue.exception()
    assert error is None or (isinstance(error, WebSocketError) and error.code == 1002)
    return [text.encode() if isinstance(text, str) else text for text in messages], str(error or "")


@settings(max_examples=60)
@given(some.lists(some.sampled_from(sorted(GOOD)), max_size=6), some.sampled_from(sorted(WRONG)), some.data())
def test_it_does_not_matter_where_the_bytes_are_cut(names: list[str], wrong: str, data: some.DataObject) -> None:
    stream = b"".join(GOOD[name][0] for name in names) + WRONG[wrong] + GOOD["small"][0]
    expected = [message for name in names for message in GOOD[name][1]]
    if wrong == "nothing":
        expected.append(b"a")
    cuts = sorted(data.draw(some.sets(some.integers(1, len(stream) - 1), max_size=12)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    messages, error = read(chunks)
    assert messages == expected
    assert bool(error) is (wrong != "nothing")


@pytest.mark.parametrize("wrong", sorted(WRONG.keys() - {"nothing"}))
def test_byte_by_byte(wrong: str) -> None:
    stream = GOOD["fragments"][0] + WRONG[wrong]
    messages, error = read([bytes([byte]) for byte in stream])
    assert messages == GOOD["fragments"][1]
    assert error


def test_after_a_wrong_frame_nothing_is_read() -> None:
    queue, reader = a_reader()
    assert reader.feed_data(WRONG["unmasked"])[0]
    assert reader.feed_data(frame(b"a"))[0]
    assert not queue._buffer


async def test_what_was_set_aside_before_a_wrong_frame_is_read_when_there_is_room() -> None:
    queue, reader = a_reader(bytes_max=100)
    reader.feed_data(frame(b"a" * 300) + frame(b"b") + WRONG["unmasked"])
    assert [message.data for message, _ in queue._buffer] == ["a" * 300]
    assert (await queue.read()).data == "a" * 300
    assert (await queue.read()).data == "b"
    with pytest.raises(WebSocketError):
        await queue.read()
