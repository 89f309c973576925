"""Due timers over either table: a stream that takes none of its own keeps nobody else's from firing."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest

from actors.project.decider import ProjectActor
from actors.project.due_dates import REMINDER
from actors.runtime.rejections import STREAM_HALTED
from actors.runtime.request import Accepted, Outcome, Request
from actors.runtime.shards import ShardTable
from actors.runtime.stuck_streams import StuckStreams
from actors.runtime.timers import TIMERS_PER_ROUND_MAX, TimerService
from protocol.cursors import START
from protocol.log import ClaimedShard, shard_of
from storage.ports import TimerWrite
from tests.contracts.entries import AT, stream_on
from tests.contracts.storages import Storage

HALTED = [stream_on(3, number) for number in range(4)]
OTHER = stream_on(9)
LATER = "2026-02-01T00:00:00.000Z"


def reminder(number: int) -> str:
    """The name of the timer of a task."""
    return f"{REMINDER}{UUID(int=number)}"


class Standing:
    """A clock that stands at a time when all is due."""

    def now(self) -> str:
        return LATER

    def monotonic_s(self) -> float:
        return 0.0


class Answers:
    """A router to streams of which some are halted."""

    def __init__(self) -> None:
        # The streams that were asked, one after the other.
        self.asked: list[str] = []

    def command(self, request: Request) -> asyncio.Future[Outcome]:
        self.asked.append(request.stream)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        answer.set_result(STREAM_HALTED if request.stream in HALTED else Accepted(START, LATER, {}))
        return answer


@pytest.mark.parametrize("remembered_max", [1_000, 0])
async def test_a_healthy_stream_fires_behind_all_timers_of_halted_ones(
    storage: Storage, remembered_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.runtime.timers.StuckStreams", lambda: StuckStreams(remembered_max))
    early = [TimerWrite(stream, reminder(number), AT, 1) for stream in HALTED for number in range(TIMERS_PER_ROUND_MAX)]
    async with storage.transactions.transaction() as transaction:
        await storage.timer_table.write(transaction, [*early, TimerWrite(OTHER, reminder(0), LATER, 1)])
    shards = ShardTable("session")
    for shard in {shard_of(HALTED[0]), shard_of(OTHER)}:
        shards.claimed(ClaimedShard(shard, 1, 0))
    router, clock = Answers(), cast("Any", Standing())
    service = TimerService([ProjectActor()], storage.timers, cast("Any", router), shards, clock, 10.0)
    assert sum([await service.fire_due() for _ in range(len(HALTED) + 1)]) == 1
    assert router.asked == [*sorted(HALTED), OTHER]
    assert {timer.stream for timer in await storage.timers.due([3, 9], LATER, 1_000)} == set(HALTED)
