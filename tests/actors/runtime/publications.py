"""Publications and followers for tests of hub and ring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.runtime.awareness import Awareness
from actors.runtime.hub import CloseReason, Crowd, Following, StreamHub
from actors.runtime.publication import Publication
from protocol.event import Principal
from protocol.log import Entry
from protocol.wire import PresentUser


def publication(
    seq: int,
    *,
    stream: str = "notes/1",
    epoch: int = 1,
    size: int = 0,
    audience: frozenset[str] | None = None,
    changes_audience: bool = False,
) -> Publication:
    """An entry as it goes out."""
    entry = Entry(stream, seq, epoch, 0, seq, f"op {seq}", b"", b"x" * size, "ann", "", "")
    return Publication(entry, [], None, changes_audience or audience is not None, audience)


def seqs(publications: list[Publication] | None) -> list[int] | None:
    """What they are."""
    return None if publications is None else [publication.entry.seq for publication in publications]


class Watcher:
    """A follower that writes down what it hears. It is a crowd of its own."""

    def __init__(self, principal: Principal | str = "ann") -> None:
        self._principal = Principal(principal) if isinstance(principal, str) else principal
        self.woken = 0
        self.presences: list[list[PresentUser]] = []
        self.closed: list[tuple[str, str]] = []
        self.replaced: list[str] = []
        self.states: list[dict[str, Any]] = []

    @property
    def principal(self) -> Principal:
        return self._principal

    @property
    def crowd(self) -> Crowd | None:
        return self

    def wake(self, following: Following) -> None:
        self.woken += 1

    def published(self, hub: StreamHub) -> None:
        self.woken += 1

    def presence_changed(self, hub: StreamHub, present: list[PresentUser]) -> None:
        self.presences.append(present)

    def aware(self, hub: StreamHub, changes: Mapping[Following, Awareness]) -> None:
        self.states.append({place.follower.principal.id: aware.state for place, aware in changes.items()})

    def following_replaced(self, stream: str) -> None:
        self.replaced.append(stream)

    def following_closed(self, stream: str, reason: CloseReason) -> None:
        self.closed.append((stream, reason))


class Loner(Watcher):
    """A follower without a crowd."""

    @property
    def crowd(self) -> None:
        return
