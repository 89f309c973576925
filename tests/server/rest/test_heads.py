"""HEAD of what goes on for long: the headers, and the end, where there is no place left for a GET too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from server.rest.event_streams import EventStreamLimits
from server.rest.export_places import ExportLimits
from tests.server.rest.test_events import a_log
from tests.server.world import World, a_world, problem_of

LIVE = "text/event-stream"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(
        event_streams=EventStreamLimits(connections_per_user_max=0), exports=ExportLimits(at_once_max=0)
    ) as world:
        yield world


async def head(world: World, path: str, headers: Mapping[str, str]) -> tuple[str, bytes]:
    """The headers of the answer to HEAD, and the line behind them: that of the next answer on the connection."""
    reader, writer = await asyncio.open_connection(str(world.http.host), int(str(world.http.port)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    asked = f"HEAD {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    writer.write(asked.encode())
    try:
        async with asyncio.timeout(5):
            return (await reader.readuntil(b"\r\n\r\n")).decode(), await reader.readline()
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/v1/projects/{project}/events", LIVE),
        ("/v1/users/{user}/events", LIVE),
        ("/v1/projects/{project}/export", "application/x-ndjson"),
        ("/v1/users/{user}/export", "application/x-ndjson"),
    ],
)
async def test_it_ends_behind_its_headers_and_takes_no_place(world: World, path: str, media: str) -> None:
    ada, project, _ = await a_log(world)
    path = path.format(project=project, user=ada.id)
    headers = {**ada.auth, "Accept": media}
    answer, behind = await head(world, path, headers)
    assert answer.startswith("HTTP/1.1 200")
    assert f"Content-Type: {media}" in answer
    assert behind.startswith(b"HTTP/1.1 404")
    await problem_of(await world.http.get(path, headers=headers), 503)


async def test_it_is_refused_as_a_get_is(world: World) -> None:
    ada, _, path = await a_log(world)
    bob = await world.register("bob")
    assert (await head(world, path, {**bob.auth, "Accept": LIVE}))[0].startswith("HTTP/1.1 404")
    broken = {**ada.auth, "Accept": LIVE, "Last-Event-ID": "x"}
    assert (await head(world, path, broken))[0].startswith("HTTP/1.1 400")
