"""The outbox: order, bounds, and what happens when connections come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from pantherahive_client import (
    Ack,
    Backoff,
    ClientClosed,
    DeadlineExceeded,
    InternalError,
    Overloaded,
    PacketRefused,
    RuleBroken,
    Settings,
    TooLarge,
)
from pantherahive_client.link import OnAnswer
from pantherahive_client.outbox import Outbox

LIMITS = Settings(in_flight_max=3, retry=Backoff(0, 0))
OVERLOADED = {"error": {"code": "overloaded", "message": "busy", "retryable": True, "details": {}}}
UNDECIDED = {"error": {"code": "unavailable", "message": "the one before it", "retryable": True, "details": {}}}
BROKEN = {"error": {"code": "rule_broken", "message": "no", "retryable": False, "details": {"reason": "x"}}}


class Recorder:
    """A connection that keeps what is sent, for the test to answer."""

    def __init__(self, packet_bytes_max: int | None = None) -> None:
        self.packet_bytes_max = packet_bytes_max
        self.sent: list[tuple[str, OnAnswer]] = []
        # What each of them was said to come after.
        self.after: list[str | None] = []

    def send(self, event: str, payload: Mapping[str, Any], on_answer: OnAnswer | None = None) -> None:
        assert event == "command"
        assert on_answer is not None
        self.sent.append((payload["opId"], on_answer))
        self.after.append(payload.get("afterOpId"))

    @property
    def op_ids(self) -> list[str]:
        return [op_id for op_id, _ in self.sent]

    def newest(self, op_id: str) -> OnAnswer:
        """What answers the newest sending of a command."""
        return dict(self.sent)[op_id]


def sending(outbox: Outbox, *op_ids: str, retry: bool = True) -> list[asyncio.Task[Ack]]:
    return [asyncio.create_task(outbox.send({"opId": op_id}, 5, retry=retry)) for op_id in op_ids]


def ack(seq: int) -> dict[str, Any]:
    return {"cursor": f"{seq}.1", "at": "2030-01-01T00:00:00.000Z", "result": {}}


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_are_sent_and_the_rest_follows_in_order() -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    tasks = sending(outbox, *"abcde")
    await settle()
    assert link.op_ids == ["a", "b", "c"]
    link.sent[1][1](ack(1))
    await settle()
    assert link.op_ids == ["a", "b", "c", "d"]
    for number in (0, 2, 3):
        link.sent[number][1](ack(number + 2))
    await settle()
    link.sent[4][1](ack(6))
    assert [answer.seq for answer in await asyncio.gather(*tasks)] == [2, 1, 4, 5, 6]


async def test_a_new_connection_gets_everything_unanswered_in_order() -> None:
    outbox, first, second = Outbox(LIMITS), Recorder(), Recorder()
    outbox.connected(first)
    tasks = sending(outbox, *"abc")
    await settle()
    outbox.disconnected()
    first.sent[0][1](ack(1))
    await settle()
    outbox.connected(second)
    assert second.op_ids == ["b", "c"]
    for _, answer in second.sent:
        answer(ack(2))
    await asyncio.gather(*tasks)


def chained(outbox: Outbox, op_ids: str, deadline_s: float | None = 5) -> list[asyncio.Task[Ack]]:
    """Commands of which each comes after the one before it."""
    frames: list[dict[str, Any]] = [{"opId": op_id} for op_id in op_ids]
    for before, frame in pairwise(frames):
        frame["afterOpId"] = before["opId"]
    return [asyncio.create_task(outbox.send(frame, deadline_s, retry=True)) for frame in frames]


@pytest.mark.parametrize("answer", [{"cursor": "1.1", "at": "2030-01-01T00:00:00.000Z"}, BROKEN])
async def test_a_new_connection_is_told_of_no_predecessor_that_has_its_answer(answer: dict[str, Any]) -> None:
    outbox, first, second = Outbox(LIMITS), Recorder(), Recorder()
    outbox.connected(first)
    tasks = chained(outbox, "abc")
    await settle()
    assert first.after == [None, "a", "b"]
    first.sent[0][1](answer)
    await settle()
    outbox.disconnected()
    outbox.connected(second)
    assert (second.op_ids, second.after) == (["b", "c"], [None, "b"])
    for _, answered in second.sent:
        answered(ack(2))
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("answer", [OVERLOADED, {"cursor": "1.1"}, None])
async def test_what_has_no_final_answer_stays_the_predecessor(answer: Any) -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    tasks = chained(outbox, "ab")
    await settle()
    link.sent[1][1](UNDECIDED)
    for _ in range(3):
        link.newest("a")(answer)
        await settle()
    assert link.op_ids == ["a", "b", "a", "a", "a"], "the second waits for the first one's outcome"
    link.sent[-1][1](ack(1))
    await settle()
    assert (link.op_ids[5:], link.after[5:]) == (["b"], [None])
    link.sent[-1][1](ack(2))
    await asyncio.gather(*tasks)


async def test_what_nobody_waits_for_keeps_its_place_until_it_is_answered() -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    first = sending(outbox, *"abc")
    await settle()
    for task in first:
        task.cancel()
    rest = sending(outbox, *"defg")
    await settle()
    assert link.op_ids == ["a", "b", "c"]
    link.sent[1][1](ack(1))
    await settle()
    assert link.op_ids[3:] == ["d"]
    outbox.disconnected()
    outbox.connection_over(refused=False)
    outbox.connected(link)
    await settle()
    assert link.op_ids[4:] == ["d", "e", "f"]
    for place in range(4, 8):
        link.sent[place][1](ack(place))
        await settle()
    assert [answer.seq for answer in await asyncio.gather(*rest)] == [4, 5, 6, 7]


async def test_one_try_at_a_time_is_on_its_way_under_one_op_id() -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    first, second = sending(outbox, "a", "a")
    await settle()
    first.cancel()
    follower = asyncio.create_task(outbox.send({"opId": "b", "afterOpId": "a"}, 5, retry=True))
    await settle()
    assert link.op_ids == ["a"], "its answer is to come"
    link.sent[0][1](BROKEN)
    await settle()
    assert (link.op_ids[1:], link.after[1:]) == (["a", "b"], [None, "a"]), "the refusal was of an earlier try"
    for _, answer in link.sent[1:]:
        answer(ack(1))
    await asyncio.gather(second, follower)


@pytest.mark.parametrize("how", ["cancelled", "late"])
async def test_what_never_left_is_waited_for_no_longer(how: str) -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    filling = sending(outbox, *"xyz")
    await settle()
    (first,) = chained(outbox, "a", deadline_s=None if how == "cancelled" else 0)
    second, last = chained(outbox, "abc", deadline_s=None)[1:]
    await settle()
    first.cancel()
    second.cancel()
    for _, answer in link.sent:
        answer(ack(1))
    await settle()
    link.newest("c")(ack(2))
    await asyncio.gather(*filling, last)
    assert "b" not in link.op_ids


async def test_what_comes_after_itself_is_not_sent() -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    for after in "aA":
        with pytest.raises(DeadlineExceeded):
            await outbox.send({"opId": "a", "afterOpId": after}, 0.01, retry=True)
    assert link.op_ids == []


async def test_an_answer_after_the_deadline_is_known_all_the_same() -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    (late,) = chained(outbox, "a", deadline_s=0)
    with pytest.raises(DeadlineExceeded):
        await late
    outbox.connected(link)
    (task,) = chained(outbox, "a")
    await settle()
    task.cancel()
    await settle()
    link.sent[-1][1](ack(1))
    _, last = chained(outbox, "ab")
    await settle()
    assert link.after[-1] is None
    for _, answered in link.sent:
        answered(ack(2))
    await last


async def test_what_is_too_large_for_every_connection_it_had_is_no_predecessor() -> None:
    outbox, small = Outbox(LIMITS), Recorder(packet_bytes_max=100)
    large = asyncio.create_task(outbox.send({"opId": "a", "data": "x" * 100}, 5, retry=True))
    task = asyncio.create_task(outbox.send({"opId": "b", "afterOpId": "a"}, 5, retry=True))
    await settle()
    outbox.connected(small)
    with pytest.raises(TooLarge):
        await large
    await settle()
    assert (small.op_ids, small.after) == (["b"], [None])
    small.sent[0][1](ack(1))
    await task


async def test_what_left_once_and_is_too_large_now_stays_the_predecessor() -> None:
    outbox, roomy, small = Outbox(LIMITS), Recorder(), Recorder(packet_bytes_max=100)
    outbox.connected(roomy)
    large = asyncio.create_task(outbox.send({"opId": "a", "data": "x" * 100}, 5, retry=True))
    task = asyncio.create_task(outbox.send({"opId": "b", "afterOpId": "a"}, 5, retry=True))
    await settle()
    outbox.disconnected()
    outbox.connection_over(refused=False)
    outbox.connected(small)
    with pytest.raises(TooLarge):
        await large
    assert (small.op_ids, small.after) == (["b"], ["a"])
    small.sent[0][1](ack(1))
    await task


async def test_commands_wait_for_the_first_connection() -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    (task,) = sending(outbox, "a")
    await settle()
    outbox.connected(link)
    link.sent[0][1](ack(1))
    assert (await task).op_id == "a"


async def test_a_retryable_refusal_is_sent_again_unless_told_not_to() -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    (patient,) = sending(outbox, "a")
    (hasty,) = sending(outbox, "b", retry=False)
    await settle()
    link.sent[0][1](OVERLOADED)
    link.sent[1][1](OVERLOADED)
    with pytest.raises(Overloaded):
        await hasty
    await settle()
    assert link.op_ids == ["a", "b", "a"]
    link.sent[2][1](ack(1))
    await patient


async def test_a_final_refusal_is_raised_with_its_details() -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    (task,) = sending(outbox, "a")
    await settle()
    link.sent[0][1](BROKEN)
    with pytest.raises(RuleBroken) as raised:
        await task
    assert raised.value.details == {"reason": "x"}


@pytest.mark.parametrize("nonsense", [None, 3, {}, {"cursor": "1.1"}, {"error": None}])
async def test_an_unreadable_answer_is_an_internal_error(nonsense: Any) -> None:
    outbox, link = Outbox(LIMITS), Recorder()
    outbox.connected(link)
    (task,) = sending(outbox, "a", retry=False)
    await settle()
    link.sent[0][1](nonsense)
    with pytest.raises(InternalError):
        await task


async def test_the_end_is_told_to_those_who_wait_and_those_who_come() -> None:
    outbox = Outbox(LIMITS)
    (waiting,) = sending(outbox, "a")
    await settle()
    outbox.end(ClientClosed("closed"))
    (late,) = sending(outbox, "b")
    for task in (waiting, late):
        with pytest.raises(ClientClosed):
            await task


async def test_the_end_is_told_at_once_wherever_a_command_waits() -> None:
    """On its way, for a place, for the one before it, for another try."""
    outbox, link = Outbox(Settings(in_flight_max=2, retry=Backoff(100, 100))), Recorder()
    outbox.connected(link)
    (refused,) = sending(outbox, "a")
    await settle()
    link.sent[0][1](OVERLOADED)
    tasks = [refused, *chained(outbox, "cd", None), *sending(outbox, "c", "e", "f")]
    tasks.append(asyncio.create_task(outbox.send({"opId": "b", "afterOpId": "a"}, None, retry=True)))
    await settle()
    assert link.op_ids == ["a", "c", "d"]
    outbox.end(ClientClosed("closed"))
    assert [type(answer) for answer in await asyncio.gather(*tasks, return_exceptions=True)] == [ClientClosed] * 7


async def _connection(outbox: Outbox, *, refused: bool) -> None:
    """One more connection that comes and goes."""
    outbox.connected(Recorder())
    outbox.disconnected()
    outbox.connection_over(refused=refused)
    await settle()


async def test_only_refusals_in_a_row_count_and_only_for_what_was_sent() -> None:
    outbox = Outbox(LIMITS)
    (early,) = sending(outbox, "a")
    await settle()
    for refused in (True, True, False, True, True):
        await _connection(outbox, refused=refused)
    (late,) = sending(outbox, "b")
    await settle()
    assert not early.done()
    await _connection(outbox, refused=True)
    with pytest.raises(PacketRefused) as raised:
        await early
    assert raised.value.op_id == "a"
    assert not late.done()
    link = Recorder()
    outbox.connected(link)
    link.sent[0][1](ack(1))
    assert (await late).seq == 1


async def test_what_waited_for_a_connection_and_is_too_large_for_it_is_refused() -> None:
    outbox, link = Outbox(LIMITS), Recorder(packet_bytes_max=60)
    large = asyncio.create_task(outbox.send({"opId": "a", "data": "x" * 50}, 5, retry=True))
    (small,) = sending(outbox, "b")
    await settle()
    outbox.connected(link)
    with pytest.raises(TooLarge):
        await large
    assert link.op_ids == ["b"]
    link.sent[0][1](ack(1))
    await small
