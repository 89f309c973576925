"""An `Idempotency-Key` stands for one request, also for one that was refused."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.errors import ErrorCode, Rejected, Rejection
from server.idempotency import KEY_REUSED
from server.rest.keyed import KeyedRequests
from tests.server.clock import ManualClock
from tests.server.world import World, problem_of

KEY = {"Idempotency-Key": "k1"}
TAKEN = Rejection(ErrorCode.ALREADY_EXISTS, "taken")
BUSY = Rejection(ErrorCode.OVERLOADED, "busy")


async def code_of(response: Any) -> str:
    return str((await problem_of(response, response.status))["code"])


async def test_the_key_of_a_refused_creation_is_not_free(world: World) -> None:
    ada = await world.register("ada")
    headers = {**ada.auth, **KEY}
    await world.http.post("/v1/projects", json={"name": "First", "key": "APOLLO"}, headers=ada.auth)
    refused = {"name": "Second", "key": "APOLLO"}

    for _ in range(2):
        assert await code_of(await world.http.post("/v1/projects", json=refused, headers=headers)) == "already_exists"
    other = await world.http.post("/v1/projects", json={"name": "Second", "key": "GEMINI"}, headers=headers)
    assert (other.status, await code_of(other)) == (409, "op_id_reused")
    assert await code_of(await world.http.post("/v1/projects", json=refused, headers=headers)) == "already_exists"


async def test_the_key_of_a_creation_that_took_effect_answers_it_after_a_refused_reuse(world: World) -> None:
    ada = await world.register("ada")
    headers = {**ada.auth, **KEY}
    await world.http.post("/v1/projects", json={"name": "First", "key": "APOLLO"}, headers=ada.auth)
    made = {"name": "Second", "key": "GEMINI"}
    first = await (await world.http.post("/v1/projects", json=made, headers=headers)).json()

    for _ in range(2):
        reuse = await world.http.post("/v1/projects", json={"name": "Second", "key": "APOLLO"}, headers=headers)
        assert await code_of(reuse) == "op_id_reused"
    again = await world.http.post("/v1/projects", json=made, headers=headers)
    assert (again.status, (await again.json())["id"]) == (201, first["id"])


async def test_the_key_of_a_refused_change_of_an_account_is_not_free(world: World) -> None:
    ada, _ = await world.register("ada"), await world.register("bob")
    path, headers = f"/v1/users/{ada.id}", {**ada.auth, **KEY}

    for _ in range(2):
        assert await code_of(await world.http.put(path, json={"username": "bob"}, headers=headers)) == "already_exists"
    assert await code_of(await world.http.put(path, json={"username": "eve"}, headers=headers)) == "op_id_reused"
    assert (await world.http.put(path, json={"username": "eve"}, headers=ada.auth)).status == 200


def judge(keyed: KeyedRequests, digest: bytes, refusal: Rejection | None) -> Rejection | None:
    """How a request ends."""
    try:
        with keyed.judged_once("account/1", "op", "ada", digest):
            if refusal is not None:
                raise Rejected(refusal)
    except Rejected as refused:
        return refused.rejection
    return None


class MovedClock(ManualClock):
    """Its monotonic clock stands still, too."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1000.0

    def monotonic_s(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


def test_a_retryable_refusal_is_not_remembered(clock: MovedClock) -> None:
    keyed = KeyedRequests(clock)
    assert judge(keyed, b"a", BUSY) is BUSY
    assert judge(keyed, b"b", None) is None


def test_a_refusal_is_remembered_for_so_long_and_its_retries_get_it_again(clock: MovedClock) -> None:
    keyed = KeyedRequests(clock, memory_s=60)
    assert judge(keyed, b"a", TAKEN) is TAKEN
    assert judge(keyed, b"b", None) is KEY_REUSED
    assert judge(keyed, b"a", None) is TAKEN, "the first answer counts"
    clock.seconds += 60
    assert judge(keyed, b"b", None) is None


def test_what_one_caller_was_refused_says_nothing_about_anothers_key(clock: MovedClock) -> None:
    keyed = KeyedRequests(clock)
    assert judge(keyed, b"a", TAKEN) is TAKEN
    with keyed.judged_once("account/1", "op", "eve", b"b"):
        assert judge(keyed, b"a", TAKEN) is TAKEN


async def test_a_stranger_who_foresees_an_op_id_takes_nothing_from_its_owner(world: World) -> None:
    ada, eve = await world.register("ada"), await world.register("eve")
    project_id = (await world.project(ada))["id"]
    path = f"/v1/projects/{project_id}/commands"
    for op_id, is_first in ((world.new_id(), True), (world.new_id(), False)):
        body = {"opId": op_id, "type": "CreateTask", "data": {"title": "t"}}
        answers = [await (await world.http.post(path, json=body, headers=ada.auth)).json()] if is_first else []
        assert await code_of(await world.http.post(path, json=body, headers=eve.auth)) == "not_found"
        for _ in range(2):
            response = await world.http.post(path, json=body, headers=ada.auth)
            assert response.status == 200
            answers.append(await response.json())
        assert all(answer == answers[0] for answer in answers)


def test_what_was_accepted_meanwhile_is_not_taken_for_refused(clock: MovedClock) -> None:
    keyed = KeyedRequests(clock)
    with keyed.judged_once("account/1", "op", "ada", b"a"):
        assert judge(keyed, b"b", TAKEN) is TAKEN
    assert judge(keyed, b"a", None) is None


def test_a_reuse_that_was_refused_as_one_does_not_take_the_key(clock: MovedClock) -> None:
    keyed = KeyedRequests(clock)
    assert judge(keyed, b"b", KEY_REUSED) is KEY_REUSED
    assert judge(keyed, b"a", None) is None
