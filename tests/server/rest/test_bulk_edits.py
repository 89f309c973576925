"""Many edits in one request."""

from __future__ import annotations

from protocol.tasks import CreateTask, EditTask
from tests.server.world import World, problem_of

NOBODY = "018f0000-0000-7000-8000-0000000000ff"


async def test_each_item_has_its_result_and_a_retry_gets_the_same(world: World) -> None:
    ada, grace = await world.register("ada"), await world.register("grace")
    project = (await world.project(ada))["id"]
    made = [await world.send(ada, project, CreateTask(title=title)) for title in "ab"]
    a, b = (accepted.result["taskId"] for accepted in made)
    path = f"/v1/projects/{project}/tasks/bulk"
    body = {"edits": [{"taskId": a, "title": "x"}, {"taskId": NOBODY, "title": "y"}, {"taskId": b, "stateId": "done"}]}
    headers = {**ada.auth, "Idempotency-Key": "bulk-1"}
    first = await world.http.post(path, json=body, headers=headers)
    assert first.status == 200, await first.text()
    answer = await first.json()
    items = answer["result"]["items"]
    assert [(item["taskId"], item.get("ok")) for item in items] == [(a, True), (NOBODY, None), (b, True)]
    assert items[1]["error"]["code"] == "not_found"
    await world.send(ada, project, EditTask(task_id=a, title="z"))
    again = await world.http.post(path, json=body, headers=headers)
    assert await again.json() == answer
    await problem_of(await world.http.post(path, json={"edits": body["edits"][:1]}, headers=headers), 409)
    stale = await world.http.post(f"{path}?base=3", json={"edits": body["edits"][:1]}, headers=ada.auth)
    [item] = (await stale.json())["result"]["items"]
    assert item["error"]["code"] == "conflict"

    await problem_of(await world.http.post(f"{path}?base=99", json=body, headers=ada.auth), 400)
    await problem_of(await world.http.post(path, json={"edits": []}, headers=ada.auth), 400)
    await problem_of(await world.http.post(path, json=body, headers=grace.auth), 404)
    await problem_of(await world.http.post(path, json=body), 401)
