"""What readiness is judged by."""

from __future__ import annotations

from typing import Any

import pytest

from actors.runtime.limits import RuntimeLimits
from actors.runtime.supervisor import Supervisor
from protocol.faults import NotApplied
from server.consumers.runner import Stall
from server.telemetry import Readiness
from server.vitals import Patience, Vitals


class FakePulse:
    """Answers unless told not to."""

    def __init__(self) -> None:
        self.silent = False
        self.is_lost = False
        self.closed = False

    async def feel(self) -> None:
        if self.silent:
            raise NotApplied("no answer within 2 s")
        self.is_lost = False

    def close(self) -> None:
        self.closed = True


class FakeConsumer:
    """A runner whose place is set by hand; one shard counts."""

    name = "projector"

    def __init__(self) -> None:
        self.reached, self.head, self.failures = 0, 0, 0
        self.stalled: dict[int, Stall] = {}

    def position(self, shard: int) -> int:
        return self.reached if shard == 0 else 0

    def lag(self, shard: int) -> int:
        return self.head - self.reached if shard == 0 else 0


class Clock:
    """Stands still."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> str:
        raise NotImplementedError

    def monotonic_s(self) -> float:
        return self.seconds


@pytest.fixture
def given() -> tuple[Vitals, FakePulse, FakeConsumer, Clock]:
    pulse, clock = FakePulse(), Clock()
    consumer: Any = FakeConsumer()
    return Vitals(pulse, lambda: 0.0, [consumer], clock, Patience()), pulse, consumer, clock


Given = tuple[Vitals, FakePulse, FakeConsumer, Clock]


async def test_the_log_has_to_take_entries() -> None:
    pending_s = 0.0
    vitals = Vitals(FakePulse(), lambda: pending_s, [], Clock(), Patience(append_stalled_after_s=5))
    assert await vitals.appends() is None
    pending_s = 5.0
    assert await vitals.appends() is None
    pending_s = 7.2
    assert await vitals.appends() == "the log takes no entries: the oldest has been waiting for 7 s"


async def test_the_database_has_to_answer(given: Given) -> None:
    vitals, pulse, _, _ = given
    assert await vitals.database() == "the database has not been asked yet"
    await vitals.look()
    assert await vitals.database() is None
    pulse.silent = True
    await vitals.look()
    assert await vitals.database() == "the database does not answer"
    pulse.silent = False
    await vitals.look()
    assert await vitals.database() is None
    vitals.close()
    assert pulse.closed


async def test_a_lost_connection_is_asked_about_before_ready_is_said(given: Given) -> None:
    vitals, pulse, _, _ = given
    await vitals.look()
    pulse.is_lost = pulse.silent = True
    assert await vitals.database() == "the database does not answer", "nobody has looked in between"
    pulse.silent = False
    await vitals.look()
    pulse.is_lost = True
    assert await vitals.database() is None
    assert not pulse.is_lost


async def test_a_consumer_has_to_make_progress_while_there_is_work(given: Given) -> None:
    vitals, _, consumer, clock = given
    await vitals.look()
    clock.seconds += 1000
    await vitals.look()
    assert await vitals.consumers() is None, "nothing to do"
    consumer.head = 10
    clock.seconds += 30
    await vitals.look()
    assert await vitals.consumers() is None
    clock.seconds += 1
    assert await vitals.consumers() == "projector has made no progress for 31 s (10 entries wait, 0 failures)"
    consumer.reached = 1
    await vitals.look()
    assert await vitals.consumers() is None, "slow, and on its way"


async def test_a_shard_that_stands_still_is_told_without_its_content_and_the_server_stays_ready(given: Given) -> None:
    vitals, _, consumer, clock = given
    readiness = Readiness({"consumers": vitals.consumers}, 1, stalled=vitals.stalled)
    assert readiness.stalled() == {}
    consumer.head = 10
    await vitals.look()
    consumer.stalled = {0: Stall("project/a", 7, "2026-03-01T12:00:00.000Z", "canary")}
    clock.seconds += 1000
    await vitals.look()
    assert await readiness.why_not() == {}
    told = {"projector": [{"shard": 0, "stream": "project/a", "seq": 7}]}
    assert readiness.stalled() == {"stalledShards": told}


async def test_halted_streams_are_told_and_the_server_stays_ready() -> None:
    supervisor = Supervisor(RuntimeLimits())
    readiness = Readiness({}, 1, lambda: supervisor.halted_streams)
    assert readiness.halted() == {}
    for number in range(30):
        supervisor.halted(f"project/{number:02}", "entry 3 cannot be read")
    told: Any = readiness.halted()["haltedStreams"]
    assert (told["count"], len(told["some"]), told["some"][0]) == (30, 20, "project/00")
    assert await readiness.why_not() == {}


def test_quarantined_streams_are_counted() -> None:
    limits = RuntimeLimits(crashes_before_quarantine=1, quarantine_min_s=5)
    supervisor = Supervisor(limits)
    assert supervisor.quarantined(0) == 0
    supervisor.crashed("project/a", 10)
    assert supervisor.quarantined(14) == 1
    assert supervisor.quarantined(15) == 0
