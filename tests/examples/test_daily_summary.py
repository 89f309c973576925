"""The daily summary says of each day what happened on it, whenever it is written, and once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from examples.daily_summary import DailySummary
from pantherahive_client import Client, MemoryCursors, derived_id, rehearse, run_bot
from pantherahive_client.bot_runs import LATE_S
from tests.client.test_bots import Clock
from tests.client.waiting import until
from tests.examples.given import a_bot, command, has_begun, register
from tests.server.composed import composed_server

SUMMARIES = [
    "**2020-01-01**\n\n* 2 new: APOLLO-1, APOLLO-2\n* 2 open",
    "**2020-01-02**\n\n* 1 closed: APOLLO-1\n* 1 comment\n* 1 open",
    "**2020-01-04**\n\n* 1 new: APOLLO-3\n* 2 open, overdue: APOLLO-2",
]


async def four_days(operator: Client, project_id: str) -> None:
    """A history of January 2020 by people who are no members. Nothing happens on the third."""
    first, second = derived_id(None, "first"), derived_id(None, "second")
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("2020-01-01T08:00:00Z", "CreateTask", {"taskId": first, "title": "Land"}),
        ("2020-01-01T09:00:00Z", "CreateTask", {"taskId": second, "title": "Return", "dueDate": "2020-01-03"}),
        ("2020-01-02T10:00:00Z", "EditTask", {"taskId": first, "stateId": "done"}),
        ("2020-01-02T23:59:59Z", "AddComment", {"taskId": first, "body": "It has landed."}),
        ("2020-01-04T00:00:00Z", "CreateTask", {"title": "Celebrate"}),
    ]
    for at, kind, data in steps:
        origin: Any = {"author": "external:log:houston", "at": at}
        await operator.command(f"project/{project_id}", kind, data, origin=origin)


async def test_each_day_gets_its_summary_once_and_a_rehearsal_foretells_it(database_dsn: str, tmp_path: Path) -> None:
    async with composed_server(database_dsn, tmp_path) as server:
        ada = await register(server.url, "ada")
        async with Client(server.url, token=server.admin_token) as operator:
            project_id = await operator.create_project("Apollo", owner_id=ada.id)
            await four_days(operator, project_id)
        bot, cursors = await a_bot(ada, project_id, "summary"), MemoryCursors()
        until_day_5 = datetime(2020, 1, 5, tzinfo=UTC)
        clock = Clock(datetime(2020, 1, 1, tzinfo=UTC))
        async with bot.client() as hive, hive.project(project_id) as project:
            foretold = await rehearse(hive, project_id, DailySummary(), "summary", after=1, until=until_day_5)
            first = (await project.reads.entries().all())[0]
            options: Any = {"cursors": cursors, "start": f"1.{first['epoch']}", "clock": clock, "look_every_s": 0.02}
            for _ in range(2):
                async with bot.client() as own:
                    life = asyncio.create_task(run_bot(own, project_id, DailySummary(), "summary", **options))
                    await until(lambda life=life: has_begun(cursors) or life.done())  # type: ignore[misc]
                    clock.now = datetime(2020, 1, 5, 1, tzinfo=UTC)
                    await until(lambda life=life: len(project.state.comments) == 4 or life.done())  # type: ignore[misc]
                    life.cancel()
                    await asyncio.wait([life])
            [task] = [task for task in project.state.living_tasks() if task["createdBy"] == bot.id]
            said = [one["body"] for one in project.state.comments.values() if one["taskId"] == task["id"]]
            assert (task["title"], said) == ("Daily summary", SUMMARIES)
            assert [act.data["body"] for act in foretold.acts if act.command == "AddComment"] == SUMMARIES
            assert {act.op_id for act in foretold.acts} <= {
                entry["opId"] for entry in await project.reads.entries().all()
            }


async def test_a_day_at_whose_end_the_project_is_archived_is_passed_over(database_dsn: str, tmp_path: Path) -> None:
    async with composed_server(database_dsn, tmp_path) as server:
        ada = await register(server.url, "ada")
        project_id = str((await ada.api.ask("POST", "/v1/projects", {"name": "Apollo"}))["id"])
        bot, cursors = await a_bot(ada, project_id, "summary"), MemoryCursors()
        clock = Clock(datetime.now(UTC))
        async with bot.client() as hive:
            options: Any = {"cursors": cursors, "clock": clock, "look_every_s": 0.02}
            life = asyncio.create_task(run_bot(hive, project_id, DailySummary(), "summary", **options))
            await until(lambda: has_begun(cursors) or life.done())
            await command(ada, project_id, "ArchiveProject")
            clock.now += timedelta(days=2)
            midnight = (clock.now - timedelta(seconds=LATE_S)).date()
            told = f'"told": "{midnight}T00:00:00.000Z"'
            await until(lambda: any(told in text for text in cursors.texts.values()) or life.done())
            assert not life.done(), life.result()
            life.cancel()
            await asyncio.wait([life])
        listed = await ada.api.ask("GET", f"/v1/projects/{project_id}/tasks")
        assert listed == []
