"""Undo and redo over REST: by the opId that every change is answered with."""

from __future__ import annotations

from typing import Any

from protocol.comments import AddComment
from protocol.custom_fields import DefineField, RemoveField
from protocol.tasks import CreateTask, EditTask
from tests.server.world import User, World, problem_of

NOBODY = "018f0000-0000-7000-8000-0000000000ff"


async def a_task(world: World, user: User) -> tuple[str, str]:
    """The address of a new project, and the id of a task in it."""
    project = (await world.project(user))["id"]
    made = await world.send(user, project, CreateTask(title="one"))
    return f"/v1/projects/{project}", made.result["taskId"]


async def task_of(world: World, user: User, path: str, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await (await world.http.get(f"{path}/tasks/{task_id}", headers=user.auth)).json()
    return found


async def test_a_change_is_answered_with_the_op_id_that_undoes_it(world: World) -> None:
    ada = await world.register("ada")
    path, task_id = await a_task(world, ada)
    edit = await world.http.put(f"{path}/tasks/{task_id}", json={"title": "two"}, headers=ada.auth)
    op_id = edit.headers["Op-Id"]
    headers = {**ada.auth, "Idempotency-Key": "undo-1"}
    undone = await world.http.post(f"{path}/undo", json={"opId": op_id}, headers=headers)
    assert undone.status == 200, await undone.text()
    first = await undone.json()
    assert (await task_of(world, ada, path, task_id))["title"] == "one"
    redone = await world.http.post(f"{path}/redo", json={"opId": op_id}, headers=ada.auth)
    assert redone.status == 200, await redone.text()
    again = await world.http.post(f"{path}/undo", json={"opId": op_id}, headers=headers)
    assert await again.json() == first, "a retry gets its first answer and undoes nothing more"
    assert (await task_of(world, ada, path, task_id))["title"] == "two"


async def test_a_refusal_names_both_values_who_and_when(world: World) -> None:
    ada, bob = await world.register("ada"), await world.register("bob")
    path, task_id = await a_task(world, ada)
    project = path.split("/")[3]
    await world.add(ada, project, bob)
    edit = await world.http.put(f"{path}/tasks/{task_id}", json={"title": "ada's"}, headers=ada.auth)
    theirs = await world.send(bob, project, EditTask(task_id=task_id, title="bob's"))
    body = {"opId": edit.headers["Op-Id"]}
    document = await problem_of(await world.http.post(f"{path}/undo", json=body, headers=ada.auth), 409)
    assert document["details"]["reason"] == "changed_by_others"
    [field] = document["details"]["fields"]
    assert (field["before"], field["yours"], field["current"]) == ("one", "ada's", "bob's")
    assert (field["author"], field["seq"], field["at"]) == (bob.id, theirs.cursor.seq, theirs.at)


async def test_what_does_not_fit_is_refused(world: World) -> None:
    ada, bob, eve = await world.register("ada"), await world.register("bob"), await world.register("eve")
    path, task_id = await a_task(world, ada)
    await world.add(ada, path.split("/")[3], bob)
    edit = await world.http.put(f"{path}/tasks/{task_id}", json={"title": "two"}, headers=ada.auth)
    body = {"opId": edit.headers["Op-Id"]}
    for wrong in ({}, {"opId": "x"}, {"opId": None}, {**body, "seq": 1}):
        await problem_of(await world.http.post(f"{path}/undo", json=wrong, headers=ada.auth), 400)
    for name in ("undo", "redo"):
        await problem_of(await world.http.post(f"{path}/{name}", json=body), 401)
        hidden = await problem_of(await world.http.post(f"{path}/{name}", json=body, headers=eve.auth), 404)
        assert hidden["detail"] == "no such project"
        await problem_of(await world.http.post(f"{path}/{name}", json={"opId": NOBODY}, headers=ada.auth), 404)
        others = await problem_of(await world.http.post(f"{path}/{name}", json=body, headers=bob.auth), 403)
        assert others["details"]["reason"] == "not_your_command"
    not_undone = await problem_of(await world.http.post(f"{path}/redo", json=body, headers=ada.auth), 422)
    assert not_undone["details"]["reason"] == "not_undone"
    refused = await world.http.put(f"{path}/tasks/{task_id}", json={"stateId": "nowhere"}, headers=ada.auth)
    assert "Op-Id" not in refused.headers


async def test_values_that_went_with_their_field_come_back_from_the_log(world: World) -> None:
    ada = await world.register("ada")
    path, task_id = await a_task(world, ada)
    project = path.split("/")[3]
    field_id = (await world.send(ada, project, DefineField(name="Notes", type="text"))).result["fieldId"]
    await world.send(ada, project, EditTask(task_id=task_id, fields={field_id: "words"}))
    await world.send(ada, project, AddComment(task_id=task_id, body="in between"))
    removed = await world.send(ada, project, RemoveField(field_id=field_id))
    page = await (await world.http.get(f"{path}/events?after={removed.cursor.seq - 1}", headers=ada.auth)).json()
    op_id = page["entries"][0]["opId"] if isinstance(page, dict) else page[0]["opId"]
    for name, expected in (("undo", {field_id: "words"}), ("redo", {}), ("undo", {field_id: "words"})):
        answer = await world.http.post(f"{path}/{name}", json={"opId": op_id}, headers=ada.auth)
        assert answer.status == 200, await answer.text()
        assert (await task_of(world, ada, path, task_id))["fields"] == expected


async def test_a_move_is_taken_back_though_its_task_was_in_another_state_meanwhile(world: World) -> None:
    ada = await world.register("ada")
    path, task_id = await a_task(world, ada)
    other_id = (await world.send(ada, path.split("/")[3], CreateTask(title="two"))).result["taskId"]
    address, first, last = f"{path}/tasks/{task_id}", [task_id, other_id], [other_id, task_id]
    moved = await world.http.post(f"{address}/move", json={"after": other_id}, headers=ada.auth)
    op_id = moved.headers["Op-Id"]
    for name, expected in (("undo", first), ("redo", last), ("undo", first)):
        edited = await world.http.put(address, json={"stateId": "done"}, headers=ada.auth)
        for what, one in (("undo", edited.headers["Op-Id"]), (name, op_id)):
            answer = await world.http.post(f"{path}/{what}", json={"opId": one}, headers=ada.auth)
            assert answer.status == 200, await answer.text()
        tasks = [await task_of(world, ada, path, one) for one in (task_id, other_id)]
        assert [task["id"] for task in sorted(tasks, key=lambda task: str(task["rank"]))] == expected


async def test_two_by_hand_have_their_recurrences_back_however_often_both_are_taken(world: World) -> None:
    ada = await world.register("ada")
    path, first = await a_task(world, ada)
    project, weekly, daily = path.split("/")[3], {"every": 1, "unit": "week"}, {"every": 1, "unit": "day"}

    async def edited(task_id: str, **changes: Any) -> str:
        answer = await world.http.put(f"{path}/tasks/{task_id}", json=changes, headers=ada.auth)
        assert answer.status == 200, await answer.text()
        return answer.headers["Op-Id"]

    await edited(first, recurrence=weekly, stateId="done")
    tasks = await (await world.http.get(f"{path}/tasks", headers=ada.auth)).json()
    second = next(task["id"] for task in tasks if task["id"] != first)
    await edited(first, stateId="todo", recurrence=daily)
    deleted = await world.http.delete(f"{path}/tasks/{second}", headers=ada.auth)
    op_ids = [deleted.headers["Op-Id"], await edited(first, recurrence=None)]
    await world.send(ada, project, AddComment(task_id=first, body="in between"))
    for _ in range(2):
        for name, order in (("undo", reversed(op_ids)), ("redo", op_ids)):
            for op_id in order:
                answer = await world.http.post(f"{path}/{name}", json={"opId": op_id}, headers=ada.auth)
                assert answer.status == 200, await answer.text()
            rules = [(await task_of(world, ada, path, one))["recurrence"] for one in (first, second)]
            assert rules == ([daily, weekly] if name == "undo" else [None, weekly])


async def test_activity_says_what_was_undone_and_names_the_op_ids(world: World) -> None:
    ada = await world.register("ada")
    path, task_id = await a_task(world, ada)
    edits = [
        await world.http.put(f"{path}/tasks/{task_id}", json={"title": title}, headers=ada.auth)
        for title in ("two", "three")
    ]
    op_id = edits[-1].headers["Op-Id"]
    await world.http.post(f"{path}/undo", json={"opId": op_id}, headers=ada.auth)
    for address in (f"{path}/activity", f"{path}/tasks/{task_id}/activity"):
        undone, run, *_ = await (await world.http.get(address, headers=ada.auth)).json()
        assert [event["kind"] for event in undone["events"]] == ["CommandUndone", "TaskEdited"]
        assert undone["events"][0]["data"] == {"opId": op_id, "seq": run["seq"]}
        assert (run["entries"], run["opIds"][-1]) == (2, op_id)
