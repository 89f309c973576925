"""Packets that nobody should send: random, from a seed, in both parsers' forms.

`gentle` ones speak the protocol and ask for nonsense; they are answered, and the connection goes on. `harsh` ones may
be anything; most end the connection.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from struct import pack
from typing import Any, Final

import msgpack

TEXT, BINARY = 1, 2
_SHORT, _LONG = 126, 65_536
_HUGE_BYTES = 400_000

PROBE: Final = b"2probe"
"""What is asked behind noise: the server answers in order, so its answer says that the noise was handled."""

_EVENTS: Final = (
    "join",
    "leave",
    "command",
    "awareness",
    "auth",
    "entries",
    "connect",
    "disconnect",
    "",
    "x" * 300,
    "__proto__",
)
_COMMANDS: Final = (
    "CreateTask", "EditTask", "EditTasks", "MoveTask", "DeleteTask", "AddComment", "AddMember", "RemoveMember",
    "ChangeMemberRole", "LinkTasks", "CreateProject", "Nothing", "__init__", "",
)  # fmt: skip
_FIELDS: Final = (
    "stream",
    "opId",
    "type",
    "data",
    "base",
    "origin",
    "cursor",
    "state",
    "token",
    "taskId",
    "title",
    "labels",
)

_BAD_TEXTS: Final = (
    *("", "x", "5", "6", "9", "1", "4", "47", "48x", "41", "41x", "40", "40{", "44{}", "43[]", "431{}", "2" * 100),
    *("42", "42{}", "42[]", "42[1]", '42["x"]]', "42NaN", '421["x",NaN]', '421["x",-Infinity]', '421["x",1e999]'),
    *('421["x","\\ud800"]', "42" + "9" * 5000 + '["x"]', "42" + "[" * 5000, "40" + "[" * 60 + "]" * 60),
    *('451-["x",{"_placeholder":true,"num":0}]', '459999999999-["x"]', '40/admin,{"token":"x"}', '42/admin,["x"]'),
)


def frame(payload: bytes, opcode: int = TEXT, first: int | None = None) -> bytes:
    """A whole frame as clients send it, with a mask of zeros; `first` replaces its first byte."""
    size, start = len(payload), 0x80 | opcode if first is None else first
    if size < _SHORT:
        head = pack("!BB", start, 0x80 | size)
    elif size < _LONG:
        head = pack("!BBH", start, 0x80 | _SHORT, size)
    else:
        head = pack("!BBQ", start, 0xFF, size)
    return head + b"\0\0\0\0" + payload


class Noise:
    """A source of packets for one kind of parser. `streams` are some that the sender may follow, or may not."""

    def __init__(self, random: Random, streams: Sequence[str], *, binary: bool = False) -> None:
        self._random = random
        self._streams = streams
        self._binary = binary

    # — values

    def value(self, depth: int = 3) -> Any:
        """Anything that JSON has."""
        random = self._random
        leaves: list[Callable[[], Any]] = [
            lambda: None,
            lambda: random.random() < 0.5,
            lambda: random.randint(-(2**53), 2**53),
            lambda: random.choice((0, -1, 1e300, -0.0, 2**31, 2**53 + 1, 2**63 - 1)),
            self.text,
            lambda: random.choice(self._streams),
            self.op_id,
        ]
        if depth and random.random() < 0.3:
            if random.random() < 0.5:
                return [self.value(depth - 1) for _ in range(random.randint(0, 4))]
            return {self.key(): self.value(depth - 1) for _ in range(random.randint(0, 4))}
        return random.choice(leaves)()

    def text(self) -> str:
        """Short, and sometimes awkward."""
        random = self._random
        awkward = (
            "\x00",
            "\u202e",
            "\ufeff",
            "\n\r",
            "'; DROP TABLE entries; --",
            "<script>",
            "\U0001f600" * 5,
            "é" * 70,
        )
        if random.random() < 0.3:
            return random.choice(awkward)
        return "".join(chr(random.randint(32, 0x2FF)) for _ in range(random.randint(0, 20)))

    def key(self) -> str:
        return self._random.choice(_FIELDS) if self._random.random() < 0.7 else self.text()

    def op_id(self) -> str:
        """A UUID of some version, or nearly one."""
        random = self._random
        digits = f"{random.getrandbits(128):032x}"
        version, variant = random.choice("0147f"), random.choice("89abc")
        made = f"{digits[:8]}-{digits[8:12]}-{version}{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        return made if random.random() < 0.9 else made[: random.randint(0, 40)]

    def _task(self) -> dict[str, Any]:
        return {"taskId": self.op_id(), **{self.key(): self.value() for _ in range(self._random.randint(0, 4))}}

    def _request(self, event: str) -> Any:
        """What the event takes, with some of it wrong."""
        random = self._random
        stream = random.choice(self._streams) if random.random() < 0.8 else self.text()
        asked: dict[str, Any] = {"stream": stream}
        if event == "command":
            asked |= {"opId": self.op_id(), "type": random.choice(_COMMANDS), "data": self._task()}
        elif event == "join" and random.random() < 0.5:
            asked["cursor"] = random.choice(("0.0", "1.1", "-1.x", "9" * 30, self.text()))
        elif event == "awareness":
            asked["state"] = self.value() if random.random() < 0.5 else {"t": self.text()}
        elif event == "auth":
            asked = {"token": self.text()}
        if random.random() < 0.4:
            asked[self.key()] = self.value()
        if random.random() < 0.2:
            asked.pop(random.choice(list(asked)))
        return asked if random.random() < 0.9 else self.value()

    # — packets

    def gentle(self) -> bytes:
        """One that is answered or ignored."""
        random = self._random
        if random.random() < 0.1:
            return self._engine()
        event = random.choice(_EVENTS)
        arguments = [event, self._request(event)]
        if random.random() < 0.1:
            arguments.append(self.value())
        return self._event(arguments, random.randint(0, 2**31))

    def before(self) -> bytes:
        """The same for a connection that has not authenticated itself."""
        return self._engine()

    def _engine(self) -> bytes:
        return frame(self._random.choice((b"2", b"3")))

    def _event(self, arguments: list[Any], ack_id: int) -> bytes:
        if self._binary:
            whole = {"type": 2, "data": arguments, "nsp": "/", "id": ack_id, "options": {"compress": True}}
            return frame(packed(whole), BINARY)
        return frame(b"42%d%b" % (ack_id, self._poisoned(json.dumps(arguments)).encode()))

    def _poisoned(self, encoded: str) -> str:
        """In one packet of twenty something that can be read and does harm."""
        random = self._random
        if random.random() < 0.95:
            return encoded
        poison = ("9" * 90, '"\\u0000"', "[" * 40 + "]" * 40, '{"a":1,"a":2}', "9007199254740993")
        return encoded.removesuffix("]") + "," + random.choice(poison) + "]"

    def harsh(self) -> bytes:
        """Anything."""
        return self._random.choice(_HARSH)(self)

    def _mutated(self) -> bytes:
        random = self._random
        good = bytearray(self.gentle())
        for _ in range(random.randint(1, 4)):
            good[random.randrange(len(good))] = random.randrange(256)
        return bytes(good)

    def _cut(self) -> bytes:
        whole = self.gentle()
        return whole[: self._random.randrange(1, len(whole))]

    def _bytes(self) -> bytes:
        return self._random.randbytes(self._random.randint(1, 200))

    def _random_message(self) -> bytes:
        return frame(self._bytes(), self._random.choice((TEXT, BINARY)))

    def _packet_text(self) -> bytes:
        return frame(self._random.choice(_BAD_TEXTS).encode())

    def _packet_map(self) -> bytes:
        random = self._random
        made: Mapping[str, Any] = {
            "type": random.choice((0, 1, 2, 3, 4, 5, 6, -1, "2", None, True)),
            "nsp": random.choice(("/", "/admin", "", None, 3)),
            "data": random.choice((self.value(), ["join"], [], [b"\xff"], math.nan, [["x"]], {"token": self.text()})),
            "id": random.choice((None, 0, -1, 2**64 - 1, "1", 1.5)),
        }
        return frame(packed(made), BINARY)

    def _odd_frame(self) -> bytes:
        """What RFC 6455 forbids, or what hardly anybody does."""
        random = self._random
        close = (b"", b"\x03", pack("!H", random.choice((0, 999, 1000, 1005, 1006, 1015, 5000))) + b"\xff\xfe")
        return random.choice(
            (
                frame(b"x" * 126, 9),
                frame(random.choice(close), 8),
                frame(b"x", random.choice((3, 7, 11, 15))),
                frame(b"42[]", first=0x80 | random.choice((0x10, 0x20, 0x40)) | TEXT),
                frame(b"x", first=0x80),
                frame(b'42["a', first=0x01) + frame(b"", 9) + frame(b'"]', first=0x80),
                frame(b"42[", first=0x01) + frame(b"2"),
                b"\x81\x02xx",
                b"\x81\xff" + pack("!Q", random.choice((2**63, 2**40, 2**24))) + b"\0\0\0\0x",
                frame(b"\xff\xfe\xc0\x80"),
            )
        )

    def _huge(self) -> bytes:
        return frame(b'421["x","' + b"a" * _HUGE_BYTES + b'"]')


_HARSH: Final[tuple[Callable[[Noise], bytes], ...]] = (
    *(Noise._mutated, Noise._cut, Noise._bytes, Noise._random_message) * 10,
    *(Noise._packet_text, Noise._packet_map, Noise._odd_frame) * 13,
    Noise._huge,
)


def packed(content: Any) -> bytes:
    """As msgpack; what it cannot hold (integers of 90 digits) becomes nothing."""
    try:
        return bytes(msgpack.packb(content))
    except (OverflowError, ValueError):
        return b"\xc0"
