"""The WebSocket protocol (RFC 6455), below Engine.IO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.server.gateway.conformance.case import Case, Wire
from tests.server.gateway.conformance.engineio_cases import OPEN, upgrade
from tests.server.gateway.conformance.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    JSON,
    PING,
    PONG,
    TEXT,
    Dialect,
    close,
    frame,
    pieces,
)
from tests.server.gateway.conformance.peer import KEY, QUERY
from tests.server.gateway.hive import LONG_PINGS

EVENT: Final = '421["leave",{"stream":"é€😀"}]'
ANSWERED: Final = "ACK 1 invalid, open"
_WRONG: Final = "close 1002, closed"
_NO_TEXT: Final = "close 1007, closed"
_TOO_BIG: Final = "close 1009, closed"
_BYE: Final = "close 1000, closed"
_MOST: Final = LONG_PINGS.packet_bytes_max
_LENIENT: Final = (
    "read all the same by the WebSocket library: the longer form says nothing else, and costs nobody anything"
)


def event(**form: int | bytes) -> Wire:
    """A good event in one frame of this form."""
    return lambda dialect: frame(dialect.encode(EVENT), dialect.opcode, **form)  # type: ignore[arg-type]


def padded(dialect: Dialect, size: int) -> bytes:
    """An event of exactly so many bytes."""
    letters = size
    while True:
        message = dialect.encode(f'421["leave",{{"x":"{"x" * letters}"}}]')
        if len(message) == size:
            return message
        letters -= len(message) - size


def sized(size: int) -> Wire:
    """Such an event in one frame."""
    return lambda dialect: frame(padded(dialect, size), dialect.opcode)


def halved(size: int) -> Wire:
    """Such an event in two frames."""
    return lambda dialect: pieces(padded(dialect, size), dialect.opcode, size // 2)


def cut(*cuts: int, between: bytes = b"") -> Wire:
    """A good event in pieces."""
    return lambda dialect: pieces(dialect.encode(EVENT), dialect.opcode, *cuts, between=between)


def as_it_is(*frames: bytes) -> Wire:
    """These bytes."""
    return lambda _dialect: b"".join(frames)


def wrong(name: str, section: str, sent: str, *frames: bytes, comes: str = _WRONG) -> Case:
    """Frames that must end the connection at once."""
    return Case(name, section, sent, comes, wire=as_it_is(*frames))


def good(name: str, section: str, sent: str, wire: Wire, comes: str = ANSWERED, waiver: str = "") -> Case:
    """Frames that are answered, on both paths."""
    return Case(name, section, sent, comes, wire=wire, waiver=waiver)


def no_text(name: str, *payloads: bytes) -> Case:
    """Text that is no UTF-8, whole or in pieces."""
    *parts, end = payloads
    sent = " ".join(payload.hex(" ").upper() or "nothing" for payload in payloads)
    frames = [frame(part, CONTINUATION if number else TEXT, last=False) for number, part in enumerate(parts)]
    return wrong(name, "8.1", f"`{sent}`", *frames, frame(end, CONTINUATION if parts else TEXT), comes=_NO_TEXT)


def handshake(
    name: str, section: str, sent: str, comes: str, version: str = "1.1", **headers: str | Sequence[str] | None
) -> Case:
    """An upgrade with other headers."""
    return Case(name, section, sent, comes, "http", upgrade(QUERY, "GET", version, **headers))


HANDSHAKE: Final = [
    handshake("the answer to the key", "4.2.2", "a good key", OPEN),
    handshake("no key", "4.2.1", "no `Sec-WebSocket-Key`", "400", Sec_WebSocket_Key=None),
    handshake("a key of 15 bytes", "4.2.1", "a short key", "400", Sec_WebSocket_Key="MDEyMzQ1Njc4OWFiY2Rl"),
    handshake("a key of 17 bytes", "4.2.1", "a long key", "400", Sec_WebSocket_Key="MDEyMzQ1Njc4OWFiY2RlZmc="),
    handshake("a key that is no base64", "4.2.1", "`!` within a key", "400", Sec_WebSocket_Key=KEY[:8] + "!" + KEY[8:]),
    handshake("a key that is no ASCII", "4.2.1", "`é` behind a key", "400", Sec_WebSocket_Key=KEY + "é"),
    handshake("a key and something behind it", "4.2.1", "a key, `AAAA`", "400", Sec_WebSocket_Key=KEY + "AAAA"),
    handshake("two keys in a list", "4.2.1", "two keys in one header", "400", Sec_WebSocket_Key=f"{KEY}, {KEY}"),
    handshake("two keys", "4.2.1", "`Sec-WebSocket-Key` twice, the same", "400", Sec_WebSocket_Key=(KEY, KEY)),
    handshake("a key and an empty one", "4.2.1", "a key, and an empty one", "400", Sec_WebSocket_Key=(KEY, "")),
    handshake("HTTP/1.0", "4.2.1", "`GET … HTTP/1.0`", "400", version="1.0"),
    handshake(
        "two versions, one of them good",
        "4.2.1",
        "versions 13 and 8",
        "400, version 13",
        Sec_WebSocket_Version=("13", "8"),
    ),
    handshake(
        "the good version twice", "4.2.1", "version 13, twice", "400, version 13", Sec_WebSocket_Version=("13", "13")
    ),
    handshake("versions in a list", "4.2.1", "`13, 8`", "400, version 13", Sec_WebSocket_Version="13, 8"),
    handshake("another version", "4.2.2", "version 12", "400, version 13", Sec_WebSocket_Version="12"),
    handshake("an older version", "4.2.2", "version 8", "400, version 13", Sec_WebSocket_Version="8"),
    handshake("no version", "4.2.1", "no version", "400", Sec_WebSocket_Version=None),
    handshake("names in capitals", "4.2.1", "`UPGRADE`, `WebSocket`", OPEN, Connection="UPGRADE", Upgrade="WebSocket"),
    handshake("a list of connection options", "4.2.1", "`keep-alive, Upgrade`", OPEN, Connection="keep-alive, Upgrade"),
    handshake(
        "compression is not taken", "9.1", "`permessage-deflate`", OPEN, Sec_WebSocket_Extensions="permessage-deflate"
    ),
    handshake("a sub-protocol that is not there", "4.2.2", "`chat`", OPEN, Sec_WebSocket_Protocol="chat"),
]

LENGTHS: Final = [
    *(
        good(f"a message of {size:,} bytes", "5.2", "an event", sized(size))
        for size in (100, 125, 126, 127, 65_535, 65_536)
    ),
    good("a message of the announced size", "10.4", "an event", sized(_MOST)),
    good("a message of one byte more", "10.4", "an event", sized(_MOST + 1), _TOO_BIG),
    good("a message of the announced size in two frames", "10.4", "an event", halved(_MOST)),
    good("a message of one byte more in two frames", "10.4", "an event", halved(_MOST + 1), _TOO_BIG),
    good("a short length in 2 bytes", "5.2", "an event", event(form=3), waiver=_LENIENT),
    good("a short length in 8 bytes", "5.2", "an event", event(form=9), waiver=_LENIENT),
    wrong("a length of 2^63", "5.2", "the head of a frame", b"\x81\xff\x80" + b"\0" * 11, comes=_TOO_BIG),
    wrong(
        "a length beyond the limit",
        "10.4",
        "the head of a frame",
        b"\x81\xff" + (1 << 40).to_bytes(8) + b"\0" * 4,
        comes=_TOO_BIG,
    ),
    wrong(
        "fragments that are too much together",
        "10.4",
        "three frames",
        *(frame(b"x" * (_MOST // 2), TEXT if not number else CONTINUATION, last=False) for number in range(3)),
        comes=_TOO_BIG,
    ),
]

RESERVED: Final = [
    *(
        wrong(f"the reserved bit RSV{number}", "5.2", "a text", frame(b"2", reserved=bit))
        for number, bit in ((1, 4), (2, 2), (3, 1))
    ),
    *(
        wrong(f"opcode {opcode}", "5.2", "an empty frame", frame(b"", opcode))
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    ),
]

MASKING: Final = [
    wrong("a frame that is not masked", "5.1", "a text", frame(b"2", mask=None)),
    wrong("a ping that is not masked", "5.1", "a ping", frame(b"", PING, mask=None)),
    good("a mask of zeros", "5.3", "an event", event(mask=b"\0\0\0\0")),
    good("a mask of ones", "5.3", "an event", event(mask=b"\xff\xff\xff\xff")),
]

FRAGMENTS: Final = [
    good("a message in two frames", "5.4", "an event", cut(5)),
    good(
        "a message in frames of one byte",
        "5.4",
        "an event",
        lambda dialect: cut(*range(1, len(dialect.encode(EVENT))))(dialect),
    ),
    good("empty frames at both ends", "5.4", "an event", lambda dialect: cut(0, len(dialect.encode(EVENT)))(dialect)),
    good(
        "a ping in between",
        "5.4",
        "an event around a ping",
        cut(5, between=frame(b"hello", PING)),
        f"PONG 'hello', {ANSWERED}",
    ),
    good("a pong in between", "5.4", "an event around a pong", cut(5, between=frame(b"hello", PONG))),
    good("a close in between", "5.4", "an event around a close", cut(5, between=close(1000)), _BYE),
    wrong("a text in between", "5.4", "a fragment, a text", frame(b"2", last=False), frame(b"2")),
    wrong(
        "a fragment of another text in between",
        "5.4",
        "two first fragments",
        frame(b"2", last=False),
        frame(b"2", last=False),
    ),
    wrong("a binary message in between", "5.4", "a fragment, a binary", frame(b"2", last=False), frame(b"2", BINARY)),
    wrong("a text after an empty fragment", "5.4", "an empty fragment, a text", frame(b"", last=False), frame(b"2")),
    wrong("the end of a message that never began", "5.4", "a continuation", frame(b"2", CONTINUATION)),
    wrong("the middle of a message that never began", "5.4", "a continuation", frame(b"2", CONTINUATION, last=False)),
    wrong(
        "the end of a message that has ended",
        "5.4",
        "two last fragments",
        frame(b"2", last=False),
        frame(b"", CONTINUATION),
        frame(b"", CONTINUATION),
        comes=f"pong, {_WRONG}",
    ),
    *(
        wrong(f"a {name} in fragments", "5.5", "its first half", frame(b"", opcode, last=False))
        for name, opcode in (("close", CLOSE), ("ping", PING), ("pong", PONG))
    ),
]

PINGS: Final = [
    good("a ping", "5.5.2", "`hello`", as_it_is(frame(b"hello", PING)), "PONG 'hello', open"),
    good("an empty ping", "5.5.2", "nothing", as_it_is(frame(b"", PING)), "PONG '', open"),
    good("a ping of 125 bytes", "5.5.2", "125 x", as_it_is(frame(b"x" * 125, PING)), "PONG of 125 bytes {'x'}, open"),
    good(
        "three pings",
        "5.5.3",
        "`1` `2` `3`",
        as_it_is(*(frame(name, PING) for name in (b"1", b"2", b"3"))),
        "PONG '1', PONG '2', PONG '3', open",
    ),
    good("a pong that nobody asked for", "5.5.3", "`hello`", as_it_is(frame(b"hello", PONG)), "open"),
    wrong("a ping of 126 bytes", "5.5", "126 x", frame(b"x" * 126, PING)),
    wrong("a pong of 126 bytes", "5.5", "126 x", frame(b"x" * 126, PONG)),
    wrong("a close of 126 bytes", "5.5", "1000 and 124 x", close(1000, b"x" * 124)),
]


def closing(codes: Sequence[int], comes: str) -> list[Case]:
    """A close frame with each of these codes."""
    return [wrong(f"code {code}", "7.4", "a close", close(code), comes=comes) for code in codes]


CLOSING: Final = [
    wrong("a close without a code", "5.5.1", "an empty close", frame(b"", CLOSE), comes=_BYE),
    wrong("a close with half a code", "5.5.1", "one byte", frame(b"\x03", CLOSE)),
    wrong("a close with a reason", "5.5.1", "1000 and 123 x", close(1000, b"x" * 123), comes=_BYE),
    wrong("a reason that is no UTF-8", "8.1", "1000 and `FF`", close(1000, b"\xff"), comes=_NO_TEXT),
    Case(
        "what comes after a close is not looked at",
        "5.5.1",
        "a close, an event",
        _BYE,
        wire=lambda dialect: close(1000) + event()(dialect),
    ),
    *closing((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999), _BYE),
    *closing((0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535), _WRONG),
]

_SPLIT: Final = EVENT.encode().index("😀".encode())

TEXTS: Final = [
    *(
        Case(
            f"a character cut after {bytes_} bytes of 4",
            "8.1",
            "an event",
            ANSWERED,
            wire=cut(_SPLIT + bytes_),
            dialects=(JSON,),
        )
        for bytes_ in (1, 2, 3)
    ),
    no_text("a byte that never is", b"\xff"),
    no_text("a continuation byte alone", b"\x80"),
    no_text("an overlong `/`", b"\xc0\xaf"),
    no_text("an overlong NUL", b"\xe0\x80\x80"),
    no_text("a surrogate", b"\xed\xa0\x80"),
    no_text("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
    no_text("a character that ends too soon", b"4\xf0\x9f\x98"),
    no_text("a character that goes on as another", b"4\xf0\x9f", b"abc"),
    no_text("half a character in each of two messages", b"4\xf0\x9f", b""),
]

CASES: Final = [*HANDSHAKE, *LENGTHS, *RESERVED, *MASKING, *FRAGMENTS, *PINGS, *CLOSING, *TEXTS]
