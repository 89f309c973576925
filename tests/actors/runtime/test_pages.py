"""Pages of the log: aligned, shared, read once however many want them, and never staler than the question."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest

from actors.runtime.pages import PAGE_ENTRIES, PAGES_KEPT_MIN, Pages
from actors.runtime.publication import KEPT_PER_PAYLOAD_BYTE, wire_json
from protocol.faults import NotApplied
from protocol.messages import UnreadableEvent
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


async def large(world: World, last: int) -> int:
    """Entries 1 to `last`, of the same size; bytes of a cache whose pages have three of them each."""
    for number in range(1, last + 1):
        accepted(await world.send(add(number, "x" * 2_000)))
    (payload_bytes,) = {len(entry.payload) for entry in world.journal.entries()}
    return 3 * payload_bytes * PAGES_KEPT_MIN * KEPT_PER_PAYLOAD_BYTE


async def test_pages_of_large_entries_are_read_once_by_readers_in_different_runs() -> None:
    async with a_world() as world:
        bytes_max = await large(world, 2 * PAGE_ENTRIES)
        pages = Pages(world.journal, bytes_max)
        begins = (0, PAGE_ENTRIES, PAGE_ENTRIES + 1)
        got: dict[int, list[int]] = {begin: [] for begin in begins}
        for step in range(PAGE_ENTRIES - 1):
            for begin in begins:  # each takes one entry at a time
                got[begin].append((await pages.after(STREAM, begin + step))[0].entry.seq)
        assert all(got[begin] == list(range(begin + 1, begin + PAGE_ENTRIES)) for begin in begins)
        assert pages.reads <= 2 * math.ceil(PAGE_ENTRIES / 3), "a page was read twice"


async def test_an_entry_larger_than_a_page_is_one() -> None:
    async with a_world() as world:
        await large(world, 4)
        pages = Pages(world.journal, 1)
        assert [seqs(await pages.after(STREAM, seq)) for seq in range(5)] == [[1], [2], [3], [4], []]
        assert [seqs(await pages.up_to(STREAM, seq)) for seq in (4, 1, 5)] == [[4], [1], []]


async def test_who_stand_in_different_pages_of_one_run_get_each_their_own() -> None:
    async with a_world() as world:
        bytes_max = await large(world, 12)
        pages = Pages(world.journal, bytes_max)
        answers = await asyncio.gather(*(pages.after(STREAM, seq) for seq in [*range(12), 12, *range(12)]))
        firsts = [answer[0].entry.seq if answer else None for answer in answers]
        assert firsts == [*range(1, 13), None, *range(1, 13)]
        assert pages.reads == 5
        assert [publication.entry.seq for publication in await pages.up_to(STREAM, 5)] == [4, 5]
        assert pages.reads == 5


async def test_the_newest_page_grows_and_the_next_begins_where_it_ends() -> None:
    async with a_world() as world:
        bytes_max = await large(world, 1)
        pages = Pages(world.journal, bytes_max)
        for seq in range(2, 9):
            assert await pages.after(STREAM, seq - 1) == []
            accepted(await world.send(add(seq, "x" * 2_000)))
            assert seqs(await pages.after(STREAM, seq - 1)) == [seq]
        kept = [seqs(await pages.up_to(STREAM, seq)) for seq in (3, 6, 8)]
        assert kept == [[1, 2, 3], [4, 5, 6], [7, 8]]
        pages.forget(STREAM)
        reads = pages.reads
        assert seqs(await pages.after(STREAM, 0)) == [1, 2, 3]
        assert pages.reads == reads + 1


async def test_damage_ends_the_page_in_which_it_is_and_no_other() -> None:
    async with a_world() as world:
        bytes_max = await large(world, 9)
        entries = world.journal.entries()
        good, entries[4] = entries[4], replace(entries[4], payload=b"\xc1" + entries[4].payload[1:])
        pages = Pages(world.journal, bytes_max)
        assert seqs(await pages.after(STREAM, 3)) == [4]
        assert (pages.readable_to(STREAM, 3), pages.readable_to(STREAM, 4)) == (4, 4)
        for seq in (4, 5):
            with pytest.raises(UnreadableEvent, match="entry 5"):
                await pages.after(STREAM, seq)
        assert seqs(await pages.after(STREAM, 6)) == [7, 8, 9]
        assert pages.readable_to(STREAM, 6) is None
        entries[4] = good
        gone = entries.pop(5)
        pages.forget(STREAM)
        with pytest.raises(UnreadableEvent, match="entry 6 is missing"):
            await pages.after(STREAM, 5)
        entries.insert(5, gone)


async def test_single_entries_are_read_in_pieces_as_far_as_they_are_asked_for() -> None:
    async with a_world() as world:
        for number in range(1, 11):
            accepted(await world.send(add(number, "x" * 15_000)))
        pages = Pages(world.journal, 1 << 30)
        places = [(STREAM, seq) for seq in (10, 3, 99, 7, 1, 2, 4, 5, 6, 8, 9)] + [(STREAM, 10), ("notes/none", 1)]
        expected = [seq for _, seq in places[:11] if seq != 99]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("actors.runtime.pages.SOME_BYTES", 40_000)
            assert [one.entry.seq async for one in pages.some(places)] == expected
            assert world.journal.found == [[10, 3, 7], [1, 2, 4], [5, 6, 8], [9]]
            world.journal.found.clear()
            async for _ in pages.some(places):
                break
            assert world.journal.found == [[10, 3, 7]]
        assert [one.entry.seq async for one in pages.some([])] == []


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
