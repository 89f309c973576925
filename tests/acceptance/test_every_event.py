"""Every command, event and message of the published AsyncAPI document travels over a real socket, as it says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from protocol import examples
from protocol.base import instant_of
from server.clock import SystemClock
from server.rest.asyncapi import asyncapi_document
from tests.acceptance.walk import live_story
from tests.acceptance.walk.documents import Judge
from tests.acceptance.walk.live import JudgedClient, LiveRecord
from tests.acceptance.walk.live_story import Stage
from tests.acceptance.walk.names import Names
from tests.acceptance.walk.walker import Person
from tests.server.composed import Composed, composed_server
from tests.server.gateway.raw import RawClient

WHERE = "give each its place in the story: tests/acceptance/walk/live_story.py"
SHORT = {
    "heads_interval_s": 0.1,
    "transport_buffer_max_bytes": 65_536,
    "send_buffer_bytes": 8192,
    "lag_entries_max": 5,
    "timer_poll_interval_s": 0.1,
    "project_rank_short_characters_max": 8,
    "project_invitations_max": 1,
    "hub_linger_s": 0,
    "erasure_interval_s": 0.1,
}


class AheadClock(SystemClock):
    """The machine's, some days ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> str:
        return instant_of(datetime.now(UTC) + self.ahead)


async def registered(session: aiohttp.ClientSession, url: str, name: str) -> Person:
    body = {"username": name, "password": examples.PASSWORD}
    async with session.post(f"{url}/v1/users/register", json=body) as response:
        answer = await response.json()
        return Person(answer["userId"], answer["accessToken"])


@asynccontextmanager
async def a_stage(dsn: str, folder: Path) -> AsyncIterator[tuple[Stage, Composed]]:
    """A server, and three people at their sockets."""
    names = Names()
    async with composed_server(dsn, folder, **SHORT) as server, aiohttp.ClientSession() as session:
        async with session.get(f"{server.url}/asyncapi.json") as response:
            record = LiveRecord(await response.json(), names)
        people = {name: await registered(session, server.url, name) for name in ("ada", "ben", "cat")}
        for name, example in (("ada", examples.ADA), ("ben", examples.BEN), ("cat", examples.CAT)):
            names.know(example, people[name].id)
        await JudgedClient.refused_at_the_door(server.url, "nobody's", record)
        ada, ben, cat = [await JudgedClient.connect(server.url, one.token, record) for one in people.values()]
        try:
            yield Stage(ada, ben, cat, people, names.of(examples.PROJECT), record), server
        finally:
            for one in (ada, ben, cat):
                await one.client.close()


async def test_everything_that_is_published_travels(
    database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = AheadClock()
    monkeypatch.setattr("server.composition.heart.SystemClock", lambda: clock)
    async with a_stage(database_dsn, tmp_path) as (stage, server):
        for chapter in live_story.CHAPTERS:
            await chapter(stage)
        await too_far_behind(stage, server)
        await too_late(stage, clock)
        await gone_for_good(stage, server)
        record = stage.record
        assert record.missing_events == [], WHERE
        assert record.missing_commands({"project", "profile", "user"}) == [], WHERE
        assert record.missing_messages == [], WHERE
        assert record.untried_examples == [], "every published example is accepted as it stands, but for its ids"


def test_the_examples_of_messages_are_as_published() -> None:
    document = asyncapi_document("1")
    judge = Judge(document)
    for name, message in document["components"]["messages"].items():
        for one in message["examples"]:
            judge.judge(message["payload"], one["payload"], f"the example of {name}")


async def too_far_behind(stage: Stage, server: Composed) -> None:
    """A client that does not read for a while, until far more has happened than the project has records."""
    stream = f"project/{stage.project}"
    sleeper = await RawClient.entered(server.url, stage.people["ben"].token)
    joined = await stage.ben.ask("join", {"stream": stream})
    await sleeper.emit(0, "join", {"stream": stream, "cursor": joined["cursor"]})
    while not [text for text in await sleeper.read() if text.startswith("430")]:
        continue
    for number in range(150):
        size = 10_000 if number < 15 else 10  # what fills the buffers, and what is missed then
        await stage.send(stage.ben, "EditProject", description=f"{number} " + "x" * size)
    while "reset" not in stage.record.messages:
        for text in await sleeper.read():
            if text.startswith('42["reset"'):
                stage.record.travelled("reset", json.loads(text[2:])[1])
    sleeper.close()


async def too_late(stage: Stage, clock: AheadClock) -> None:
    """Nobody answers an invitation, and its place is needed. Ben owns the project by now."""
    ben, new = stage.ben, stage.record.names.of
    # Its deletion has ended his first one.
    await ben.ask("join", {"stream": f"project/{stage.project}", "cursor": "0.0"})
    await stage.send(ben, "InviteMember", invitationId=new("00000071-0000-7000-8000-000000000000"))
    clock.ahead = timedelta(days=30)
    await stage.send(ben, "InviteMember", invitationId=new("00000073-0000-7000-8000-000000000000"))
    await ben.until_event("InvitationExpired")


async def gone_for_good(stage: Stage, server: Composed) -> None:
    """The operator alone still sees the stream of a purged project: what is left of its entries."""
    await stage.send(stage.ben, "DeleteProject")
    await stage.send(stage.ben, "PurgeProject")
    while "Erased.1" not in stage.record.events:
        operator = await JudgedClient.connect(server.url, server.admin_token, stage.record)
        await operator.ask("join", {"stream": f"project/{stage.project}", "cursor": "0.0"})
        await operator.until_event("ProjectPurged")
        await operator.client.close()
