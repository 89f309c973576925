"""Presence and awareness on the client: the newest counts, and it outlives connections."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pantherahive_client import (
    Backoff,
    ClientClosed,
    Forbidden,
    Invalid,
    PacketRefused,
    Settings,
    StreamClosed,
    TooLarge,
)
from pantherahive_client.company import Company
from pantherahive_client.link import OnAnswer
from pantherahive_client.models import AwareState
from pantherahive_client.signal import Signal

QUICK = Settings(retry=Backoff(0, 0))
LIMITED = {"error": {"code": "rate_limited", "message": "slowly", "retryable": True, "details": {}}}
REFUSED = {"error": {"code": "forbidden", "message": "no", "retryable": False, "details": {}}}


class Recorder:
    """A connection that keeps what is sent, for the test to answer."""

    packet_bytes_max: int | None = None

    def __init__(self) -> None:
        self.sent: list[tuple[Any, OnAnswer]] = []

    def send(self, event: str, payload: Mapping[str, Any], on_answer: OnAnswer | None = None) -> None:
        assert event == "awareness"
        assert on_answer is not None
        self.sent.append((payload["state"], on_answer))

    @property
    def states(self) -> list[Any]:
        return [state for state, _ in self.sent]


def company() -> tuple[Company, Recorder]:
    made, link = Company("project/p", QUICK, Signal()), Recorder()
    made.live(link)
    return made, link


def looks(at: str) -> dict[str, Any]:
    return {"taskId": at}


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_while_one_state_is_told_only_the_newest_of_the_others_waits() -> None:
    own, link = company()
    told = [own.show(looks(at)) for at in "abc"]
    assert link.states == [looks("a")]
    link.sent[0][1]({})
    assert link.states == [looks("a"), looks("c")]
    assert [one.done() for one in told] == [True, False, False]
    link.sent[1][1]({})
    await asyncio.gather(*told)
    assert len(link.sent) == 2


async def test_it_is_shown_again_on_the_next_connection_and_the_newest_of_it() -> None:
    own, link = company()
    first = own.show(looks("a"))
    own.apart()
    link.sent[0][1]({})
    assert not first.done(), "an answer of the connection before is late"
    second = own.show(looks("b"))
    again = Recorder()
    own.live(again)
    assert again.states == [looks("b")]
    again.sent[0][1]({})
    await asyncio.gather(first, second)
    own.apart()
    third = Recorder()
    own.live(third)
    assert third.states == [looks("b")]
    third.sent[0][1]({})
    gone = own.show(None)
    third.sent[1][1]({})
    await gone
    own.apart()
    silent = Recorder()
    own.live(silent)
    assert silent.states == []


async def test_who_is_too_quick_waits_and_then_tells_the_newest() -> None:
    own, link = company()
    told = own.show(looks("a"))
    link.sent[0][1](LIMITED)
    newer = own.show(looks("b"))
    assert link.states == [looks("a")]
    async with asyncio.timeout(5):
        while len(link.sent) < 2:  # noqa: ASYNC110 - a timer of the loop's
            await asyncio.sleep(0)
    assert link.states[-1] == looks("b")
    link.sent[1][1]({})
    await asyncio.gather(told, newer)


async def test_a_refusal_is_raised_and_not_tried_again() -> None:
    own, link = company()
    told = own.show(looks("a"))
    link.sent[0][1](REFUSED)
    with pytest.raises(Forbidden):
        await told
    own.apart()
    again = Recorder()
    own.live(again)
    assert again.states == []
    own.show(looks("b"))
    again.sent[0][1]({})
    refused = own.show(looks("c"))
    again.sent[1][1](REFUSED)
    with pytest.raises(Forbidden):
        await refused
    own.apart()
    last = Recorder()
    own.live(last)
    assert last.states == [looks("b")], "what the server took last is shown again"
    with pytest.raises(Invalid):
        own.show({"x": float("nan")})
    assert len(last.sent) == 1


async def test_the_end_is_told_to_who_waits() -> None:
    own, link = company()
    told, waiting = own.show(looks("a")), own.show(looks("b"))
    own.end(ClientClosed("closed"))
    for one in (told, waiting):
        with pytest.raises(ClientClosed):
            await one
    link.sent[0][1]({})


async def test_others_are_kept_by_connection_until_they_are_gone() -> None:
    others, _ = company()
    one: AwareState = {"connection": "1", "userId": "u", "state": looks("a")}
    two: AwareState = {"connection": "2", "userId": "u", "state": looks("b")}
    gone: AwareState = {**one, "state": None}
    others.take_awareness({"stream": "project/p", "states": [one, two]})
    assert others.aware == [one, two]
    others.take_awareness({"stream": "project/p", "states": [gone]})
    assert others.aware == [two]
    others.take_awareness({"stream": "project/p", "states": [one], "complete": True})
    assert others.aware == [one]
    others.joined([{"userId": "u", "connections": 2}])
    assert (others.aware, others.present) == ([], [{"userId": "u", "connections": 2}])


async def test_a_watcher_sees_the_newest_and_every_end_but_a_closing_one() -> None:
    signal, values, ends = Signal(), [1], [None]
    seen: list[int] = []

    async def watch() -> None:
        async for value in signal.watch(lambda: values[0], lambda: ends[0]):
            seen.append(value)  # noqa: PERF401 - what was seen before the end counts too

    watching = asyncio.create_task(watch())
    await settle()
    for value in (2, 3, 3, 4):
        values[0] = value
        signal.notify()
    await settle()
    signal.notify()
    await settle()
    assert seen == [1, 4]
    ends[0] = StreamClosed("removed")  # type: ignore[call-overload] # it comes to its end
    signal.notify()
    with pytest.raises(StreamClosed):
        await watching
    ends[0] = ClientClosed("closed")  # type: ignore[call-overload] # it comes to its end
    assert [value async for value in signal.watch(lambda: 1, lambda: ends[0])] == [1]


async def test_a_state_over_which_connections_end_is_given_up() -> None:
    own, link = company()
    told, links = own.show(looks("a")), [link]
    for _ in range(QUICK.refusals_max):
        assert not told.done()
        own.apart()
        own.connection_over(refused=True)
        links.append(Recorder())
        own.live(links[-1])
    with pytest.raises(PacketRefused):
        await told
    assert [one.states for one in links] == [[looks("a")]] * QUICK.refusals_max + [[]]
    own.show(looks("b"))
    assert links[-1].states == [looks("b")]


async def test_a_state_that_was_taken_is_not_what_connections_end_over() -> None:
    own, link = company()
    own.show(looks("a"))
    for _ in range(QUICK.refusals_max + 1):
        link.sent[-1][1]({})
        own.apart()
        own.connection_over(refused=True)
        link = Recorder()
        own.live(link)
        assert link.states == [looks("a")]


async def test_too_many_values_are_refused_at_once() -> None:
    own, link = company()
    with pytest.raises(TooLarge):
        own.show({"a": [0] * 120_000})
    assert not link.sent
