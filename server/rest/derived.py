"""Reads across projects, from the projections. They are true as of the last entry that was projected, so every one of
them first waits until what was committed before it is there; if that takes too long it says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from actors.ports import Clock
from protocol.errors import ErrorCode, Rejected, Rejection

T = TypeVar("T")

BEHIND: Final = Rejection(
    ErrorCode.UNAVAILABLE, "this list is behind the log; try again", {"reason": "behind", "retryAfterS": 1}
)


class Listed(Protocol):
    """A record and the seq of its stream as of which it is true."""

    @property
    def record(self) -> Any: ...

    @property
    def seq(self) -> int: ...


class ProjectLists(Protocol):
    """Projects of a person, public ones, and all of them for the operator."""

    async def of_user(self, user_id: str, after: tuple[str, str] | None, limit: int) -> Sequence[Listed]:
        """Not the deleted ones; the last changed first. `after` is (updatedAt, id)."""
        ...

    async def public(self, after: tuple[str, str] | None, limit: int) -> Sequence[Listed]:
        """Those that everybody may look at; order and `after` as with a person's."""
        ...

    async def every(self, after: str | None, limit: int) -> Sequence[Listed]:
        """By id, deleted ones too."""
        ...


class TaskLists(Protocol):
    """Tasks of a person across projects."""

    async def of_assignee(
        self, user_id: str, which: str, after: tuple[str, str, str] | None, limit: int
    ) -> Sequence[tuple[str, Listed]]:
        """(Project id, task), the last changed first. `which`: open, closed, all. `after`: (updatedAt, project, id)."""
        ...


class Freshness(Protocol):
    """How far the projections are."""

    async def caught_up(self, within_s: float) -> bool:
        """Waits until everything that was committed before the call is projected; False when it takes longer."""
        ...


@dataclass(frozen=True, slots=True)
class DerivedReads:
    """How every read of the projections is made."""

    freshness: Freshness
    clock: Clock
    behind_max_s: float

    async def read(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` reads, true as of a moment at most `behind_max_s` ago.

        Raises Rejected (unavailable, reason `behind`) when the projections trail, and when catching up and reading
        together took longer: who was removed after its beginning must not get the answer so late.
        """
        began_s = self.clock.monotonic_s()
        if not await self.freshness.caught_up(self.behind_max_s):
            raise Rejected(BEHIND)
        found = await self._within(work, self.behind_max_s - (self.clock.monotonic_s() - began_s))
        if self.clock.monotonic_s() - began_s > self.behind_max_s:
            raise Rejected(BEHIND)
        return found

    async def _within(self, work: Callable[[], Awaitable[T]], left_s: float) -> T:
        """What is too late is not waited for. It is left to end by its own deadline, on the connection that it has."""
        reading = asyncio.ensure_future(work())
        reading.add_done_callback(_note)
        done, _ = await asyncio.wait([reading], timeout=max(0.0, left_s))
        if not done:
            raise Rejected(BEHIND)
        return reading.result()


def _note(reading: asyncio.Future[T]) -> None:
    """Nobody asks one that came too late; one that is waited for has its exception asked for anyway."""
    if not reading.cancelled():
        reading.exception()
