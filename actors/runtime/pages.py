"""Pages of the log for followers who are behind the ring: aligned, shared, and read once however many want them.

Entries never change, so a page that was read stays true; only the newest one can still grow. The exceptions are the
repair of a halted stream and the erasure of a purged one: what was read of it before is forgotten.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Literal

from actors.ports import Journal
from actors.runtime.publication import Publication, publication_of
from protocol.cursors import START, Cursor
from protocol.log import Entry
from protocol.messages import UnreadableEvent

PAGE_ENTRIES = 256

Reason = Literal["behind", "epoch", "ahead", "cursor"]
"""Why a client cannot simply go on from its cursor."""


class Pages:
    """A cache with a budget in bytes. After a restart, a thousand clients at one cursor cost one read."""

    def __init__(self, journal: Journal, bytes_max: int) -> None:
        self._journal = journal
        self._bytes_max = bytes_max
        # (stream, page number) → entries, least recently used first; their sizes add up to `_bytes`.
        self._pages: OrderedDict[tuple[str, int], list[Publication]] = OrderedDict()
        self._bytes = 0
        # (stream, page number) → why the kept page ends too early.
        self._broken: dict[tuple[str, int], str] = {}
        # Reads that are under way.
        self._reading: dict[tuple[str, int], asyncio.Task[list[Publication]]] = {}
        # How many pages were read from the log, for the metrics.
        self.reads = 0

    async def after(self, stream: str, seq: int) -> list[Publication]:
        """The entries after `seq` up to the end of their page; empty at the end of the stream.

        A page ends before an entry that cannot be read, or that is missing. Raises StorageFault, and UnreadableEvent
        when nothing that is asked for comes before such an entry.
        """
        number = seq // PAGE_ENTRIES
        page = self._pages.get((stream, number))
        if page is None or not _reaches(page, seq):
            page = await self._read_beyond(stream, number, seq)
            if not _reaches(page, seq) and (broken := self._broken.get((stream, number))) is not None:
                raise UnreadableEvent(broken)
        else:
            self._pages.move_to_end((stream, number))
        return [publication for publication in page if publication.entry.seq > seq]

    async def at(self, stream: str, seq: int) -> Publication | None:
        """The entry with this seq (≥ 1), if there is one. Raises StorageFault, UnreadableEvent."""
        entries = await self.after(stream, seq - 1)
        return entries[0] if entries and entries[0].entry.seq == seq else None

    async def some(self, places: Sequence[tuple[str, int]]) -> list[Publication]:
        """The entries at these (stream, seq), in this order; those that are not there are left out. Kept nowhere.

        Raises StorageFault, UnreadableEvent.
        """
        found = await self._journal.find_entries(places)
        return [publication_of(found[place]) for place in places if place in found]

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
        key = (stream, seq // PAGE_ENTRIES)
        if key not in self._broken:
            return None
        page = self._pages[key]
        return page[-1].entry.seq if page else key[1] * PAGE_ENTRIES

    def forget(self, stream: str) -> None:
        """Drops what was read of a stream."""
        for key in [key for key in self._pages if key[0] == stream]:
            self._broken.pop(key, None)
            self._bytes -= _size(self._pages.pop(key))

    async def _read_beyond(self, stream: str, number: int, seq: int) -> list[Publication]:
        """A read that was under way may have begun before the wanted entry was committed; then one more is needed."""
        under_way = self._reading.get((stream, number))
        if under_way is not None:
            page = await asyncio.shield(under_way)
            if _reaches(page, seq):
                return page
        return await self._read(stream, number)

    async def _read(self, stream: str, number: int) -> list[Publication]:
        key = (stream, number)
        task = self._reading.get(key)
        if task is None or task.done():
            task = asyncio.create_task(self._read_page(stream, number), name="read page")
            self._reading[key] = task
            task.add_done_callback(partial(self._has_read, key))
        return await asyncio.shield(task)

    def _has_read(self, key: tuple[str, int], task: asyncio.Task[list[Publication]]) -> None:
        if self._reading.get(key) is task:
            del self._reading[key]
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; nobody has to

    async def _read_page(self, stream: str, number: int) -> list[Publication]:
        self.reads += 1
        entries = await self._journal.read(stream, number * PAGE_ENTRIES, PAGE_ENTRIES)
        page, broken = _readable(entries, number * PAGE_ENTRIES + 1)
        self._keep((stream, number), page, broken)
        return page

    def _keep(self, key: tuple[str, int], page: list[Publication], broken: str | None) -> None:
        self._broken.pop(key, None)
        if broken is not None:
            self._broken[key] = broken
        self._bytes -= _size(self._pages.pop(key, []))
        self._pages[key] = page
        self._bytes += _size(page)
        while self._bytes > self._bytes_max and len(self._pages) > 1:
            dropped, entries = self._pages.popitem(last=False)
            self._broken.pop(dropped, None)
            self._bytes -= _size(entries)


def _readable(entries: Sequence[Entry], first_seq: int) -> tuple[list[Publication], str | None]:
    """The entries from `first_seq` on without a gap, and why there are no more, if that is not the page's end."""
    page: list[Publication] = []
    for seq, entry in enumerate(entries, first_seq):
        if entry.seq != seq:
            return page, f"{entry.stream}: entry {seq} is missing"
        try:
            page.append(publication_of(entry))
        except UnreadableEvent as error:
            return page, f"{entry.stream}: entry {seq}: {error}"
    return page, None


def _reaches(page: list[Publication], seq: int) -> bool:
    return bool(page) and page[-1].entry.seq > seq


def _size(page: list[Publication]) -> int:
    return sum(publication.size_bytes for publication in page)
