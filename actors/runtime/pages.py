"""Pages of the log for followers who are behind the ring: aligned, shared, and read once however many want them.

Entries never change, so a page that was read stays true; only the newest one can still grow.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial

from actors.ports import Journal
from actors.runtime.publication import Publication, publication_of

PAGE_ENTRIES = 256


class Pages:
    """A cache with a budget in bytes. After a restart, a thousand clients at one cursor cost one read."""

    def __init__(self, journal: Journal, bytes_max: int) -> None:
        self._journal = journal
        self._bytes_max = bytes_max
        # (stream, page number) → entries, least recently used first; their sizes add up to `_bytes`.
        self._pages: OrderedDict[tuple[str, int], list[Publication]] = OrderedDict()
        self._bytes = 0
        # Reads that are under way.
        self._reading: dict[tuple[str, int], asyncio.Task[list[Publication]]] = {}
        # How many pages were read from the log, for the metrics.
        self.reads = 0

    async def after(self, stream: str, seq: int) -> list[Publication]:
        """The entries after `seq` up to the end of their page; empty at the end of the stream. Raises StorageFault."""
        number = seq // PAGE_ENTRIES
        page = self._pages.get((stream, number))
        if page is None or not _reaches(page, seq):
            page = await self._read_beyond(stream, number, seq)
        else:
            self._pages.move_to_end((stream, number))
        return [publication for publication in page if publication.entry.seq > seq]

    async def at(self, stream: str, seq: int) -> Publication | None:
        """The entry with this seq (≥ 1), if there is one. Raises StorageFault."""
        entries = await self.after(stream, seq - 1)
        return entries[0] if entries and entries[0].entry.seq == seq else None

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
        page = [publication_of(entry) for entry in entries]
        self._keep((stream, number), page)
        return page

    def _keep(self, key: tuple[str, int], page: list[Publication]) -> None:
        self._bytes -= _size(self._pages.pop(key, []))
        self._pages[key] = page
        self._bytes += _size(page)
        while self._bytes > self._bytes_max and len(self._pages) > 1:
            self._bytes -= _size(self._pages.popitem(last=False)[1])


def _reaches(page: list[Publication], seq: int) -> bool:
    return bool(page) and page[-1].entry.seq > seq


def _size(page: list[Publication]) -> int:
    return sum(publication.size_bytes for publication in page)
