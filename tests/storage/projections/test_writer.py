"""The writer: many entries become few writes, and the checkpoint moves with them or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from protocol.faults import OutcomeUnknown
from protocol.log import Entry, shard_of
from protocol.messages import UnreadableEvent, pack_payload
from protocol.tasks import EditTask
from storage.ports import Move
from storage.postgres.consumers import PostgresConsumers
from storage.postgres.pool import Database
from storage.projections import tasks
from storage.projections.table import Row, Table
from storage.projections.tasks import TaskFact
from storage.projections.writer import ENTRIES_AT_A_TIME, PROJECTOR
from tests.actors.given import MEMBER, PROJECT_ID, TASK, a_task, moved
from tests.storage.projections.given import Feeder, table_rows

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

SHARD = shard_of(f"project/{PROJECT_ID}")
LOST_TASK = {"taskId": MEMBER.id, "changes": {}, "was": {}}
NO_TITLE = {"taskId": TASK, "changes": {"title": 5}, "was": {}}
NO_PRIORITY = {"taskId": TASK, "changes": {"priority": None}, "was": {}}


async def _feeder(database: Database) -> Feeder:
    await PostgresConsumers(database).positions(PROJECTOR)
    return Feeder(database)


async def test_many_edits_of_one_task_are_one_row_write(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    life = a_task()
    for number in range(50):
        life.given((MEMBER, EditTask(task_id=TASK, title=f"Title {number}")))
    written: list[tuple[str, int]] = []
    write = Table.write

    async def counted(self: Table, connection: object, rows: list[object]) -> None:
        written.append((self.name, len(rows)))
        await write(self, connection, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(Table, "write", counted)
    assert await (await _feeder(database)).feed(life.entries)
    assert written == [("projects", 1), ("members", 5), ("tasks", 1)]
    [task] = (await table_rows(database))["tasks"]
    assert (task["title"], task["seq"]) == ("Title 49", len(life.entries))


async def test_a_long_stretch_of_entries_leaves_the_loop_to_others(database: Database) -> None:
    life = a_task()
    for number in range(200):
        life.given((MEMBER, EditTask(task_id=TASK, title=f"Title {number}")))
    feeder = await _feeder(database)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    with pytest.raises(UnreadableEvent):
        await feeder.feed([*life.entries, replace(life.entries[-1], payload=b"\xc1")])
    counting.cancel()
    assert turns >= 200 // ENTRIES_AT_A_TIME, "nobody had a turn while the entries were read"


async def test_a_connection_that_breaks_before_the_commit_leaves_neither_effect_nor_checkpoint(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = a_task()
    feeder = await _feeder(database)
    write = Table.write

    async def break_after_tasks(self: Table, connection: Connection, rows: Collection[Row]) -> None:
        await write(self, connection, rows)
        if self.name == "tasks":
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr(Table, "write", break_after_tasks)
        with pytest.raises(OutcomeUnknown):
            await feeder.feed(life.entries)
    assert not any((await table_rows(database)).values())
    assert (await PostgresConsumers(database).positions(PROJECTOR))[SHARD] == 0
    assert await feeder.feed(life.entries)
    assert [task["seq"] for task in (await table_rows(database))["tasks"]] == [len(life.entries)]


async def test_a_defect_of_ours_is_not_blamed_on_the_log(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(row: Row | None, fact: TaskFact, entry: Entry) -> Row:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "fold", broken)
    with pytest.raises(ZeroDivisionError):
        await (await _feeder(database)).feed(a_task().entries)
    assert (await PostgresConsumers(database).positions(PROJECTOR))[SHARD] == 0


async def test_a_late_writer_changes_nothing(database: Database) -> None:
    life = a_task()
    feeder = await _feeder(database)
    assert await feeder.feed(life.entries)
    before = await table_rows(database)
    late = Feeder(database)
    assert not await late.feed(life.entries)
    assert await table_rows(database) == before
    assert (await PostgresConsumers(database).positions(PROJECTOR))[SHARD] == len(life.entries)


async def test_one_wrong_checkpoint_among_many_holds_all_back(database: Database) -> None:
    life = a_task()
    feeder = await _feeder(database)
    entries = [moved(entry, number) for number, entry in enumerate(life.entries, 1)]
    other = (SHARD + 1) % 128
    moves = {SHARD: Move(0, len(entries)), other: Move(5, 6)}
    assert not await feeder.writer.apply(moves, entries)
    assert not any((await table_rows(database)).values())
    assert (await PostgresConsumers(database).positions(PROJECTOR))[SHARD] == 0


@pytest.mark.parametrize(
    "payload",
    [
        b"\xc1",
        pack_payload([{"kind": "ProjectExploded", "version": 1, "data": {}}], None),
        pack_payload([{"kind": "ProjectDeleted", "version": 99, "data": {}}], None),
        pack_payload([{"kind": "TaskEdited", "version": 1, "data": LOST_TASK}], None),
        pack_payload([{"kind": "TaskEdited", "version": 1, "data": {"changes": {}}}], None),
        pack_payload([{"kind": "TaskEdited", "version": 1, "data": ["no", "fields"]}], None),
        pack_payload([{"kind": "TaskEdited", "version": 1, "data": NO_TITLE}], None),
        pack_payload([{"kind": "TaskEdited", "version": 1, "data": NO_PRIORITY}], None),
    ],
    ids=[
        "no entry",
        "unknown kind",
        "unknown version",
        "a task that never was",
        "a task that is not named",
        "no data",
        "a value of another type",
        "a value that must not be null",
    ],
)
async def test_an_entry_that_cannot_be_read_leaves_everything_as_it_was(database: Database, payload: bytes) -> None:
    life = a_task()
    feeder = await _feeder(database)
    bad = replace(life.entries[-1], seq=life.entries[-1].seq + 1, payload=payload)
    with pytest.raises(UnreadableEvent):
        await feeder.feed([*life.entries, bad])
    assert not any((await table_rows(database)).values())
    assert (await PostgresConsumers(database).positions(PROJECTOR))[SHARD] == 0
