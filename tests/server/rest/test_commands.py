"""Any command over REST: the socket's answer, the same wish once, refusals as problems."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from protocol.members import AddMember
from protocol.messages import COMMANDS
from server.rest.stream_paths import STREAM_PATHS
from tests.server.rest.test_tasks import NOBODY
from tests.server.world import User, World, problem_of

TASK = {"type": "CreateTask", "data": {"title": "Fly"}}


async def a_project(world: World) -> tuple[User, str]:
    """An owner, and where commands to the project go."""
    ada = await world.register("ada")
    return ada, f"/v1/projects/{(await world.project(ada))['id']}/commands"


async def send(world: World, user: User, path: str, body: Any, **headers: str) -> Any:
    return await world.http.post(path, json=body, headers={**user.auth, **headers})


def test_every_kind_with_commands_has_its_address() -> None:
    assert COMMANDS.keys() <= STREAM_PATHS.keys()


async def test_the_answer_is_that_of_the_socket(world: World) -> None:
    ada, path = await a_project(world)
    response = await send(world, ada, path, TASK)
    answer = await response.json()
    assert response.status == 200, answer
    assert set(answer) == {"cursor", "at", "result"}
    assert (answer["result"]["number"], answer["cursor"].partition(".")[0]) == (1, "2")
    tasks = await (await world.http.get(path.replace("/commands", "/tasks"), headers=ada.auth)).json()
    assert [task["id"] for task in tasks] == [answer["result"]["taskId"]]


@pytest.mark.parametrize("given", ["header", "body", "both"])
async def test_a_wish_that_is_sent_again_gets_its_first_answer(world: World, given: str) -> None:
    ada, path = await a_project(world)
    op_id = str(uuid.uuid4())
    headers = {} if given == "body" else {"Idempotency-Key": op_id}
    wish = TASK if given == "header" else {**TASK, "opId": op_id}
    answers = [await (await send(world, ada, path, wish, **headers)).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    other = {**wish, "data": {"title": "Land"}}
    assert (await problem_of(await send(world, ada, path, other, **headers), 409))["code"] == "op_id_reused"
    assert len(await (await world.http.get(path.replace("/commands", "/tasks"), headers=ada.auth)).json()) == 1


async def test_two_names_for_one_wish_are_refused(world: World) -> None:
    ada, path = await a_project(world)
    body = {**TASK, "opId": str(uuid.uuid4())}
    assert (await problem_of(await send(world, ada, path, body, **{"Idempotency-Key": "another"}), 400))["details"]


async def test_a_command_to_a_new_stream_makes_it(world: World) -> None:
    ada = await world.register("ada")
    project_id = str(uuid.uuid4())
    path = f"/v1/projects/{project_id}/commands"
    made = await send(world, ada, path, {"type": "CreateProject", "data": {"name": "Apollo"}})
    assert (await made.json())["result"]["projectId"] == project_id


async def test_a_profile_takes_its_commands(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    path, edit = f"/v1/users/{ada.id}/profile/commands", {"type": "EditProfile", "data": {"bio": "Countess"}}
    assert (await send(world, ada, path, edit)).status == 200
    await problem_of(await send(world, bob, path, edit), 403)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "LaunchRocket", "data": {}}, 400),
        ({"type": "CreateTask", "data": {"title": 7}}, 400),
        ({"type": "CreateTask"}, 400),
        ({"type": "EditTask", "data": {"taskId": NOBODY, "title": "x"}}, 404),
        ({"type": "EditProfile", "data": {"bio": "x"}}, 400),
        ({**TASK, "opId": "x"}, 400),
        ({**TASK, "extra": 1}, 400),
        ({"type": "CreateTask", "data": {"title": "x", "description": "d" * (260 << 10)}}, 413),
        ({"type": "AddMember", "data": {"userId": NOBODY, "role": "member"}}, 422),
        ([], 400),
    ],
)
async def test_what_does_not_fit_is_refused(world: World, body: Any, status: int) -> None:
    ada, path = await a_project(world)
    await problem_of(await send(world, ada, path, body), status)


async def test_permission_is_the_actors(world: World) -> None:
    ada, path = await a_project(world)
    bob, eve = await world.register("bob"), await world.register("eve")
    await world.send(ada, path.split("/")[3], AddMember(user_id=bob.id, role="viewer"))
    await problem_of(await send(world, bob, path, TASK), 403)
    await problem_of(await send(world, eve, path, TASK), 404)
    await problem_of(await world.http.post(path, json=TASK), 401)
