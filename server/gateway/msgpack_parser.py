"""Socket.IO packets as msgpack, compatible with `socket.io-msgpack-parser` (protocol 5) of JavaScript and with
python-socketio's `serializer='msgpack'`: a whole packet is one map `{type, data, nsp, id}` in one binary message.

Clients may put more into that map (JavaScript's adds `options`), which is not looked at. Inside of events the values
are those of JSON and nothing else; JavaScript's `undefined`, which its encoder writes as an extension, is what it is
to `JSON.stringify`: a field that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any, Final, TypeGuard, TypeVar

import msgpack

from actors.runtime.publication import Publication
from protocol.base import INTEGER_MAX, Message
from protocol.poison import NODES_MAX, find_poison, too_many_values
from protocol.wire import AWARENESS, ENTRIES, SNAPSHOT
from server.gateway.frames import binary_frame
from server.gateway.packets import (
    AckPacket,
    BadPacket,
    ConnectPacket,
    DisconnectPacket,
    Packet,
    PoisonedEvent,
    clean,
    event_packet,
    foreign_connect,
)
from server.gateway.parsers import NewestRun

T = TypeVar("T", bound=Sized)

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR = range(5)
"""Types of packets."""

MAIN = "/"
"""The namespace that is served."""

_ENTRY, _FRAME = "msgpack", "msgpack-frame"
_UNDEFINED_BYTES = b"\xd4\x00\x00"
_UNDEFINED = object()
_HEAD: Final = frozenset({"type", "nsp", "id"})
_FIELDS_MAX: Final = 16
"""Fields of a packet's own map that are looked through for its head; there are four, or five."""
_READ_BYTES = 16
"""Of a file, which nobody reads here; without it a buffer of 1 MiB is made first."""

# One for all: a Packer keeps its buffer, and making a new one costs more than packing.
_pack = msgpack.Packer().pack


class MsgpackParser:
    """Fits `server.gateway.parsers.Parser`."""

    name = "msgpack"
    path = "socket.io-msgpack"
    is_binary = True

    def __init__(self) -> None:
        self._run = NewestRun()

    def decode(self, message: bytes, depth_max: int) -> Packet:
        """See the port."""
        try:
            packet = _unpack(message)
        except _TooMany:
            return _flood(message)
        if not isinstance(packet, dict):
            raise BadPacket("a packet is a map")
        kind, namespace, data = packet.get("type"), packet.get("nsp"), packet.get("data")
        if type(kind) is not int or not isinstance(namespace, str):
            raise BadPacket("a packet has a type and a namespace")
        if namespace != MAIN:
            if kind != CONNECT:
                raise BadPacket("only the main namespace is served, and nobody is in another")
            clean(data, depth_max)
            return foreign_connect(namespace)
        return _of_kind(kind, data, packet.get("id"), depth_max)

    def connected(self, sid: str) -> bytes:
        """See the port."""
        return _packet_frame({"type": CONNECT, "data": {"sid": sid}, "nsp": MAIN})

    def connect_error(self, error: dict[str, Any], namespace: str = MAIN) -> bytes:
        """See the port."""
        data = {"message": error["message"], "data": error}
        return _packet_frame({"type": CONNECT_ERROR, "data": data, "nsp": namespace})

    def disconnect(self) -> bytes:
        """See the port."""
        return _packet_frame({"type": DISCONNECT, "nsp": MAIN})

    def ack(self, ack_id: int, answer: dict[str, Any]) -> bytes:
        """See the port."""
        return _packet_frame({"type": ACK, "data": [answer], "nsp": MAIN, "id": ack_id})

    def event(self, name: str, message: Message) -> bytes:
        """See the port."""
        body = message.model_dump(mode="python", by_alias=True, exclude_none=True)
        return _packet_frame({"type": EVENT, "data": [name, body], "nsp": MAIN})

    def dumps(self, value: Any) -> bytes:
        """See the port."""
        return _pack(value)

    def snapshot(self, stream: str, cursor: str, part: tuple[int, int], state: bytes) -> bytes:
        """See the port."""
        number, parts = part
        head = {"stream": stream, "cursor": cursor, "part": number, "parts": parts}
        return _event_frame(SNAPSHOT, _with_last(head, "state", state))

    def awareness(self, stream: str, states: Sequence[bytes], *, complete: bool) -> bytes:
        """See the port."""
        head: dict[str, Any] = {"stream": stream} | ({"complete": True} if complete else {})
        return _event_frame(AWARENESS, _with_last(head, "states", _array_header(len(states)) + b"".join(states)))

    def entry(self, publication: Publication) -> bytes:
        """See the port."""
        encoded = publication.encoded.get(_ENTRY)
        if encoded is None:
            encoded = publication.encoded[_ENTRY] = _pack(publication.wire())
        return encoded

    def entries(self, stream: str, publications: Sequence[Publication]) -> bytes:
        """See the port."""
        if len(publications) > 1:
            return self._run.frame(publications, lambda: self._entries(stream, publications))
        encoded = publications[0].encoded
        frame = encoded.get(_FRAME)
        if frame is None:
            frame = encoded[_FRAME] = self._entries(stream, publications)
        return frame

    def _entries(self, stream: str, publications: Sequence[Publication]) -> bytes:
        entries = _array_header(len(publications)) + b"".join(map(self.entry, publications))
        return _event_frame(ENTRIES, _with_last({"stream": stream}, "entries", entries))


def _of_kind(kind: int, data: Any, ack_id: Any, depth_max: int) -> Packet:
    if ack_id is not None and not _is_ack_id(ack_id):
        raise BadPacket("no id of a packet")
    if kind == EVENT:
        return event_packet(data, find_poison(data, depth_max), ack_id)
    if kind == CONNECT:
        return ConnectPacket(clean(data, depth_max))
    if kind == DISCONNECT and data is None:
        return DisconnectPacket()
    if kind == ACK and ack_id is not None and isinstance(clean(data, depth_max), list):
        return AckPacket()
    raise BadPacket("unknown packet type, or not its data")


def _is_ack_id(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= INTEGER_MAX


def _unpack(message: bytes) -> Any:
    """The value; lone surrogates, floats that are no numbers, byte strings, extensions and keys that are no text are
    left to be found. Raises BadPacket, _TooMany.
    """
    _check_complete(message)
    try:
        # Hooks are calls for every map and array. Almost no packet needs them: undefined is rare, and what has fewer
        # bytes than values are allowed has fewer values.
        if _UNDEFINED_BYTES in message:
            return _with_undefined(message)
        if (size := len(message)) > NODES_MAX:
            left = _Left()
            return _decoded(message, strict_map_key=True, object_hook=left.less, list_hook=left.less)
        return msgpack.unpackb(message, unicode_errors="surrogatepass", max_array_len=size, max_map_len=size)
    except ValueError:  # every complaint of msgpack's is one; most often a key that is a number
        return _with_any_keys(message)


def _with_undefined(message: bytes) -> Any:
    """The same without `undefined`."""
    left = _Left()
    return _decoded(
        message,
        strict_map_key=True,
        ext_hook=_extension,
        object_hook=lambda fields: _without_undefined(left.less(fields)),
        list_hook=lambda values: _null_for_undefined(left.less(values)),
    )


def _with_any_keys(message: bytes) -> Any:
    """The same where keys are neither text nor bytes; they are not hashed, as numbers can be chosen to collide."""
    left = _Left()
    try:
        return _decoded(
            message,
            strict_map_key=False,
            ext_hook=_extension,
            object_pairs_hook=lambda pairs: _fields(left.less(pairs)),
            list_hook=left.less,
        )
    except ValueError as error:
        raise BadPacket("not msgpack") from error


class _TooMany(Exception):
    """More values than a packet may hold; they are not all made."""


class _Left:
    """How many values may still come: they are counted while they are made, so that a flood ends early."""

    def __init__(self) -> None:
        self._count = NODES_MAX + _FIELDS_MAX  # of the packet itself; the data are counted exactly by the search

    def less(self, container: T) -> T:
        """The container, if its values may come. Raises _TooMany."""
        self._count -= len(container)
        if self._count < 0:
            raise _TooMany
        return container


def _decoded(message: bytes, **options: Any) -> Any:
    """Raises ValueError, _TooMany."""
    try:
        return msgpack.unpackb(
            message, unicode_errors="surrogatepass", max_array_len=NODES_MAX, max_map_len=NODES_MAX, **options
        )
    except ValueError as error:
        if "exceeds max_" in str(error):  # msgpack has no type of its own for it
            raise _TooMany from error
        raise


def _flood(message: bytes) -> PoisonedEvent:
    """The answer to an event of too many values, of which its head alone is read. Raises BadPacket."""
    unpacker = msgpack.Unpacker(read_size=_READ_BYTES, max_array_len=0, max_map_len=0)
    unpacker.feed(message)
    head: dict[str, Any] = {}
    try:
        if (fields := unpacker.read_map_header()) > _FIELDS_MAX:
            raise BadPacket(too_many_values())
        for _ in range(fields):
            name = unpacker.unpack()
            if name in _HEAD:
                head[name] = unpacker.unpack()
            else:
                unpacker.skip()
    except (ValueError, TypeError, msgpack.OutOfData) as error:
        raise BadPacket("not a packet's map") from error
    ack_id = head.get("id")
    if head.get("type") != EVENT or head.get("nsp") != MAIN or not _is_ack_id(ack_id):
        raise BadPacket(too_many_values())
    return PoisonedEvent(too_many_values(), ack_id)


def _check_complete(message: bytes) -> None:
    """Every array holds what it claims to: room is made for all of that as soon as its head is read, and heads of five
    bytes each, one within the other, may claim gigabytes. To skip the items makes room for none. Raises BadPacket.
    """
    unpacker = msgpack.Unpacker(read_size=_READ_BYTES)
    unpacker.feed(message)
    try:
        unpacker.skip()
    except (ValueError, msgpack.OutOfData) as error:
        raise BadPacket("not msgpack, or only a part of it") from error


def _extension(code: int, data: bytes) -> Any:
    return _UNDEFINED if code == 0 and data == b"\0" else msgpack.ExtType(code, data)


def _fields(pairs: Any) -> dict[Any, Any]:
    fields = list(pairs)
    if all(isinstance(name, str) for name, _ in fields):
        return _without_undefined(dict(fields))
    return {b"": None}  # poison, as these keys are


def _without_undefined(fields: dict[Any, Any]) -> dict[Any, Any]:
    return {name: value for name, value in fields.items() if value is not _UNDEFINED}


def _null_for_undefined(values: list[Any]) -> list[Any]:
    return [None if value is _UNDEFINED else value for value in values]


def _packet_frame(packet: dict[str, Any]) -> bytes:
    return binary_frame(_pack(packet))


def _event_frame(name: str, body: bytes) -> bytes:
    """An event whose payload is encoded already."""
    arguments = b"\x92%b%b" % (_pack(name), body)
    return binary_frame(_with_last({"type": EVENT, "nsp": MAIN}, "data", arguments))


def _with_last(fields: dict[str, Any], name: str, encoded: bytes) -> bytes:
    """A map of at most 15 fields, the last of which is encoded already."""
    body = _pack(fields)
    return b"%c%b%b%b" % (0x81 + len(fields), body[1:], _pack(name), encoded)


def _array_header(size: int) -> bytes:
    if size < 16:
        return b"%c" % (0x90 | size)
    return b"\xdc" + size.to_bytes(2) if size < 65_536 else b"\xdd" + size.to_bytes(4)
