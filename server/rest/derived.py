"""Reads across projects, from the projections. They are true as of the last entry that was projected, so every one of
them first waits until what was committed before it is there; if that takes too long it says so (DESIGN §9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from protocol.errors import ErrorCode, Rejected, Rejection

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
    """Projects of a person, and all of them for the operator."""

    async def of_user(self, user_id: str, after: tuple[str, str] | None, limit: int) -> Sequence[Listed]:
        """Not the deleted ones; the last changed first. `after` is (updatedAt, id)."""
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


async def require_fresh(freshness: Freshness, within_s: float) -> None:
    """Raises Rejected (unavailable, reason `behind`) when the projections trail."""
    if not await freshness.caught_up(within_s):
        raise Rejected(BEHIND)
