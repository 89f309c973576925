"""Commands that say what their sender had seen, through the live protocol."""

from __future__ import annotations

from typing import Any

from tests.server.clock import RandomIds
from tests.server.gateway.hive import Hive


async def test_two_who_edit_at_once_lose_nothing(hive: Hive) -> None:
    ada, token = await hive.user("ada")
    stream = await hive.project(owner=ada)
    client = await hive.client(token)

    async def send(name: str, data: dict[str, Any], base: int | None = None) -> Any:
        wish = {"stream": stream, "opId": RandomIds().new_id(), "type": name, "data": data}
        return await client.ask("command", wish if base is None else {**wish, "base": base})

    made = await send("CreateTask", {"title": "Land", "labels": ["moon"]}, 1)
    task_id, seen = made["result"]["taskId"], int(made["cursor"].split(".")[0])
    assert "error" not in await send("EditTask", {"taskId": task_id, "title": "Land softly", "addLabels": ["a"]}, seen)
    assert "error" not in await send("EditTask", {"taskId": task_id, "priority": "high", "addLabels": ["b"]}, seen)
    refused = (await send("EditTask", {"taskId": task_id, "title": "Crash"}, seen))["error"]
    assert (refused["code"], refused["retryable"]) == ("conflict", False)
    [field] = refused["details"]["fields"]
    assert (field["field"], field["yours"], field["current"]) == ("title", "Crash", "Land softly")
    assert (field["what"], field["id"], field["author"], field["seq"]) == ("task", task_id, ada, seen + 1)
    assert "error" not in await send("EditTask", {"taskId": task_id, "title": "Land softly"}, seen), "it says the same"
    ahead = (await send("EditTask", {"taskId": task_id, "title": "Crash"}, 99))["error"]
    assert (ahead["code"], ahead["details"]["reason"]) == ("invalid", "base_in_future")

    [task] = (await hive.view(stream))[0]["tasks"].values()
    assert (task["title"], task["priority"], task["labels"]) == ("Land softly", "high", ["moon", "a", "b"])
