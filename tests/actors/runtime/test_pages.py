"""Pages of the log: aligned, shared, read once however many want them, and never staler than the question."""

from __future__ import annotations

import asyncio

import pytest

from actors.runtime.pages import PAGE_ENTRIES, Pages
from actors.runtime.publication import wire_json
from protocol.faults import NotApplied
from tests.actors.runtime.notes import add
from tests.actors.runtime.publications import seqs
from tests.actors.runtime.world import STREAM, World, a_world, accepted, settle


async def many(world: World, last: int) -> None:
    """Entries 1 to `last`."""
    for first in range(1, last + 1, 500):
        await asyncio.gather(*(world.send(add(number)) for number in range(first, min(first + 500, last + 1))))


async def test_a_page_ends_at_its_boundary_and_the_next_begins_there() -> None:
    async with a_world() as world:
        await many(world, PAGE_ENTRIES + 10)
        pages = Pages(world.journal, 1 << 30)
        assert seqs(await pages.after(STREAM, 0)) == list(range(1, PAGE_ENTRIES + 1))
        assert seqs(await pages.after(STREAM, 250)) == list(range(251, PAGE_ENTRIES + 1))
        assert seqs(await pages.after(STREAM, PAGE_ENTRIES)) == list(range(PAGE_ENTRIES + 1, PAGE_ENTRIES + 11))
        assert await pages.after(STREAM, PAGE_ENTRIES + 10) == []
        assert pages.reads == 3
        for seq in (1, PAGE_ENTRIES, PAGE_ENTRIES + 1):
            found = await pages.at(STREAM, seq)
            assert found is not None
            assert found.entry.seq == seq
        assert await pages.at(STREAM, 999) is None


async def test_a_thousand_askers_cost_one_read() -> None:
    async with a_world() as world:
        await many(world, 10)
        pages = Pages(world.journal, 1 << 30)
        answers = await asyncio.gather(*(pages.after(STREAM, 3) for _ in range(1_000)))
        assert {tuple(seqs(answer) or ()) for answer in answers} == {(4, 5, 6, 7, 8, 9, 10)}
        assert (pages.reads, len(world.journal.pages)) == (1, 1)


async def test_the_newest_page_is_read_again_when_it_does_not_reach() -> None:
    async with a_world() as world:
        await many(world, 5)
        pages = Pages(world.journal, 1 << 30)
        await pages.after(STREAM, 0)
        await world.given(1, first=6)
        assert seqs(await pages.after(STREAM, 3)) == [4, 5]
        assert seqs(await pages.after(STREAM, 5)) == [6]
        assert pages.reads == 2


async def test_a_read_that_began_before_the_entry_was_there_is_not_the_last_word() -> None:
    async with a_world() as world:
        await many(world, 5)
        pages = Pages(world.journal, 1 << 30)
        world.journal.reads_wait_for = asyncio.Event()
        early = asyncio.ensure_future(pages.after(STREAM, 5))
        await settle()
        accepted(await world.send(add(6)))
        late = [asyncio.ensure_future(pages.after(STREAM, 5)) for _ in range(3)]
        await settle()
        world.journal.reads_wait_for.set()
        assert await early == []
        assert [seqs(answer) for answer in await asyncio.gather(*late)] == [[6]] * 3
        assert pages.reads == 2


async def test_the_cache_is_bounded_and_keeps_what_was_used_last() -> None:
    async with a_world() as world:
        for name in "abc":
            await world.given(1, f"notes/{name}")
        (size_bytes,) = {(await Pages(world.journal, 1).after(f"notes/{name}", 0))[0].size_bytes for name in "abc"}
        world.journal.pages.clear()
        pages = Pages(world.journal, 2 * size_bytes)
        for name in "abacb":
            await pages.after(f"notes/{name}", 0)
        assert [stream for stream, _ in world.journal.pages] == ["notes/a", "notes/b", "notes/c", "notes/b"]


async def test_a_page_that_could_not_be_read_is_read_anew() -> None:
    async with a_world() as world:
        await many(world, 2)
        pages = Pages(world.journal, 1 << 30)
        world.journal.away = True
        for answer in await asyncio.gather(*(pages.after(STREAM, 0) for _ in range(3)), return_exceptions=True):
            assert isinstance(answer, NotApplied)
        world.journal.away = False
        assert seqs(await pages.after(STREAM, 0)) == [1, 2]


async def test_an_asker_that_goes_away_takes_nobody_with_it() -> None:
    async with a_world() as world:
        await many(world, 2)
        pages = Pages(world.journal, 1 << 30)
        world.journal.reads_wait_for = asyncio.Event()
        first, second = (asyncio.ensure_future(pages.after(STREAM, 0)) for _ in range(2))
        await settle()
        first.cancel()
        world.journal.reads_wait_for.set()
        assert seqs(await second) == [1, 2]
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_what_is_read_back_is_what_was_published() -> None:
    async with a_world() as world:
        published = []
        world.feeds.publish = lambda stream, publications: published.extend(publications)  # type: ignore[method-assign]
        await many(world, 3)
        assert wire_json(await world.feeds.pages.after(STREAM, 0)) == wire_json(published)
