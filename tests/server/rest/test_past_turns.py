"""Whoever asks for the past over REST, or by a command that needs it, takes turns with all others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors.runtime.history import History
from protocol.custom_fields import DefineField, RemoveField
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.projects import EditProject
from protocol.tasks import CreateTask
from protocol.timetravel import RestoreProjectTo
from protocol.undo import UndoCommand
from server.past_turns import PastLimits
from server.streams import Wish, granted
from tests.actors.runtime.world import until
from tests.server.world import CHEAP, User, World, a_world, problem_of


class Folds:
    """Holds the folds of the past until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.going_on = asyncio.Event()
        fold = History.state_at

        async def held(history: History, *arguments: Any, **bounds: Any) -> Any:
            self.begun += 1
            await self.going_on.wait()
            return await fold(history, *arguments, **bounds)

        monkeypatch.setattr(History, "state_at", held)


@contextlib.asynccontextmanager
async def crowded(
    monkeypatch: pytest.MonkeyPatch, limits: PastLimits, wait_s: float = 10
) -> AsyncIterator[tuple[World, User, str, Folds]]:
    """A world in which ada looks into the past for as long as the folds are held: she has all her places."""
    async with a_world(CHEAP, past_limits=limits, past_wait_s=wait_s) as world:
        ada = await world.register("ada")
        project = (await world.project(ada))["id"]
        await world.send(ada, project, CreateTask(title="first"))
        folds = Folds(monkeypatch)
        path = f"/v1/projects/{project}/tasks?asOf=2"
        looks = [
            asyncio.create_task(world.http.get(path, headers=ada.auth)) for _ in range(limits.at_once_per_user_max)
        ]
        await until(lambda: folds.begun == len(looks))
        yield world, ada, project, folds
        folds.going_on.set()
        assert [response.status for response in await asyncio.gather(*looks)] == [200] * len(looks)


def limits(waiting: int, at_once: int = 2, share: int = 1) -> PastLimits:
    return PastLimits(
        at_once_max=at_once, at_once_per_user_max=share, waiting_max=waiting, waiting_per_user_max=waiting
    )


ASKED: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "project": ("GET", "?asOf=1", None),
    "task list": ("GET", "/tasks?asOf=2", None),
    "export": ("GET", "/export?asOf=2", None),
    "comparison": ("GET", "/diff?from=1&to=2", None),
    "restoration": ("POST", "/restore-to", {"asOf": 1}),
    "command": ("POST", "/commands", {"type": "RestoreProjectTo", "data": {"asOf": 1}}),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_all_ways_into_the_past_are_overloaded_beyond_the_share_of_a_user(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    method, path, body = ASKED[asked]
    async with crowded(monkeypatch, limits(waiting=0)) as (world, ada, project, folds):
        address = f"/v1/projects/{project}{path}"
        refused = await world.http.request(method, address, json=body, headers=ada.auth)
        problem = await problem_of(refused, 503)
        assert (problem["code"], problem["details"]["limit"]) == ("overloaded", "past-waiting-per-user")
        assert (problem["retryable"], refused.headers["Retry-After"]) == (True, "1")
        assert folds.begun == 1
        bob = await world.register("bob")
        own = (await world.project(bob))["id"]
        look = asyncio.create_task(world.http.get(f"/v1/projects/{own}?asOf=1", headers=bob.auth))
        await until(lambda: folds.begun == 2)  # another user's is at work at once
        folds.going_on.set()
        assert (await look).status == 200


async def test_who_gets_no_turn_in_time_is_told_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowded(monkeypatch, limits(waiting=5), wait_s=0) as (world, ada, project, folds):
        late = await world.http.get(f"/v1/projects/{project}?asOf=1", headers=ada.auth)
        problem = await problem_of(late, 504)
        assert (problem["code"], late.headers["Retry-After"], folds.begun) == ("timeout", "1", 1)


async def test_a_retry_takes_its_turn_and_a_new_change_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowded(monkeypatch, limits(waiting=0)) as (world, ada, project, folds):
        headers = {**ada.auth, "Idempotency-Key": "once"}
        path = f"/v1/projects/{project}/tasks"

        async def post() -> Any:
            return await world.http.post(path, json={"title": "one"}, headers=headers)

        made = await post()
        assert made.status == 201
        await world.send(ada, project, EditProject(name="Later"))
        assert (await problem_of(await post(), 503))["code"] == "overloaded"
        folds.going_on.set()
        await until(lambda: world.past.at_work == 0)
        again = await post()
        assert (again.status, await again.json()) == (201, await made.json())
        assert again.headers["ETag"] == made.headers["ETag"]


async def test_strangers_take_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowded(monkeypatch, limits(waiting=0, at_once=1)) as (world, _, project, folds):
        eve = await world.register("eve")
        for path in ("?asOf=1", "/diff?from=1&to=2", "/export?asOf=1"):
            await problem_of(await world.http.get(f"/v1/projects/{project}{path}", headers=eve.auth), 404)
        restored = await world.http.post(f"/v1/projects/{project}/restore-to", json={"asOf": 1}, headers=eve.auth)
        await problem_of(restored, 404)
        assert folds.begun == 1


async def test_who_hangs_up_costs_no_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowded(monkeypatch, limits(waiting=5)) as (world, ada, project, folds):
        address = f"/v1/projects/{project}?asOf=1"
        gone = [asyncio.create_task(world.http.get(address, headers=ada.auth)) for _ in range(3)]
        await until(lambda: world.past.waiting == 3)
        for look in gone:
            look.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        patient = asyncio.create_task(world.http.get(address, headers=ada.auth))
        await until(lambda: world.past.waiting == 4)
        folds.going_on.set()
        assert (await patient).status == 200
        assert folds.begun == 2, "that of the first, and of the one who has waited"


async def test_the_facts_of_a_command_are_refused_as_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """The live gateway takes what is raised for a defect."""
    async with crowded(monkeypatch, limits(waiting=0)) as (world, ada, project, _):
        stream, who = f"project/{project}", Principal(ada.id)
        field_id = (await world.send(ada, project, DefineField(name="Notes", type="text"))).result["fieldId"]
        removing = Wish(stream, RemoveField(field_id=field_id), who, world.new_id())
        granted(await world.streams.command(removing))
        for command in (RestoreProjectTo(as_of=1), UndoCommand(op_id=removing.op_id)):
            facts = await world.facts.facts_for(command, stream, who)
            assert isinstance(facts, Rejection)
            assert facts.code is ErrorCode.OVERLOADED
