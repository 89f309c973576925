"""The two clients that people use: python-socketio's, and the JavaScript one."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import socketio
from socketio.exceptions import ConnectionError as Refused

from protocol.cursors import Cursor
from protocol.projects import CreateProject
from protocol.tasks import CreateTask
from tests.acceptance.javascript import installed, node
from tests.server.gateway.client import command
from tests.server.gateway.hive import Hive, eventually, new_project

SCRIPT = Path(__file__).parent / "js" / "resume.mjs"


PYTHON_CLIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "json": ({}, "socket.io"),
    "msgpack": ({"serializer": "msgpack"}, "socket.io-msgpack"),
}
"""Parser → python-socketio's options, and the path that serves it."""


@pytest.mark.parametrize("parser", PYTHON_CLIENTS)
async def test_python_socketio_s_client_follows_and_commands(hive: Hive, parser: str) -> None:
    options, path = PYTHON_CLIENTS[parser]
    _, token = await hive.user("ada")
    stream = new_project()
    client = socketio.AsyncClient(reconnection=False, **options)
    came: list[tuple[str, Any]] = []
    for name in ("entries", "snapshot"):
        client.on(name, lambda data, name=name: came.append((name, data)))
    await client.connect(hive.url, auth={"token": token}, transports=["websocket"], socketio_path=path)
    created = await client.call("command", command(stream, "CreateProject", {"name": "Apollo"}))
    assert Cursor.parse(created["cursor"]).seq == 1
    joined = await client.call("join", {"stream": stream})
    assert joined["mode"] == "snapshot"
    answers = await asyncio.gather(
        *(client.call("command", command(stream, "CreateTask", {"title": str(number)})) for number in range(10))
    )
    assert sorted(Cursor.parse(answer["cursor"]).seq for answer in answers) == list(range(2, 12))
    await eventually(lambda: sum(len(data["entries"]) for name, data in came if name == "entries") == 10)
    assert came[0][0] == "snapshot"
    await client.disconnect()
    await eventually(lambda: not hive.left())


@pytest.mark.parametrize("parser", PYTHON_CLIENTS)
async def test_python_socketio_s_client_hears_why_it_is_refused(hive: Hive, parser: str) -> None:
    options, path = PYTHON_CLIENTS[parser]
    client = socketio.AsyncClient(reconnection=False, **options)
    heard: list[Any] = []
    client.on("connect_error", heard.append)
    with pytest.raises(Refused):
        await client.connect(hive.url, auth={"token": "wrong"}, transports=["websocket"], socketio_path=path)
    assert heard[0]["message"]
    assert heard[0]["data"]["code"] == "unauthenticated"
    await client.shutdown()
    await eventually(lambda: not hive.left())


if node() is not None:

    @pytest.mark.parametrize("parser", PYTHON_CLIENTS)
    async def test_the_javascript_client_follows_commands_and_resumes(hive: Hive, parser: str) -> None:
        """Where Node is, a break fails. The client is cut off and comes back by itself, with its cursor."""
        folder = await asyncio.to_thread(installed)
        script = shutil.copy(SCRIPT, folder / SCRIPT.name)
        ada, token = await hive.user("ada")
        stream = new_project()
        await hive.send(stream, CreateProject(name="Apollo", owner_id=ada))
        process = await asyncio.create_subprocess_exec(
            node() or "node",
            script,
            hive.url,
            token,
            json.dumps(command(stream, "CreateTask", {"title": "from JavaScript"})),
            parser,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(20):
                first = json.loads(await process.stdout.readline() or await process.stderr.read())
                assert first["refusal"] == {"message": "the token is not valid", "code": "unauthenticated"}
                live = json.loads(await process.stdout.readline())
                assert live["joined"]["mode"] == "snapshot"
                assert live["project"] == "Apollo"
                assert [entry["seq"] for entry in live["entries"]] == [2]
                assert live["answer"]["cursor"] == f"2.{live['entries'][0]['epoch']}"
                for session in list(hive.gateway._entered):
                    session.socket.abort()
                for number in range(3):
                    await hive.send(stream, CreateTask(title=f"missed {number}"))
                back = json.loads(await process.stdout.readline())
                assert back["joined"]["mode"] == "resume"
                assert [entry["seq"] for entry in back["entries"]] == [3, 4, 5]
                assert await process.wait() == 0, await process.stderr.read()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        await eventually(lambda: not hive.left())
