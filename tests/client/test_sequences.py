"""Commands that come after others, while connections and what the server remembers come and go."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from pantherahive_client import (
    Backoff,
    Client,
    DeadlineExceeded,
    HiveError,
    Invalid,
    NotFound,
    Project,
    Sending,
    Settings,
    TooLarge,
    Unavailable,
    new_id,
)
from protocol.errors import ErrorCode, Rejection
from tests.client.hive import QUICK, Hive
from tests.client.waiting import until

BUSY = Rejection(ErrorCode.OVERLOADED, "busy", {"retryAfterS": 0})


def sent(hive: Hive, op_id: str) -> list[Any]:
    """What each sending of a command came after."""
    return [frame.get("afterOpId") for frame in hive.frames if frame["opId"] == op_id]


async def first_of(project: Project, op_id: str, what: str) -> None:
    """A command that has its outcome, and the client knows it."""
    match what:
        case "accepted":
            await project.create_task("first", op_id=op_id)
        case "refused":
            with pytest.raises(NotFound):
                await project.edit_task(new_id(), title="x", op_id=op_id)
        case "invalid":
            with pytest.raises(Invalid):
                await project.create_task("", op_id=op_id)
        case "never sent":
            with pytest.raises(Invalid):
                await project.create_task("\ud800", op_id=op_id)
        case _:
            assert what == "too large"
            with pytest.raises(TooLarge):
                await project.send("CreateTask", {"title": [0] * 9_000}, op_id=op_id)


@pytest.mark.parametrize("what", ["accepted", "refused", "invalid", "never sent", "too large"])
async def test_what_is_behind_a_known_outcome_does_not_wait_for_the_server_to_know_it(
    hive: Hive, client: Client, what: str
) -> None:
    project = client.project(await client.create_project("Apollo"))
    first, second = new_id(), new_id()
    await first_of(project, first, what)
    hive.forgotten.add(first)
    await project.create_task("second", op_id=second, after_op_id=first, retry=False)
    assert sent(hive, second) == [None]


@pytest.mark.parametrize("what", ["accepted", "refused"])
async def test_a_server_that_was_restarted_between_two_need_not_know_the_first(
    hive: Hive, client: Client, what: str
) -> None:
    project = client.project(await client.create_project("Apollo"))
    first, second = new_id(), new_id()
    await first_of(project, first, what)
    await hive.stop()
    hive.forgotten.add(first)
    waiting = asyncio.create_task(project.create_task("second", op_id=second, after_op_id=first))
    await hive.start()
    await waiting
    assert sent(hive, second) == [None]


async def test_a_predecessor_without_an_outcome_stays_named(hive: Hive, client: Client) -> None:
    project = client.project(await client.create_project("Apollo"))
    first, second = new_id(), new_id()
    hive.refuse = lambda frame: BUSY if frame["opId"] == first else None
    with pytest.raises(DeadlineExceeded):
        await project.create_task("first", op_id=first, deadline_s=0.1)
    with pytest.raises(Unavailable):
        await project.create_task("second", op_id=second, after_op_id=first, retry=False)
    assert sent(hive, second) == [first]
    waiting = asyncio.create_task(project.create_task("second", op_id=second, after_op_id=first))
    await until(lambda: len(sent(hive, second)) > 2)
    assert not waiting.done()
    hive.refuse = lambda frame: None
    first_ack, second_ack = await asyncio.gather(project.create_task("first", op_id=first), waiting)
    assert first_ack.seq < second_ack.seq
    assert set(sent(hive, second)[:-1]) == {first}


async def test_nothing_overtakes_the_undecided_behind_one_that_was_refused_at_the_door(
    hive: Hive, client: Client
) -> None:
    project = client.project(await client.create_project("Apollo"))
    first, unreadable, last = new_id(), new_id(), new_id()
    troubles = [BUSY] * 3
    hive.refuse = lambda frame: troubles.pop() if frame["opId"] == first and troubles else None
    answers = await asyncio.gather(
        project.create_task("first", op_id=first),
        project.create_task("", op_id=unreadable, after_op_id=first),
        project.create_task("last", op_id=last, after_op_id=unreadable),
        return_exceptions=True,
    )
    assert isinstance(answers[1], Invalid)
    assert [frame["opId"] for frame in hive.streams[f"project/{project.id}"].entries[1:]] == [first, last]


def patient(in_flight_max: int) -> Settings:
    """Nothing is tried again within the time of a test but where there is a reason."""
    return Settings(in_flight_max=in_flight_max, retry=Backoff(100, 100), reconnect=QUICK.reconnect)


@pytest.mark.parametrize("refused", [{3}, {0}, {3, 4, 40}])
async def test_a_chain_is_sent_again_at_once_behind_one_that_was_refused(hive: Hive, refused: set[int]) -> None:
    async with Client(hive.url, username="ada", password="correct horse", settings=patient(8)) as client:
        project = client.project(await client.create_project("Apollo"))
        ops = [new_id() for _ in range(60)]
        sendings: list[Sending] = [{"op_id": ops[0]}]
        sendings += [{"op_id": op_id, "after_op_id": before} for before, op_id in pairwise(ops)]
        titles = ["" if place in refused else str(place) for place in range(60)]
        creations = (project.create_task(title, **sending) for title, sending in zip(titles, sendings, strict=True))
        answers = await asyncio.gather(*creations, return_exceptions=True)
        assert {place for place, answer in enumerate(answers) if isinstance(answer, Invalid)} == refused
        wanted = [op_id for place, op_id in enumerate(ops) if place not in refused]
        assert [entry["opId"] for entry in hive.streams[f"project/{project.id}"].entries[1:]] == wanted
        assert max(len(sent(hive, op_id)) for op_id in ops) <= 1 + len(refused)


async def test_commands_that_come_after_each_other_are_not_sent_again_and_again(hive: Hive) -> None:
    async with Client(hive.url, username="ada", password="correct horse", settings=patient(8)) as client:
        project = client.project(await client.create_project("Apollo"))
        one, two = new_id(), new_id()
        answers = await asyncio.gather(
            project.create_task("one", op_id=one, after_op_id=two, deadline_s=0.5),
            project.create_task("two", op_id=two, after_op_id=one, deadline_s=0.5),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [DeadlineExceeded, DeadlineExceeded]
        assert max(len(sent(hive, one)), len(sent(hive, two))) < 12


async def test_a_wait_that_the_server_asks_for_is_kept_in_a_chain_too(hive: Hive) -> None:
    async with Client(hive.url, username="ada", password="correct horse", settings=patient(8)) as client:
        project = client.project(await client.create_project("Apollo"))
        first, second = new_id(), new_id()
        later = Rejection(ErrorCode.OVERLOADED, "busy", {"retryAfterS": 100})
        hive.refuse = lambda frame: later if frame["opId"] == second else None
        answers = await asyncio.gather(
            project.create_task("first", op_id=first),
            project.create_task("second", op_id=second, after_op_id=first, deadline_s=0.5),
            return_exceptions=True,
        )
        assert isinstance(answers[1], DeadlineExceeded)
        assert len(sent(hive, second)) == 1


async def test_those_who_wait_for_an_outcome_keep_nobody_from_going(hive: Hive) -> None:
    async with Client(hive.url, username="ada", password="correct horse", settings=patient(2)) as client:
        project = client.project(await client.create_project("Apollo"))
        first, others = new_id(), [new_id() for _ in range(5)]
        hive.refuse = lambda frame: BUSY if frame["opId"] == first else None
        with pytest.raises(DeadlineExceeded):
            await project.create_task("first", op_id=first, deadline_s=0.1)
        waiting = [asyncio.create_task(project.create_task("x", op_id=op, after_op_id=first)) for op in others]
        await until(lambda: all(sent(hive, op_id) for op_id in others))
        await project.create_task("unrelated")
        hive.refuse = lambda frame: None
        acks = await asyncio.gather(project.create_task("first", op_id=first), *waiting)
        assert acks[0].seq < min(ack.seq for ack in acks[1:])


async def test_a_chain_longer_than_what_may_be_on_its_way_keeps_its_order(hive: Hive) -> None:
    settings = Settings(in_flight_max=3, retry=QUICK.retry, reconnect=QUICK.reconnect)
    async with Client(hive.url, username="ada", password="correct horse", settings=settings) as client:
        project = client.project(await client.create_project("Apollo"))
        ops = [new_id() for _ in range(30)]
        troubles = {ops[place]: [BUSY] * 2 for place in (0, 7, 8, 20)}
        hive.refuse = lambda frame: troubles[frame["opId"]].pop() if troubles.get(frame["opId"]) else None

        async def create(place: int) -> HiveError | None:
            sending: Sending = {"op_id": ops[place]}
            if place:
                sending["after_op_id"] = ops[place - 1]
            try:
                await project.create_task("" if place % 10 == 5 else str(place), **sending)
            except HiveError as error:
                return error
            return None

        refused = await asyncio.gather(*(create(place) for place in range(30)))
        wanted = [op_id for op_id, error in zip(ops, refused, strict=True) if error is None]
        assert len(wanted) == 27
        assert [entry["opId"] for entry in hive.streams[f"project/{project.id}"].entries[1:]] == wanted
