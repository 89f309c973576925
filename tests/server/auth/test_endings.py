"""What was ended is known everywhere soon, told once, and forgotten when no token of it can be alive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from protocol.errors import ErrorCode
from protocol.faults import NotApplied
from server.auth.endings import KEPT_S, PAGE, EndedGrants
from storage.grant_ports import Ending
from storage.memory.logins import MemoryEndings
from tests.server.clock import ManualClock

AT = "2027-01-15T08:00:00.000Z"


class AwayAtFirst(MemoryEndings):
    """Three times nobody answers."""

    failures = 3

    async def after(self, number: int, limit: int) -> Sequence[Ending]:
        if self.failures:
            self.failures -= 1
            raise NotApplied("nobody answers")
        return await super().after(number, limit)


def given(endings: MemoryEndings, clock: ManualClock, remembered_max: int = 100) -> EndedGrants:
    return EndedGrants(endings, lambda: clock.now_s, remembered_max)


async def test_what_another_node_ended_is_refused_from_the_next_poll_on() -> None:
    clock, endings = ManualClock(), MemoryEndings()
    endings.record(["before"], AT)
    ended = given(endings, clock)
    await ended.start()
    assert ended.refusal("before") is not None
    assert ended.refusal("later") is None
    polling = asyncio.create_task(ended.run(0.001))
    assert await ended.next() == ["before"]
    endings.record(["later"], AT)
    assert await ended.next() == ["later"]
    refusal = ended.refusal("later")
    assert refusal is not None
    assert refusal.code is ErrorCode.UNAUTHENTICATED
    polling.cancel()


async def test_more_than_a_page_is_read_at_once_and_each_is_told_once() -> None:
    clock, endings = ManualClock(), MemoryEndings()
    grants = [str(number) for number in range(PAGE + 5)]
    endings.record(grants, AT)
    ended = given(endings, clock, PAGE * 2)
    ended.add(["3"])
    await ended.start()
    assert sorted(await ended.next()) == sorted(grants)
    assert len(ended) == PAGE + 5


async def test_what_is_too_old_to_matter_is_forgotten_here_and_in_the_table() -> None:
    clock, endings = ManualClock(), MemoryEndings()
    ended = given(endings, clock)
    endings.record(["old"], clock.now())
    await ended.start()
    clock.now_s += KEPT_S
    endings.record(["new"], clock.now())
    await ended.start()
    await ended.forget()
    assert len(ended) == 2, "a token may still be alive in its last second"
    clock.now_s += 1
    await ended.forget()
    assert ended.refusal("old") is None
    assert [ending.grant_id for ending in await endings.after(0, 10)] == ["new"]


async def test_too_many_endings_cost_everybody_a_renewal_and_nobody_a_refusal_too_few() -> None:
    clock, endings = ManualClock(), MemoryEndings()
    ended = given(endings, clock, 3)
    ended.add(["1", "2", "3", "4"])
    assert len(ended) == 0
    for grant in ("1", "somebody's"):
        refusal = ended.refusal(grant, clock.now_s)
        assert refusal is not None
        assert refusal.code is ErrorCode.TOKEN_EXPIRED, "so clients renew it; an ended log-in cannot"
    assert ended.refusal("somebody's", clock.now_s + 1) is None
    assert sorted(await ended.next()) == ["1", "2", "3", "4"], "their connections are closed all the same"


async def test_polling_goes_on_after_the_database_was_away() -> None:
    clock, endings = ManualClock(), AwayAtFirst()
    ended = given(endings, clock)
    polling = asyncio.create_task(ended.run(0.001))
    endings.record(["1"], AT)
    assert await ended.next() == ["1"]
    polling.cancel()
