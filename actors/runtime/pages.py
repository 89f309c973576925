"""Pages of the log for followers who are behind the ring: aligned, shared, and read once however many want them.

Entries never change, so a page that was read stays true; only the newest one can still grow. The exceptions are the
repair of a halted stream and the erasure of a purged one: what was read of it before is forgotten.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from actors.ports import Journal
from actors.runtime.publication import KEPT_PER_PAYLOAD_BYTE, Publication, publication_of
from protocol.cursors import START, Cursor
from protocol.log import Entry, is_cut
from protocol.messages import UnreadableEvent

PAGE_ENTRIES = 256
"""Pages begin anew after every run of so many entries."""
PAGES_KEPT_MIN = 16
"""Pages of large entries end by bytes, so that about as many as these are kept: readers stand in different ones."""
SOME_BYTES = 1 << 20
"""Single entries are read in pieces of about so many bytes: who asks for many of them may have enough before."""

Reason = Literal["behind", "epoch", "ahead", "cursor"]
"""Why a client cannot simply go on from its cursor."""


@dataclass(frozen=True, slots=True)
class Page:
    """Entries without a gap from `first_seq` on.

    `entries_end`: the last seq that was read, readable or not; None where the run had nothing after who asked for it.
    `broken`: why the page ends before that.
    """

    first_seq: int
    publications: list[Publication]
    entries_end: int | None
    broken: str | None

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.publications) - 1

    @property
    def size_bytes(self) -> int:
        return sum(publication.size_bytes for publication in self.publications)

    def tells_of(self, seq: int) -> bool:
        """Whether it has the entry after `seq`, or says that there is none to be had."""
        return self.first_seq <= seq + 1 and (self.entries_end is None or seq < self.entries_end)


class Pages:
    """A cache with a budget in bytes. After a restart, a thousand clients at one cursor cost one read."""

    def __init__(self, journal: Journal, bytes_max: int) -> None:
        self._journal = journal
        self._bytes_max = bytes_max
        # Payload bytes of a page: as many as let the cache hold a good number of pages, whatever entries they have.
        self._page_bytes = max(1, bytes_max // (PAGES_KEPT_MIN * KEPT_PER_PAYLOAD_BYTE))
        # (stream, seq where it begins) → page, least recently used first; their sizes add up to `_bytes`.
        self._pages: OrderedDict[tuple[str, int], Page] = OrderedDict()
        self._bytes = 0
        # (stream, number of the run) → where the pages that are kept of it begin, ascending.
        self._beginnings: dict[tuple[str, int], list[int]] = {}
        # Reads that are under way, one at a time of a run.
        self._reading: dict[tuple[str, int], asyncio.Task[Page]] = {}
        # How many pages were read from the log, for the metrics.
        self.reads = 0

    async def after(self, stream: str, seq: int) -> list[Publication]:
        """The entries after `seq` up to the end of their page; empty at the end of the stream.

        A page ends before an entry that cannot be read, or that is missing. Raises StorageFault, and UnreadableEvent
        when nothing that is asked for comes before such an entry.
        """
        page = await self._page(stream, seq)
        return page.publications[seq + 1 - page.first_seq :]

    async def up_to(self, stream: str, seq: int) -> list[Publication]:
        """The entries from the beginning of its page to the one with this seq (≥ 1); empty when there is none.

        Raises StorageFault, UnreadableEvent.
        """
        page = await self._page(stream, seq - 1)
        return page.publications[: seq + 1 - page.first_seq] if seq <= page.last_seq else []

    async def at(self, stream: str, seq: int) -> Publication | None:
        """The entry with this seq (≥ 1), if there is one. Raises StorageFault, UnreadableEvent."""
        entries = await self.up_to(stream, seq)
        return entries[-1] if entries else None

    async def some(self, places: Sequence[tuple[str, int]]) -> AsyncIterator[Publication]:
        """The entries at these (stream, seq), in this order; those that are not there are left out. Kept nowhere.

        They are read as far as they are asked for, but for SOME_BYTES. Raises StorageFault, UnreadableEvent.
        """
        rest = list(dict.fromkeys(places))
        while rest:
            found = list((await self._journal.find_entries(rest, SOME_BYTES)).values())
            for entry in found:
                yield publication_of(entry)
            if not is_cut(found, len(rest), SOME_BYTES):
                return
            rest = rest[rest.index((found[-1].stream, found[-1].seq)) + 1 :]

    async def distrust(self, stream: str, cursor: Cursor) -> Reason | None:
        """Why a cursor does not belong to this stream's history; None when it does. Raises UnreadableEvent."""
        if cursor == START:
            return None
        if cursor.seq == 0:
            return "epoch"
        known = await self.at(stream, cursor.seq)
        if known is None:
            return "ahead"
        return None if known.entry.epoch == cursor.epoch else "epoch"

    async def cursor_at(self, stream: str, seq: int) -> Cursor:
        """The cursor of a seq. One that the stream has not reached gets an epoch that no entry has.

        Raises StorageFault, UnreadableEvent.
        """
        known = await self.at(stream, seq) if seq else None
        return Cursor(seq, 0) if known is None else known.cursor

    def readable_to(self, stream: str, seq: int) -> int | None:
        """Where the readable part of the page that comes after `seq` ends; None when no damage is known of."""
        page = self._kept(stream, seq)
        return None if page is None or page.broken is None or not page.tells_of(seq) else page.last_seq

    def forget(self, stream: str) -> None:
        """Drops what was read of a stream."""
        for key in [key for key in self._pages if key[0] == stream]:
            self._drop(key)

    async def _page(self, stream: str, seq: int) -> Page:
        page = self._kept(stream, seq)
        if page is not None and page.last_seq > seq:
            self._pages.move_to_end((stream, page.first_seq))
            return page
        page = await self._read_beyond(stream, seq)
        if page.last_seq <= seq and page.broken is not None:
            raise UnreadableEvent(page.broken)
        return page

    def _kept(self, stream: str, seq: int) -> Page | None:
        """The last page that is kept of those of its run that begin with the entry after `seq` or before it."""
        beginnings = self._beginnings.get((stream, seq // PAGE_ENTRIES), [])
        place = bisect_right(beginnings, seq + 1)
        return self._pages[stream, beginnings[place - 1]] if place else None

    async def _read_beyond(self, stream: str, seq: int) -> Page:
        """A read that was under way may have begun before the wanted entry was committed; then one more is needed."""
        under_way = self._reading.get((stream, seq // PAGE_ENTRIES))
        if under_way is not None:
            page = await asyncio.shield(under_way)
            if page.first_seq <= seq + 1 <= page.last_seq:
                return page
        page = await self._read(stream, seq)
        while not page.tells_of(seq):  # it was read for somebody who stands elsewhere in the same run
            page = await self._read(stream, seq)
        return page

    async def _read(self, stream: str, seq: int) -> Page:
        key = (stream, seq // PAGE_ENTRIES)
        task = self._reading.get(key)
        if task is None or task.done():
            task = asyncio.create_task(self._read_page(stream, seq), name="read page")
            self._reading[key] = task
            task.add_done_callback(partial(self._has_read, key))
        return await asyncio.shield(task)

    def _has_read(self, key: tuple[str, int], task: asyncio.Task[Page]) -> None:
        if self._reading.get(key) is task:
            del self._reading[key]
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; nobody has to

    async def _read_page(self, stream: str, seq: int) -> Page:
        self.reads += 1
        entries = await self._journal.read_page(stream, seq, PAGE_ENTRIES, self._page_bytes)
        page = _page_of(entries, seq)
        if entries:
            self._keep(stream, page)
        return page

    def _keep(self, stream: str, page: Page) -> None:
        key = (stream, page.first_seq)
        if key in self._pages:
            self._drop(key)
        self._pages[key] = page
        self._bytes += page.size_bytes
        insort(self._beginnings.setdefault(_run_of(key), []), page.first_seq)
        while self._bytes > self._bytes_max and len(self._pages) > 1:
            self._drop(next(iter(self._pages)))

    def _drop(self, key: tuple[str, int]) -> None:
        self._bytes -= self._pages.pop(key).size_bytes
        beginnings = self._beginnings[_run_of(key)]
        beginnings.remove(key[1])
        if not beginnings:
            del self._beginnings[_run_of(key)]


def _run_of(key: tuple[str, int]) -> tuple[str, int]:
    """The run of PAGE_ENTRIES in which the page lies that begins with this seq."""
    return key[0], (key[1] - 1) // PAGE_ENTRIES


def _page_of(entries: Sequence[Entry], seq: int) -> Page:
    """The page that was read for who has `seq`; none of it from the first entry on that is missing or unreadable."""
    if not entries:
        return Page(seq // PAGE_ENTRIES * PAGE_ENTRIES + 1, [], None, None)
    first_seq = min(seq + 1, entries[0].seq)
    publications: list[Publication] = []
    broken: str | None = None
    for wanted, entry in enumerate(entries, first_seq):
        if entry.seq != wanted:
            broken = f"{entry.stream}: entry {wanted} is missing"
            break
        try:
            publications.append(publication_of(entry))
        except UnreadableEvent as error:
            broken = f"{entry.stream}: entry {wanted}: {error}"
            break
    entries_end = entries[-1].seq if entries[-1].seq > seq else None
    return Page(first_seq, publications, entries_end, broken)
