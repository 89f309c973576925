"""How far a consumer is, as derived reads say it."""

from __future__ import annotations

import asyncio

import pytest

from actors.runtime.shards import ShardTable
from protocol.log import ClaimedShard
from server.derived_reads import ProjectedUntil
from tests.server.consumers.given import DEADLINE_S, NOW, Effect, a_scene

LATER = "2026-03-01T12:00:05.000Z"


def table(*shards: int) -> ShardTable:
    owned = ShardTable("tests")
    for shard in shards:
        owned.claimed(ClaimedShard(shard, 1, 0))
    return owned


async def test_who_has_everything_is_as_new_as_now() -> None:
    async with a_scene() as scene:
        entry = scene.log.commit(3)
        shards = table(3)
        shards.advanced(3, 1)
        until = ProjectedUntil(scene.runner, shards)
        scene.runner.offer([entry])
        assert await until.caught_up(DEADLINE_S) == frozenset()
        assert until.as_of(LATER) == LATER


async def test_a_shard_that_stands_still_is_as_old_as_what_it_stands_before() -> None:
    async with a_scene(effect=Effect(unreadable=frozenset({(3, 1)}))) as scene:
        scene.runner.offer([scene.log.commit(3)])
        until = ProjectedUntil(scene.runner, table(3, 4))
        assert await until.reached({3: 1}, DEADLINE_S) == {3}
        assert until.as_of(LATER) == NOW
        assert until.as_of(LATER, frozenset({3})) == LATER


async def test_a_position_beyond_the_head_is_waited_for_and_not_for_ever() -> None:
    async with a_scene() as scene:
        until = ProjectedUntil(scene.runner, table(3))
        with pytest.raises(TimeoutError):
            await until.caught_up(0.01, {3: 1})
        waiting = asyncio.ensure_future(until.caught_up(DEADLINE_S, {3: 1}))
        scene.runner.offer([scene.log.commit(3)])
        assert await waiting == frozenset()


async def test_every_step_is_told_once() -> None:
    async with a_scene() as scene:
        for pos in (1, 2):
            step = scene.runner.next_step
            scene.runner.offer([scene.log.commit(3)])
            async with asyncio.timeout(DEADLINE_S):
                while scene.runner.position(3) < pos:
                    await step.wait()
                    step = scene.runner.next_step
            assert step is scene.runner.next_step
            assert not step.is_set()
