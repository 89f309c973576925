"""Reads across projects, from the projections. They are true as of the last entry that was projected, so every one of
them first waits until what was committed before it is there; if that takes too long it says so.

A shard whose next entry cannot be read stands still, and nobody knows what that entry would change: whom it removed,
what it deleted. So lists leave out the projects that live there and their tasks, and say that they are
incomplete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from actors.ports import Clock
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.log import shard_of
from server.rest.min_seq import Asked, LogPlaces, Wanted, positions_of, visible_to, wanted_by, why_missing
from server.rest.pages import PAGE_BYTES_MAX, encoded_bytes

T = TypeVar("T")
P = TypeVar("P", bound=tuple[str, ...])

DERIVED_STATE: Final = "Derived-State"
"""The header of lists that leave projects out because the projection of their shards stands still."""
DERIVED_AS_OF: Final = "Derived-As-Of"
"""The header that says until when everything that was committed is in the answer."""
DERIVED_SEQ: Final = "Derived-Seq"
"""The header that repeats what `minSeq` asked for, of what the reader may see: it is in the answer."""

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
    """Projects of a person, public ones, and all of them for the operator. `bytes_max`: see `Listing`."""

    async def of_user(
        self, user_id: str, after: tuple[str, str] | None, limit: int, bytes_max: int
    ) -> Sequence[Listed]:
        """Not the deleted ones; the last changed first. `after` is (updatedAt, id)."""
        ...

    async def public(self, after: tuple[str, str] | None, limit: int, bytes_max: int) -> Sequence[Listed]:
        """Those that everybody may look at; order and `after` as with a person's."""
        ...

    async def deleted(
        self, owner_id: str | None, after: tuple[str, str] | None, limit: int, bytes_max: int
    ) -> Sequence[Listed]:
        """Those that an owner can bring back (None: that anybody can); order and `after` as with a person's."""
        ...

    async def every(self, after: str | None, limit: int, bytes_max: int) -> Sequence[Listed]:
        """By id, deleted ones too."""
        ...


class TaskLists(Protocol):
    """Tasks of a person across projects. `bytes_max`: see `Listing`."""

    async def of_assignee(
        self,
        user_id: str,
        which: str,
        after: tuple[str, str, str] | None,
        limit: int,
        bytes_max: int,
        blocked: bool | None = None,
    ) -> Sequence[tuple[str, Listed]]:
        """(Project id, task), the last changed first. `which`: open, closed, all. `after`: (updatedAt, project, id).

        `blocked`: only those that an open task blocks, or only the others.
        """
        ...

    async def of_watcher(
        self, user_id: str, which: str, after: tuple[str, str, str] | None, limit: int, bytes_max: int
    ) -> Sequence[tuple[str, Listed]]:
        """The same of the tasks that the person watches."""
        ...


class Freshness(Protocol):
    """How far a consumer of the log is: the projector, for most reads."""

    async def caught_up(self, within_s: float, positions: Mapping[int, int] | None = None) -> frozenset[int]:
        """Waits until everything that was committed before the call has had its effect, and what stands up to these
        positions of shards, but for the shards that it gives: they stand still. Raises TimeoutError when it takes
        longer."""
        ...

    async def reached(self, positions: Mapping[int, int], within_s: float) -> frozenset[int]:
        """The same of these positions alone."""
        ...

    @property
    def next_step(self) -> asyncio.Event:
        """Is set when the consumer has gone on."""
        ...

    def as_of(self, now: str, but: frozenset[int] = frozenset()) -> str | None:
        """Until when everything that was committed has had its effect, but for some shards; None: it is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Derivation:
    """How far the consumer was that an answer is read from. `standing`: shards that the answer leaves out."""

    as_of: str | None = None
    standing: frozenset[int] = frozenset()
    wanted: tuple[Wanted, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says of it."""
        headers = {DERIVED_AS_OF: self.as_of} if self.as_of is not None else {}
        if self.wanted:
            headers[DERIVED_SEQ] = ", ".join(f"{one.stream}:{one.seq}" for one in self.wanted)
        return {**headers, DERIVED_STATE: "incomplete"} if self.standing else headers


@dataclass(frozen=True, slots=True)
class Listing(Generic[T, P]):
    """How a list is read from a place on, which project a row of it belongs to, which place it has, and its record.

    `fetch` gets a place, how many rows, and how many bytes: with the row whose texts come to so many it may end.
    """

    fetch: Callable[[P | None, int, int], Awaitable[Sequence[T]]]
    project_of: Callable[[T], str]
    place_of: Callable[[T], P]
    record_of: Callable[[T], Any]


TaskPlace: TypeAlias = tuple[str, str, str]
"""(updatedAt, project, id) of a task."""


def tasks_across(
    fetch: Callable[[TaskPlace | None, int, int], Awaitable[Sequence[tuple[str, Listed]]]],
) -> Listing[tuple[str, Listed], TaskPlace]:
    """A list of (project id, task), the last changed first."""
    return Listing(
        fetch,
        lambda own: own[0],
        lambda own: (own[1].record["updatedAt"], own[0], own[1].record["id"]),
        lambda own: own[1].record,
    )


@dataclass(frozen=True, slots=True)
class Page(Generic[T, P]):
    """`end` is the place of the last row when there are more."""

    rows: Sequence[T]
    end: P | None
    derivation: Derivation

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says of the projections."""
        return self.derivation.headers


@dataclass(frozen=True, slots=True)
class DerivedReads:
    """How every read of the projections is made."""

    freshness: Freshness
    log: LogPlaces
    clock: Clock
    behind_max_s: float
    page_bytes_max: int = PAGE_BYTES_MAX

    async def page(self, listing: Listing[T, P], after: P | None, size: int, asked: Asked) -> Page[T, P]:
        """At most `size` rows, true as of a moment at most `behind_max_s` ago. Raises Rejected as `read`."""
        most = _Most(size, self.page_bytes_max)
        (found, more), derivation = await self.read(lambda standing: _visible(listing, after, most, standing), asked)
        return Page(found, listing.place_of(found[-1]) if more else None, derivation)

    async def read(
        self, work: Callable[[frozenset[int]], Coroutine[Any, Any, T]], asked: Asked
    ) -> tuple[T, Derivation]:
        """What `work` finds once the projections have caught up, but for the shards that it is given.

        Raises Rejected (unavailable, reason `behind`) when the projections trail, or lack what was asked for, and when
        catching up and reading together took longer than `behind_max_s`: who was removed after its beginning must not
        get the answer so late.
        """
        began_s = self.clock.monotonic_s()
        derivation = await self._caught_up(asked)
        left_s = self.behind_max_s - (self.clock.monotonic_s() - began_s)
        found = await self._within(work(derivation.standing), left_s)
        if self.clock.monotonic_s() - began_s > self.behind_max_s:
            raise Rejected(BEHIND)
        return found, derivation

    async def reach(self, asked: Asked) -> Derivation:
        """Waits for what was asked for and for nothing else. Raises Rejected as `read`."""
        return await self._waited(asked, self.freshness.reached)

    async def _caught_up(self, asked: Asked) -> Derivation:
        async def everything(positions: Mapping[int, int], within_s: float) -> frozenset[int]:
            return await self.freshness.caught_up(within_s, positions)

        return await self._waited(asked, everything)

    async def _waited(
        self, asked: Asked, wait: Callable[[Mapping[int, int], float], Awaitable[frozenset[int]]]
    ) -> Derivation:
        until_s = self.clock.monotonic_s() + self.behind_max_s
        missing: Rejection | None = None
        try:
            async with asyncio.timeout(self.behind_max_s):
                visible = await visible_to(asked.reader, wanted_by(asked.min_seq), self.log)
                wanted, missing = [one for one, _ in visible], why_missing(visible)
                positions = await positions_of(wanted, self.log, self.freshness) if wanted else {}
                missing = None
                now = self.clock.now()
                standing = await wait(positions, until_s - self.clock.monotonic_s())
        except TimeoutError as error:
            raise Rejected(missing or BEHIND) from error
        if not standing.isdisjoint(positions):
            raise Rejected(BEHIND)  # nobody knows when these shards go on
        return Derivation(self.freshness.as_of(now, standing), standing, tuple(wanted))

    async def is_caught_up(self, stream: str) -> bool:
        """Whether everything of a stream that was committed before the call is projected, or soon was."""
        try:
            return shard_of(stream) not in await self.freshness.caught_up(self.behind_max_s)
        except TimeoutError:
            return False

    async def _within(self, work: Coroutine[Any, Any, T], left_s: float) -> T:
        """What is too late is not waited for. It is left to end by its own deadline, on the connection that it has."""
        reading = asyncio.ensure_future(work)
        reading.add_done_callback(_note)
        done, _ = await asyncio.wait([reading], timeout=max(0.0, left_s))
        if not done:
            raise Rejected(BEHIND)
        return reading.result()


class _Most(NamedTuple):
    """What a page has at most; but one row at least."""

    rows: int
    encoded_bytes: int


async def _visible(
    listing: Listing[T, P], after: P | None, most: _Most, standing: Container[int]
) -> tuple[Sequence[T], bool]:
    """The first rows of projects that live in none of these shards, and whether there are more of them.

    Those that are left out here do not shorten the pages.
    """
    kept: list[T] = []
    kept_bytes = 0
    while True:
        found = await listing.fetch(after, most.rows + 1, most.encoded_bytes)
        found_bytes = 0
        for row in found:
            row_bytes = encoded_bytes(listing.record_of(row))
            found_bytes += row_bytes
            if shard_of(f"project/{listing.project_of(row)}") in standing:
                continue
            if len(kept) == most.rows or (kept and kept_bytes + row_bytes > most.encoded_bytes):
                return kept, True
            kept.append(row)
            kept_bytes += row_bytes
        if len(found) <= most.rows and found_bytes < most.encoded_bytes:
            return kept, False
        after = listing.place_of(found[-1])


def _note(reading: asyncio.Future[T]) -> None:
    """Nobody asks one that came too late; one that is waited for has its exception asked for anyway."""
    if not reading.cancelled():
        reading.exception()
