"""Socket.IO v5 packets from clients (socket.io-protocol, revision 5), whatever form they came in.

Only the main namespace is served, and no binary attachments. To enter another namespace is refused, as the protocol has
it; whatever else a client sends is a bad packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol.poison import find_poison
from protocol.values import value

NAMESPACE_CHARACTERS_MAX = 200


class BadPacket(Exception):
    """The client does not speak the protocol, and the connection ends; the message says why, without the content."""


@value(frozen=True, slots=True)
class EventPacket:
    """`name` with its arguments; `ack_id` when the client waits for an answer."""

    name: str
    arguments: list[Any]
    ack_id: int | None


@dataclass(frozen=True, slots=True)
class PoisonedEvent:
    """An event that can be read and holds what does harm: it is answered with `why` and looked at no further."""

    why: str
    ack_id: int


@dataclass(frozen=True, slots=True)
class ConnectPacket:
    """The request to enter the main namespace, with its auth payload."""

    auth: Any


@dataclass(frozen=True, slots=True)
class ForeignConnectPacket:
    """The request to enter a namespace that is not served, as the client named it."""

    namespace: str


@dataclass(frozen=True, slots=True)
class DisconnectPacket:
    """The client leaves the namespace."""


@dataclass(frozen=True, slots=True)
class AckPacket:
    """An answer to an event of ours. None is ever asked for, so it is ignored, and who sends many is let go."""


Packet = EventPacket | PoisonedEvent | ConnectPacket | ForeignConnectPacket | DisconnectPacket | AckPacket


def event_packet(arguments: Any, poison: str | None, ack_id: int | None) -> EventPacket | PoisonedEvent:
    """An event from its decoded arguments, the first of which is its name, and the poison in them. Raises BadPacket."""
    if not isinstance(arguments, list) or not arguments or not isinstance(arguments[0], str):
        raise BadPacket("an event is a list that starts with its name")
    if poison is None:
        return EventPacket(arguments[0], arguments[1:], ack_id)
    if ack_id is None:
        raise BadPacket(poison)  # nobody waits for an answer, and in silence the sender would go on for ever
    return PoisonedEvent(poison, ack_id)


def foreign_connect(namespace: str) -> ForeignConnectPacket:
    """The request to enter another namespace. Raises BadPacket for what is no name."""
    if len(namespace) > NAMESPACE_CHARACTERS_MAX or not namespace.isprintable():
        raise BadPacket("no name of a namespace")
    return ForeignConnectPacket(namespace)


def clean(decoded: Any, depth_max: int) -> Any:
    """A decoded value. Raises BadPacket where it holds what does harm."""
    poison = find_poison(decoded, depth_max)
    if poison is not None:
        raise BadPacket(poison)
    return decoded
