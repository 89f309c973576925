"""The loop of a consumer: every entry once and in order, from memory when it can be, from the table when it must."""

from __future__ import annotations

import asyncio
import math

import pytest

from server.consumers.feed import FeedLimits
from server.consumers.runner import LogGap
from tests.server.consumers.given import DEADLINE_S, NOW, Effect, FakeLog, a_scene, entry_at

LATER = "2026-03-01T12:01:00.000Z"


async def test_what_was_there_before_is_read_from_the_table_and_the_rest_comes_from_memory() -> None:
    log = FakeLog()
    for _ in range(500):
        log.commit(3)
    async with a_scene(log=log) as scene:
        await scene.caught_up({3: 500})
        reads = log.reads
        for _ in range(300):
            scene.runner.offer([log.commit(3)])
        await scene.caught_up({3: 800})
        assert scene.effect.seen(3) == list(range(1, 801))
        assert log.reads - reads <= 128, "the table was read although everything was offered"
        assert (scene.runner.position(3), scene.runner.lag(3), scene.runner.behind_s(3, NOW)) == (800, 0, 0.0)


async def test_an_overflow_is_caught_up_from_the_table() -> None:
    limits = FeedLimits(entries_per_shard_max=10)
    async with a_scene(feed=limits) as scene:
        for _ in range(95):
            scene.runner.offer([scene.log.commit(7)])
        await scene.caught_up({7: 95})
        assert scene.effect.seen(7) == list(range(1, 96))


async def test_payloads_in_memory_are_bounded_over_all_shards() -> None:
    limits = FeedLimits(payload_bytes_max=1_000)
    async with a_scene(feed=limits) as scene:
        for shard in range(20):
            for _ in range(10):
                scene.runner.offer([scene.log.commit(shard, payload=b"x" * 90)])
                assert scene.runner.feed.payload_bytes <= 1_000 + 90 * 20
        await scene.caught_up(dict.fromkeys(range(20), 10))
        assert all(scene.effect.seen(shard) == list(range(1, 11)) for shard in range(20))


async def test_a_last_entry_that_was_never_offered_is_found_by_the_head() -> None:
    async with a_scene() as scene:
        scene.runner.offer([scene.log.commit(1)])
        await scene.caught_up({1: 1})
        scene.log.commit(1)
        scene.runner.feed.tell_head(1, 2)
        assert scene.runner.lag(1) == 1
        await scene.caught_up({1: 2})
        assert scene.effect.seen(1) == [1, 2]


async def test_who_waits_for_an_entry_that_was_never_offered_gets_it_looked_for() -> None:
    async with a_scene() as scene:
        scene.runner.offer([scene.log.commit(1)])
        await scene.caught_up({1: 1})
        scene.log.commit(1)
        await scene.caught_up({1: 2})
        assert scene.effect.seen(1) == [1, 2]


async def test_a_gap_in_what_is_offered_is_filled_from_the_table() -> None:
    async with a_scene() as scene:
        first, _, third = (scene.log.commit(1) for _ in range(3))
        scene.runner.offer([first])
        scene.runner.offer([third])
        scene.runner.offer([third])
        await scene.caught_up({1: 3})
        assert scene.effect.seen(1) == [1, 2, 3]


async def test_many_shards_share_a_batch_and_a_busy_one_keeps_nobody_waiting() -> None:
    log = FakeLog()
    for _ in range(1_000):
        log.commit(0)
    for shard in range(1, 6):
        log.commit(shard)
    async with a_scene(log=log, batch=50) as scene:
        await scene.caught_up({0: 1_000, **dict.fromkeys(range(1, 6), 1)})
        early = [entry.shard for batch in scene.effect.batches[:3] for entry in batch]
        assert set(range(6)) <= set(early)


async def test_a_batch_of_large_entries_ends_by_bytes_and_loses_none_of_them() -> None:
    log = FakeLog()
    for _ in range(20):
        log.commit(3, payload=b"x" * 400)
        log.commit(4, payload=b"x" * 3_000)
    async with a_scene(log=log, batch_bytes=1_000) as scene:
        await scene.caught_up({3: 20, 4: 20})
        for _ in range(20):
            scene.runner.offer([log.commit(3, payload=b"x" * 400)])
        await scene.caught_up({3: 40})
        assert (scene.effect.seen(3), scene.effect.seen(4)) == (list(range(1, 41)), list(range(1, 21)))
        assert max(sum(len(entry.payload) for entry in batch[:-1]) for batch in scene.effect.batches) < 1_000


async def test_what_a_read_left_for_its_bytes_is_read_next_though_nobody_told_of_it() -> None:
    log = FakeLog()
    for _ in range(5):
        log.commit(3)
    async with a_scene(log=log, batch_bytes=1) as scene, asyncio.timeout(DEADLINE_S):
        while scene.runner.position(3) < 5:
            await scene.runner.next_step.wait()
        assert [len(batch) for batch in scene.effect.batches] == [1] * 5


async def test_faults_of_the_storage_are_waited_out_with_growing_pauses() -> None:
    effect, log = Effect(faults=4), FakeLog(faults=3)
    async with a_scene(effect=effect, log=log) as scene:
        for _ in range(10):
            scene.runner.offer([log.commit(5)])
        await scene.caught_up({5: 10})
        assert effect.seen(5) == list(range(1, 11))
        assert scene.slept_s == [0.1, 0.2, 0.4, 0.5, 0.5, 0.5, 0.5]
        assert scene.runner.failures == 0


@pytest.mark.parametrize("in_time_max", [1, 30])
async def test_a_batch_that_takes_too_long_is_tried_in_smaller_parts(in_time_max: int) -> None:
    effect, log = Effect(in_time_max=in_time_max), FakeLog()
    for _ in range(100):
        log.commit(5)
    async with a_scene(effect=effect, log=log) as scene:
        await scene.caught_up({5: 100})
        assert effect.seen(5) == list(range(1, 101))
        assert scene.runner.failures == 0


async def test_batches_grow_again_up_to_the_limit() -> None:
    effect, log = Effect(faults=20), FakeLog()
    for _ in range(100):
        log.commit(5)
    async with a_scene(effect=effect, log=log, batch=20) as scene:
        await scene.caught_up({5: 100})
        assert [len(batch) for batch in effect.batches] == [1, 2, 4, 8, 16, 20, 20, 20, 9]


async def test_an_entry_that_always_takes_too_long_keeps_no_other_shard_waiting() -> None:
    effect, log = Effect(too_slow=frozenset({(2, 4)})), FakeLog()
    for shard in (1, 2, 3) * 10:
        log.commit(shard)
    async with a_scene(effect=effect, log=log) as scene:
        await scene.caught_up({1: 10, 2: 3, 3: 10})
        for shard in (1, 2, 3):
            scene.runner.offer([log.commit(shard)])
        await scene.caught_up({1: 11, 3: 11})
        assert (effect.seen(2), scene.runner.stalled) == ([1, 2, 3], {})


async def test_a_lost_answer_doubles_nothing() -> None:
    effect = Effect(unknown_outcomes=3)
    async with a_scene(effect=effect) as scene:
        for _ in range(30):
            scene.runner.offer([scene.log.commit(5)])
        await scene.caught_up({5: 30})
        assert effect.seen(5) == list(range(1, 31))


async def test_a_rival_that_moved_the_checkpoint_is_believed() -> None:
    async with a_scene() as scene:
        for _ in range(5):
            scene.runner.offer([scene.log.commit(5)])
        await scene.caught_up({5: 5})
        for _ in range(5):
            scene.log.commit(5)
        scene.effect.positions_now[5] = 8
        scene.runner.feed.tell_head(5, 10)
        await scene.caught_up({5: 10})
        assert scene.effect.seen(5) == [1, 2, 3, 4, 5, 9, 10]


async def test_an_entry_that_cannot_be_read_stops_its_shard_and_no_other() -> None:
    effect, log = Effect(unreadable=frozenset({(2, 4)})), FakeLog()
    for shard in (1, 2, 3):
        for _ in range(6):
            log.commit(shard)
    async with a_scene(effect=effect, log=log) as scene:
        assert await scene.caught_up({1: 6, 2: 3, 3: 6}) == frozenset()
        assert await scene.caught_up({1: 6, 2: 4, 3: 6}) == {2}
        scene.runner.offer([log.commit(2)])
        scene.runner.offer([log.commit(3)])
        await scene.caught_up({3: 7})
        assert effect.seen(2) == [1, 2, 3]
        assert set(scene.runner.stalled) == {2}
        assert scene.runner.lag(2) == 4
        assert scene.runner.behind_s(2, LATER) == 60.0
        assert await scene.caught_up({2: 7, 3: 7}) == {2}, "a new entry behind it changes nothing"


async def test_a_shard_that_stands_still_since_before_the_start_lags() -> None:
    effect, log = Effect(unreadable=frozenset({(2, 4)})), FakeLog()
    for _ in range(4):
        log.commit(2)
    log.commit(1)
    effect.positions_now[2] = 3
    async with a_scene(effect=effect, log=log) as scene:
        assert await scene.caught_up({1: 1, 2: 4}) == {2}
        assert (scene.runner.lag(2), scene.runner.behind_s(2, LATER)) == (1, 60.0)


async def test_nothing_is_built_on_a_hole_in_the_log() -> None:
    log = FakeLog()
    log.entries[9] = [entry_at(9, 1), entry_at(9, 3)]
    async with a_scene(log=log) as scene, asyncio.timeout(DEADLINE_S):
        with pytest.raises(LogGap):
            await scene.task
        assert scene.effect.batches == []


async def test_how_far_behind_is_not_known_before_the_checkpoints_are() -> None:
    async with a_scene() as scene:
        assert scene.runner.behind_s(1, NOW) == math.inf
