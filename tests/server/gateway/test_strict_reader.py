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
from tests.server.gateway.conformance.frames import CONTINUATION, PING, TEXT, frame, pieces

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


@pytest.mark.parametrize(
    "stream",
    [frame(b"x" * 101)[:6], frame(b"x" * 300)[:8], frame(b"x" * 60, last=False) + frame(b"x" * 41, CONTINUATION)[:6]],
    ids=["one byte", "far", "in fragments"],
)
def test_a_message_beyond_the_present_limit_is_refused_at_the_head_that_says_so(stream: bytes) -> None:
    for cut in range(len(stream)):
        queue, reader = a_reader()
        reader.limit_packets(100)
        reader.feed_data(frame(b"a" * 100) + frame(b"p" * 100, PING))
        assert queue.exception() is None
        reader.feed_data(stream[:cut])
        assert reader.feed_data(stream[cut:])[0]
        assert _code_of(queue) == 1009
        assert len(queue._buffer) == 2


def _code_of(queue: WebSocketDataQueue) -> int:
    error = queue.exception()
    assert isinstance(error, WebSocketError)
    return error.code


class _Raising(WebSocketDataQueue):
    """Raises its reader's limit with whatever comes."""

    reader: StrictReader

    def feed_data(self, data: Any, size: int) -> None:
        super().feed_data(data, size)
        self.reader.limit_packets(1000)


def test_a_limit_that_a_message_raises_holds_for_what_came_with_it() -> None:
    protocol: Any = SimpleNamespace(_reading_paused=True, resume_reading=lambda: None)
    no_loop: Any = None
    queue = _Raising(protocol, 1 << 20, loop=no_loop)
    queue.reader = reader = StrictReader(queue, 1 << 20)
    reader.limit_packets(100)
    assert reader.feed_data(frame(b"a") + frame(b"b" * 1000) + frame(b"c" * 1001))[0]
    assert [message.data for message, _ in queue._buffer] == ["a", "b" * 1000]
    assert _code_of(queue) == 1009
