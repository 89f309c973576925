"""Bytes that are no HTTP, or no WebSocket, as it should be."""

from __future__ import annotations

from typing import Any, Final

import msgpack

from tests.server.hostile.row import Row
from tests.server.hostile.sending import SOCKET, wire
from tests.server.hostile.sockets import broken_frame, msgpack_frames


def event(payload: Any, number: Any = 1) -> bytes:
    """A `join` in msgpack."""
    return bytes(msgpack.packb({"type": 2, "nsp": "/", "id": number, "data": ["join", payload]}))


EXTENSION: Final = msgpack.ExtType(5, b"x")
HOST: Final = b"Host: x\r\n"
GET: Final = b"GET /healthz HTTP/1.1\r\n" + HOST
POST: Final = b"POST /v1/users/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
H2C: Final = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
END: Final = b"Connection: close\r\n\r\n"
MALFORMED: Final = "400 invalid, closed"

ROWS: Final = [
    Row("the greeting of TLS", wire(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32), MALFORMED),
    Row("the preface of HTTP/2", wire(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), MALFORMED),
    Row("a line that is no request", wire(b"forged log line\r\n\r\n"), MALFORMED),
    Row("a request line with NUL", wire(b"GET /\0 HTTP/1.1\r\n" + HOST + END), MALFORMED),
    Row(
        "a header with a line break in its value",
        wire(GET + b"X-Request-Id: abcdefgh\r\n\tforged\r\n" + END),
        MALFORMED,
    ),
    Row("a header name with a blank", wire(GET + b"X Forged: 1\r\n" + END), MALFORMED),
    Row("a header without a colon", wire(GET + b"forged\r\n" + END), MALFORMED),
    Row("a header of 64 KiB", wire(GET + b"X-Large: " + b"x" * 65_536 + b"\r\n" + END), "413 too_large, closed"),
    Row("two hosts", wire(GET + HOST + END), MALFORMED),
    Row("a negative `Content-Length`", wire(POST + b"Content-Length: -1\r\n" + END), MALFORMED),
    Row("`Content-Length: +2`", wire(POST + b"Content-Length: +2\r\n" + END + b"{}"), MALFORMED),
    Row(
        "two different `Content-Length`s",
        wire(POST + b"Content-Length: 2\r\nContent-Length: 3\r\n" + END + b"{} "),
        MALFORMED,
    ),
    Row(
        "`Content-Length` and `Transfer-Encoding`: a request smuggled behind",
        wire(
            POST
            + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
            + END
            + b"0\r\n\r\nGET /forged HTTP/1.1\r\n"
            + HOST
            + b"\r\n"
        ),
        MALFORMED,
    ),
    Row(
        "`Transfer-Encoding: xchunked`", wire(POST + b"Transfer-Encoding: xchunked\r\n" + END + b"0\r\n\r\n"), MALFORMED
    ),
    Row(
        "a chunk of a size in words",
        wire(POST + b"Transfer-Encoding: chunked\r\n" + END + b"two\r\n{}\r\n0\r\n\r\n"),
        MALFORMED,
    ),
    Row(
        "an escape sequence of a terminal for a path", wire(b"GET /\x1b[31mforged HTTP/1.1\r\n" + HOST + END), MALFORMED
    ),
    Row(
        "a line break, encoded, in a path: logged as text",
        wire(b"GET /%0d%0a%7b%22event%22:%22forged%22%7d HTTP/1.1\r\n" + HOST + END),
        "404 not_found, closed",
    ),
    Row("an expectation that is none", wire(GET + b"Expect: forged\r\n" + END), MALFORMED),
    Row(
        "another expectation beside `100-continue`, on a path that is not there",
        wire(b"GET /nowhere HTTP/1.1\r\n" + HOST + b"Expect: 100-continue, forged\r\n" + END),
        MALFORMED,
    ),
    Row(
        "an expectation that is none, in the handshake of a socket",
        wire(f"GET {SOCKET} HTTP/1.1\r\n".encode() + HOST + b"Upgrade: websocket\r\nExpect: forged\r\n" + END),
        MALFORMED,
    ),
    Row(
        "an upgrade to HTTP/2, and a request behind it",
        wire(GET + H2C + b"\r\n" + b"GET /nowhere HTTP/1.1\r\n" + HOST + END),
        "200, 404 not_found, closed",
    ),
    Row(
        "an upgrade to HTTP/2 with a body that looks like a request, and a request behind it",
        wire(POST + H2C + b"Content-Length: 38\r\n\r\nGET /forged HTTP/1.1\r\nUpgrade: h2c\r\n\r\n" + GET + END),
        "400 invalid, 200, closed",
    ),
    Row(
        "an upgrade to HTTP/2 in place of a WebSocket, and a request behind it",
        wire(f"GET {SOCKET} HTTP/1.1\r\n".encode() + HOST + H2C + b"\r\n" + GET + END),
        "400 invalid, 200, closed",
    ),
    Row("a frame that is not masked", broken_frame(b"\x81\x01x"), "closed 1002"),
    Row("a frame with reserved bits", broken_frame(b"\xf1\x81\0\0\0\0x"), "closed 1002"),
    Row("a frame of a kind that is not there", broken_frame(b"\x83\x80\0\0\0\0"), "closed 1002"),
    Row("a ping of 126 bytes", broken_frame(b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126), "closed 1002"),
    Row("a ping in two pieces", broken_frame(b"\x09\x81\0\0\0\0x"), "closed 1002"),
    Row("the end of a message that never began", broken_frame(b"\x80\x81\0\0\0\0x"), "closed 1002"),
    Row("text that is no UTF-8", broken_frame(b"\x81\x82\0\0\0\0\xff\xfe"), "closed 1007"),
    Row("a frame that announces 2^63 bytes", broken_frame(b"\x81\xff" + b"\xff" * 8 + b"\0\0\0\0"), "closed 1009"),
    Row("a close frame with a code that is not there", broken_frame(b"\x88\x82\0\0\0\0\x00\x01"), "closed 1002"),
    Row("msgpack: bytes that are none", msgpack_frames(b"\xc1"), "closed 1002"),
    Row("msgpack: a list that announces 2^32 items", msgpack_frames(b"\xdd\xff\xff\xff\xff"), "closed 1002"),
    Row("msgpack: 1,000 levels deep", msgpack_frames(b"\x91" * 1000 + b"\xc0"), "closed 1002"),
    Row("msgpack: an extension in place of a packet", msgpack_frames(b"\xd4\x01\x00"), "closed 1002"),
    Row("msgpack: an extension in place of an ack id", msgpack_frames(event({}, number=EXTENSION)), "closed 1002"),
    Row("msgpack: an extension within a value", msgpack_frames(event({"stream": EXTENSION})), "ack invalid"),
    Row(
        "msgpack: an extension within a value, and no ack id",
        msgpack_frames(event({"stream": EXTENSION}, number=None)),
        "closed 1002",
    ),
    Row("msgpack: text on its path", msgpack_frames('421["join",{}]'), "closed 1002"),
    Row("msgpack: NaN", msgpack_frames(event({"stream": float("nan")})), "ack invalid"),
    Row("msgpack: a key that is no text", msgpack_frames(event({1: 2})), "ack invalid"),
    Row("msgpack: bytes in place of a text", msgpack_frames(event({"stream": b"project"})), "ack invalid"),
    Row("msgpack: an ack id below 0", msgpack_frames(event({}, number=-1)), "closed 1002"),
    Row("msgpack: an ack id of 64 bits", msgpack_frames(event({}, number=2**64 - 1)), "closed 1002"),
    Row("msgpack: an ack id that is a text", msgpack_frames(event({}, number="1")), "closed 1002"),
    Row("msgpack: an ack id that is `true`", msgpack_frames(event({}, number=True)), "closed 1002"),
]
