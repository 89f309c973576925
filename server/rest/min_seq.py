"""`minSeq`: entries whose effect a derived read has to show, because its reader knows of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple, Protocol

from pydantic import Field

from actors.runtime.log_reads import reset
from actors.runtime.publication import Publication
from protocol.base import Message
from protocol.cursors import Cursor
from protocol.errors import Rejected, Rejection
from protocol.event import Principal
from server.rest.access import refused
from server.rest.pages import PageQuery

STREAMS_MAX: Final = 20
_ID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ONE: Final = re.compile(rf"((?:project|profile|user)/{_ID}):([1-9][0-9]{{0,14}})(?:\.([0-9]{{1,18}}))?")

MinSeq = Annotated[
    str,
    Field(
        max_length=STREAMS_MAX * 100,
        description="What has to be in the answer: `project/<id>:<seq or cursor>`, several with commas between them. "
        "It waits for them a moment. Then it is `unavailable` with the reason `behind`, or a `conflict` with the "
        "reason `ahead` where nobody has written such an entry yet. What the caller may not see is not waited for.",
    ),
]


class DerivedQuery(Message):
    """Of a read of projections."""

    min_seq: MinSeq | None = None


class DerivedPageQuery(PageQuery, DerivedQuery):
    """Of a page of a list that is read from projections."""


class Wanted(NamedTuple):
    """An entry; with an epoch it has to be that one, and not another one at its place."""

    stream: str
    seq: int
    epoch: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Who reads, and what they want to see."""

    reader: Principal
    min_seq: str | None = None


class LogPlaces(Protocol):
    """The part of `actors.runtime.log_reads.LogReads` that is needed here."""

    async def head(self, principal: Principal, stream: str) -> Cursor | Rejection:
        """Where the stream stands, for those who may follow it now."""
        ...

    def some(self, places: Sequence[tuple[str, int]]) -> AsyncIterator[Publication]:
        """The entries at these (stream, seq); those that are not there are missing."""
        ...


class Steps(Protocol):
    """A consumer of the log that goes on."""

    @property
    def next_step(self) -> asyncio.Event:
        """Is set when the consumer has gone on."""
        ...


def wanted_by(text: str | None) -> list[Wanted]:
    """The parts of `minSeq`. Raises Rejected."""
    matches = [_ONE.fullmatch(part) for part in text.lower().split(",")] if text else []
    found = [Wanted(one[1], int(one[2]), int(one[3]) if one[3] else None) for one in matches if one is not None]
    if len(found) < len(matches) or len(found) > STREAMS_MAX:
        raise refused(f"minSeq: at most {STREAMS_MAX} like project/<id>:<seq or cursor>, with commas", "minSeq")
    return found


async def visible_to(reader: Principal, wanted: Iterable[Wanted], log: LogPlaces) -> list[tuple[Wanted, Cursor]]:
    """Those whose streams the reader may see, with where these stand; of the others nobody is told.

    Raises Rejected.
    """
    visible = []
    for one in wanted:
        head = await log.head(reader, one.stream)
        if isinstance(head, Rejection):
            if head.retryable:
                raise Rejected(head)
        else:
            visible.append((one, head))
    return visible


def why_missing(visible: Iterable[tuple[Wanted, Cursor]]) -> Rejection | None:
    """A conflict where an entry is asked for that nobody had written when the read began."""
    return next((reset("ahead", head) for one, head in visible if one.seq > head.seq), None)


async def positions_of(wanted: Sequence[Wanted], log: LogPlaces, consumer: Steps) -> dict[int, int]:
    """Shard → the position in its log that has to be reached. Waits until all entries are committed.

    Raises Rejected (conflict) when there is another entry than the one that is meant.
    """
    while True:
        step = consumer.next_step
        found = {(one.entry.stream, one.entry.seq): one.entry async for one in log.some([one[:2] for one in wanted])}
        positions: dict[int, int] = {}
        for one in wanted:
            entry = found.get((one.stream, one.seq))
            if entry is not None and one.epoch not in (None, entry.epoch):
                raise Rejected(reset("epoch", Cursor(entry.seq, entry.epoch)))
            if entry is not None:
                positions[entry.shard] = max(entry.pos, positions.get(entry.shard, 0))
        if len(found) == len({one[:2] for one in wanted}):
            return positions
        await step.wait()
