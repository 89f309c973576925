"""Stretches of one stream's log for a reader, as far as the reader may see it now."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from actors.ports import Clock
from actors.runtime.feeds import Feeds
from actors.runtime.pages import Reason
from actors.runtime.publication import Publication
from actors.runtime.rejections import STREAM_HALTED
from protocol.cursors import Cursor
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.messages import UnreadableEvent

log = logging.getLogger("pantherahive.log_reads")


@dataclass(frozen=True, slots=True)
class LogStretch:
    """Entries without a gap. `cursor` is where they end, `head` where the stream stood when it was asked.

    `halted`: the log cannot be read beyond `cursor`.
    """

    entries: Sequence[Publication]
    cursor: Cursor
    head: Cursor
    halted: bool = False

    @property
    def has_more(self) -> bool:
        return self.cursor.seq < self.head.seq and not self.halted


@dataclass(frozen=True, slots=True)
class StretchMax:
    """How long a stretch may be: it ends at the first bound, after one entry at least."""

    entries: int
    encoded_bytes: int


class LogReads:
    """Reads the pages that followers share, with the permission of the moment in which the answer is complete."""

    def __init__(self, feeds: Feeds, size_of: Callable[[Publication], int], clock: Clock, deadline_s: float) -> None:
        self._feeds = feeds
        self._clock = clock
        self._deadline_s = deadline_s
        # Bytes of an entry as it will be sent.
        self._size_of = size_of

    async def after(
        self, principal: Principal, stream: str, place: Cursor | int, stretch: StretchMax
    ) -> LogStretch | Rejection:
        """The entries after a cursor, or after a seq. `conflict` says why a place is none of this stream's history.

        Permission is judged before and after the log is read: who was removed meanwhile gets nothing. Raises
        StorageFault.
        """
        head = await self.head(principal, stream)
        if isinstance(head, Rejection):
            return head
        try:
            cursor = place if isinstance(place, Cursor) else await self._feeds.cursor_at(stream, place)
            reason = await self._feeds.pages.distrust(stream, cursor)
            if reason is None and cursor.seq > head.seq:
                reason = "ahead"  # a halted stream's log goes on beyond its state
            if reason is not None:
                return await self._refused(principal, stream, reason)
            found = await self._read(stream, cursor, head, stretch)
        except UnreadableEvent:
            log.exception("an unreadable part of %s was asked for", stream)
            return STREAM_HALTED
        still = await self.head(principal, stream)
        return still if isinstance(still, Rejection) else found

    async def page_before(self, stream: str, before: int) -> Sequence[Publication]:
        """Entries below a seq that the stream has reached, the newest first, down to where their page begins.

        Whose business they are is the caller's question. Raises StorageFault, and Rejected for a damaged log.
        """
        if before <= 1:
            return []
        try:
            return list(reversed(await self._feeds.pages.up_to(stream, before - 1)))
        except UnreadableEvent as damage:
            log.exception("an unreadable part of %s was asked for", stream)
            raise Rejected(STREAM_HALTED) from damage

    async def some(self, places: Sequence[tuple[str, int]]) -> AsyncIterator[Publication]:
        """The entries at these (stream, seq), in this order, without those that are not there.

        Whose business they are is the caller's question. Raises StorageFault, and Rejected for a damaged one.
        """
        try:
            async for publication in self._feeds.pages.some(places):
                yield publication
        except UnreadableEvent as damage:
            log.exception("an unreadable entry was asked for")
            raise Rejected(STREAM_HALTED) from damage

    def size_of(self, publication: Publication) -> int:
        """Bytes of an entry as it is sent."""
        return self._size_of(publication)

    async def head(self, principal: Principal, stream: str) -> Cursor | Rejection:
        """Where the stream stands, for those who may follow it now."""
        return await self._feeds.permitted(principal, stream, self._clock.monotonic_s() + self._deadline_s)

    async def _refused(self, principal: Principal, stream: str, reason: Reason) -> Rejection:
        head = await self.head(principal, stream)
        return head if isinstance(head, Rejection) else reset(reason, head)

    async def _read(self, stream: str, cursor: Cursor, head: Cursor, stretch: StretchMax) -> LogStretch:
        """What of the stretch can be read; what comes after a damage cannot. Raises UnreadableEvent for nothing."""
        taken: list[Publication] = []
        size, seq, end = 0, cursor.seq, cursor
        while seq < head.seq and len(taken) < stretch.entries:
            try:
                page = await self._feeds.pages.after(stream, seq)
            except UnreadableEvent:
                if not taken:
                    raise
                return LogStretch(taken, end, head, halted=True)
            if not page:
                break
            for publication in page:
                size += self._size_of(publication)
                too_far = publication.entry.seq > head.seq or len(taken) >= stretch.entries
                if too_far or (taken and size > stretch.encoded_bytes):
                    return LogStretch(taken, end, head)
                taken.append(publication)
                seq, end = publication.entry.seq, publication.cursor
        return LogStretch(taken, end, head)


def reset(reason: Reason, head: Cursor) -> Rejection:
    """What the client has does not belong to this stream: it begins anew, from 0 or from the state."""
    return Rejection(
        ErrorCode.CONFLICT,
        "the cursor does not belong to this stream's history; drop what you have and begin anew",
        {"reason": reason, "cursor": str(head)},
    )
