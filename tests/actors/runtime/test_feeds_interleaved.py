"""Whatever comes in between: a follower gets a dense run, and a removed one nothing of what comes after."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.runtime.feeds import Joined
from protocol.cursors import START, Cursor
from protocol.members import AddMember, RemoveMember
from storage.memory.faulty import Hold
from tests.actors.runtime.notes import edit, person
from tests.actors.runtime.readers import DEADLINE_S, Reader, cursor_at
from tests.actors.runtime.world import STREAM, a_world, accepted, settle


async def followers_under_interleaving(seed: int) -> None:
    """Writers, joins, re-joins, slow reads, restarts and lost answers in a random order: everybody gets a dense run."""
    chance = random.Random(seed)
    limits: dict[str, Any] = {
        "ring_entries_max": chance.choice([1, 2, 5, 50]),
        "snapshot_every_entries": chance.choice([3, 50]),
    }
    async with a_world(lanes=chance.choice([1, 2]), **limits) as world:
        await world.given(chance.randint(1, 5))
        readers: list[tuple[Reader, Cursor | None]] = []
        tasks: list[asyncio.Task[None]] = []
        replies = []

        async def follow(reader: Reader, cursor: Cursor | None, start: list[int]) -> None:
            joined = await reader.join(cursor)
            start.append(joined.cursor.seq)
            for _ in range(chance.randint(0, 30)):
                await settle(chance.randint(0, 3))
                await reader.pull(joined.following, chance.randint(1, 3))
            await written.wait()
            await reader.pull(joined.following)

        starts: list[list[int]] = []
        written = asyncio.Event()
        for step in range(40):
            await settle(chance.randint(0, 4))
            match chance.randint(0, 5):
                case 0 | 1 | 2:
                    replies += [world.send(edit(1, f"{step} {n}")) for n in range(chance.randint(1, 4))]
                case 3:
                    world.journal.next(Hold(applied_first=chance.random() < 0.5)).release()
                case 4:
                    durable = len(world.journal.entries())
                    cursor = chance.choice([None, START, cursor_at(world, chance.randint(1, durable))])
                    reader, start = Reader(world, f"user {step}"), list[int]()
                    readers.append((reader, cursor))
                    starts.append(start)
                    tasks.append(asyncio.create_task(follow(reader, cursor, start)))
                case _:
                    world.region.passivate(STREAM)
        await asyncio.gather(*replies)
        written.set()
        await asyncio.gather(*tasks)
        head = len(world.journal.entries())
        for (reader, cursor), start in zip(readers, starts, strict=True):
            assert cursor is None or start == [cursor.seq]
            assert reader.got == list(range(start[0] + 1, head + 1))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32))
def test_every_follower_gets_a_dense_run_under_any_interleaving(seed: int) -> None:
    asyncio.run(followers_under_interleaving(seed))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32))
def test_nothing_after_a_removal_reaches_the_removed_under_any_interleaving(seed: int) -> None:
    asyncio.run(revocation_under_interleaving(seed))


async def revocation_under_interleaving(seed: int) -> None:
    """One member is removed in the middle of traffic while it joins, lags and catches up."""
    chance = random.Random(seed)
    async with a_world(ring_entries_max=chance.choice([1, 3, 50])) as world:
        accepted(await world.send(AddMember(user_id=person(1), role="member")))
        await world.given(chance.randint(1, 6))
        reader = Reader(world, person(1))
        removed: list[int] = []

        async def follow() -> None:
            for _ in range(6):
                cursor = chance.choice([None, START, cursor_at(world, 2)])
                joined = await world.feeds.join(reader, STREAM, cursor, DEADLINE_S)
                if not isinstance(joined, Joined):
                    return
                for _ in range(chance.randint(1, 5)):
                    await settle(chance.randint(0, 5))
                    before = len(reader.got)
                    await reader.pull(joined.following, chance.randint(1, 3))
                    if removed:
                        assert [seq for seq in reader.got[before:] if seq >= removed[0]] == []

        following = asyncio.create_task(follow())
        await settle(chance.randint(0, 40))
        traffic = [world.send(edit(1, str(n))) for n in range(chance.randint(0, 5))]
        removal = world.send(RemoveMember(user_id=person(1)))
        removal.add_done_callback(lambda reply: removed.append(accepted(reply.result()).cursor.seq))
        traffic += [world.send(edit(1, str(n))) for n in range(chance.randint(0, 5))]
        await asyncio.gather(removal, *traffic)
        await following
        assert all(seq < removed[0] for seq in reader.got)
        assert world.feeds.followers == 0
