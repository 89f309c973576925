"""The parser gets all requests, wherever TCP cuts them, also those behind an upgrade that nobody takes."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser

from server.pieces import COSTLY_BYTES, Pieces

GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n"
UPGRADE = b"Connection: keep-alive, UPGRADE\r\nupGrade: h2c\r\n"
FIRST, LAST = GET % b"first" + b"\r\n", GET % b"last" + b"\r\n"
SIZED, CHUNKED = b"Content-Length: %d\r\n\r\n%s", b"Transfer-Encoding: chunked\r\n\r\n%s"
BODIES = {
    "none": b"\r\n",
    "sized": SIZED % (11, b"upgrade\r\n\r\n"),
    "of nothing": SIZED % (0, b""),
}
CHUNKS = {
    "chunks": CHUNKED % b"b\r\nupgrade\r\n\r\n\r\n0\r\n\r\n",
    "chunks with trailers": CHUNKED % b"b\r\nupgrade\r\n\r\n\r\n0\r\nA: upgrade\r\n\r\n",
}


def parsed(*segments: bytes) -> list[tuple[str, int]]:
    """The paths of the requests that the parser finds, and the sizes of their bodies."""
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(Mock(spec=BaseProtocol), loop, 1 << 16, auto_decompress=False)
    pieces, found = Pieces(), list[tuple[str, StreamReader]]()
    for segment in segments:
        pieces.add(segment)
        while pieces:
            piece = pieces.take(found[-1][1] if found and not found[-1][1].is_eof() else None)
            assert piece
            for message, body in parser.feed_data(piece)[0]:
                found.append((message.path, body))
                pieces.begin(message)
    assert all(body.is_eof() for _, body in found)
    return [(path, body.total_bytes) for path, body in found]


def wherever_it_is_cut(sent: bytes, wanted: list[tuple[str, int]]) -> None:
    assert parsed(sent) == wanted
    assert parsed(*[sent[at : at + 1] for at in range(len(sent))]) == wanted
    for cut in range(1, len(sent)):
        assert parsed(sent[:cut], sent[cut:]) == wanted


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("asked", [UPGRADE, b""], ids=["an upgrade", "none"])
async def test_what_is_behind_it_is_parsed(asked: bytes, body: bytes) -> None:
    size = 11 if b"upgrade" in body else 0
    one = GET % b"one" + asked + body
    wherever_it_is_cut(FIRST + one * 2 + LAST, [("/first", 0), ("/one", size), ("/one", size), ("/last", 0)])


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS.keys())
async def test_a_body_in_chunks_is_whole_wherever_it_is_cut(body: bytes) -> None:
    wherever_it_is_cut(FIRST + GET % b"one" + body, [("/first", 0), ("/one", 11)])


async def test_nothing_is_looked_for_behind_the_last_request() -> None:
    pieces, body = Pieces(), CHUNKED % b"b\r\n"
    pieces.add(GET % b"one" + body)
    parser = HttpRequestParser(Mock(spec=BaseProtocol), asyncio.get_running_loop(), 1 << 16)
    [(message, stream)] = parser.feed_data(pieces.take(None))[0]
    pieces.begin(message)
    pieces.add((FIRST[:-2] + UPGRADE + b"\r\n") * 100)
    while pieces:
        assert len(pieces.take(stream)) == COSTLY_BYTES or not pieces


def test_each_request_is_a_piece_and_none_is_larger_than_enough() -> None:
    pieces = Pieces()
    pieces.add(FIRST * 3 + b"A: b\r\n" * COSTLY_BYTES)
    taken = []
    while pieces:
        taken.append(pieces.take(None))
    assert taken[:3] == [FIRST] * 3
    assert {len(piece) for piece in taken[3:-1]} == {COSTLY_BYTES}


def test_blank_lines_are_not_cut_into_crumbs() -> None:
    pieces = Pieces()
    pieces.add(b"\r\n" * 1000)
    taken = []
    while pieces:
        taken.append(pieces.take(None))
    assert len(taken) < 2000 / len(b"GET / HTTP/1.1\r\n\r\n") + 2


async def test_the_shortest_is_cut_off_wherever_it_stands() -> None:
    shortest = b"GET / HTTP/1.1\r\nHost:\r\nConnection:upgrade\r\nUpgrade:\r\n\r\n"
    for front, found in ((b"", []), (FIRST, ["/first"])):
        assert [path for path, _ in parsed(front + shortest + LAST)] == [*found, "/", "/last"]


async def test_a_body_that_is_full_of_it_is_looked_at_a_little_and_not_cut_into_crumbs() -> None:
    pieces, body = Pieces(), b"upgrade\r\n\r\n" * 20_000
    pieces.add(GET % b"one" + SIZED % (len(body), body))
    parser = HttpRequestParser(Mock(spec=BaseProtocol), asyncio.get_running_loop(), 1 << 16)
    piece = pieces.take(None)
    assert len(piece) < 1000
    [(message, stream)] = parser.feed_data(piece)[0]
    pieces.begin(message)
    assert len(pieces.take(stream)) > len(body) - 1000
    assert not pieces


def test_what_is_taken_is_not_kept() -> None:
    pieces = Pieces()
    for data in (FIRST, b"x" * 1000, FIRST + UPGRADE, b"\r\n", LAST[:-3]):
        pieces.add(data)
        while pieces:
            pieces.take(None)
        assert len(pieces._came) < len(b"\r\n\r\n")
