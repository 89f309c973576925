"""P6 for the read tables: once they have caught up they are what the log means; and wrong projections are caught."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from protocol.log import Entry, shard_of
from storage.postgres.consumers import PostgresConsumers
from storage.postgres.pool import Database
from storage.projections import comments, links, members, profiles, projects, tasks
from storage.projections.table import Row, Table
from storage.projections.writer import PROJECTOR
from tests.actors.given import Life, uuid
from tests.laws.law import check_profile, check_project
from tests.laws.lives import live_many
from tests.laws.naive import naive_world
from tests.laws.naive_activity import naive_activity
from tests.laws.records import PROJECTED
from tests.laws.strategies import PROFILE_LIVES, PROJECT_LIVES
from tests.storage.projections.given import Feeder, activity_rows, by_key, forget_everything, table_rows

LIVES_PER_RUN = 8


@pytest.fixture(scope="module")
def logs() -> list[list[Entry]]:
    """Random lives, each under a name of its own."""
    lives: list[list[Entry]] = []

    def collect(life: Life) -> None:
        lives.append(_renamed(life.entries, uuid(0xF000 + len(lives))))

    live_many(PROJECT_LIVES, lambda steps: collect(check_project(steps)), lives_per_run=LIVES_PER_RUN)
    live_many(PROFILE_LIVES, lambda steps: collect(check_profile(steps)), lives_per_run=LIVES_PER_RUN)
    return lives


def _renamed(entries: Sequence[Entry], new_id: str) -> list[Entry]:
    renamed = []
    for entry in entries:
        kind, _, old_id = entry.stream.partition("/")
        stream = f"{kind}/{new_id}"
        # All ids are of one length, and the records that hold the stream's own id are rewritten with it.
        payload = entry.payload.replace(old_id.encode(), new_id.encode())
        renamed.append(replace(entry, stream=stream, shard=shard_of(stream), payload=payload))
    return renamed


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn, "tests", unsafe_durability=True)
    await PostgresConsumers(opened).positions(PROJECTOR)
    yield opened
    await opened.close()


def _expected(logs: Sequence[Sequence[Entry]]) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {name: [] for name in PROJECTED}
    for log in logs:
        if not log:
            continue
        own = log[0].stream.partition("/")[2]
        for name, records in naive_world(log).items():
            within = {"projectId": own} if name not in ("projects", "profiles", "purges") else {}
            if name in PROJECTED:
                rows[name].extend({**within, **record} for record in records.values())
    return {name: by_key(found) for name, found in rows.items()}


async def _project(database: Database, logs: Sequence[Sequence[Entry]], seed: int) -> None:
    """All logs shuffled into each other, in batches of random sizes."""
    chance = Random(seed)
    waiting = [list(log) for log in logs if log]
    line: list[Entry] = []
    while waiting:
        log = chance.choice(waiting)
        line.append(log.pop(0))
        waiting = [log for log in waiting if log]
    feeder = Feeder(database)
    while line:
        size = chance.choice([1, 2, 7, 60, 200])
        batch, line = line[:size], line[size:]
        assert await feeder.feed(batch)


async def test_the_read_tables_are_what_the_log_means(database: Database, logs: list[list[Entry]]) -> None:
    await _project(database, logs, seed=1)
    found = await table_rows(database)
    assert found == _expected(logs)
    assert all(found.values()), "a table stayed empty, so nothing was proven about it"


async def test_activity_is_found_where_the_log_speaks_of_it(database: Database, logs: list[list[Entry]]) -> None:
    await _project(database, logs, seed=3)
    objects, authors = await activity_rows(database)
    expected = [naive_activity(log) for log in logs if log]
    assert objects == set().union(*(found for found, _ in expected))
    assert authors == set().union(*(found for _, found in expected))


# --------------------------------------------------------------------------- planted faults

Patch = Callable[[pytest.MonkeyPatch], None]


def _forgets_labels(patch: pytest.MonkeyPatch) -> None:
    fold = tasks.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row:
        if fact["kind"] == "TaskEdited":
            fact = {**fact, "data": {**fact["data"], "labelsRemoved": []}}
        return fold(row, fact, entry)

    patch.setattr(tasks, "fold", wrong)


def _never_reopens(patch: pytest.MonkeyPatch) -> None:
    fold = tasks.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row:
        folded = fold(row, fact, entry)
        return folded if row is None or row["closedAt"] is None else {**folded, "closedAt": row["closedAt"]}

    patch.setattr(tasks, "fold", wrong)


def _keeps_removed_members(patch: pytest.MonkeyPatch) -> None:
    fold = members.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row | None:
        return row if fact["kind"] == "MemberRemoved" else fold(row, fact, entry)

    patch.setattr(members, "fold", wrong)


def _keeps_removed_links(patch: pytest.MonkeyPatch) -> None:
    fold = links.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row | None:
        return row if fact["kind"] == "LinkRemoved" else fold(row, fact, entry)

    patch.setattr(links, "fold", wrong)


def _leaves_tombstones(patch: pytest.MonkeyPatch) -> None:
    fold = tasks.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row:
        folded = fold(row, fact, entry)
        return {**folded, "deletedAt": row["deletedAt"]} if row is not None else folded

    patch.setattr(tasks, "fold", wrong)


def _never_restores(patch: pytest.MonkeyPatch) -> None:
    fold = projects.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row:
        restored = fold(row, fact, entry)
        if fact["kind"] == "ProjectRestored" and row is not None:
            return {**restored, "deletedAt": row["deletedAt"]}
        return restored

    patch.setattr(projects, "fold", wrong)


def _dates_comments_by_their_recording(patch: pytest.MonkeyPatch) -> None:
    fold = comments.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row:
        return fold(row, fact, replace(entry, at=entry.recorded_at))

    patch.setattr(comments, "fold", wrong)


def _loses_the_history_of_comments(patch: pytest.MonkeyPatch) -> None:
    fold = comments.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row:
        folded = fold(row, fact, entry)
        return {**folded, "edits": folded["edits"][-1:]} if fact["kind"] == "CommentEdited" else folded

    patch.setattr(comments, "fold", wrong)


def _never_clears_a_profile(patch: pytest.MonkeyPatch) -> None:
    fold = profiles.fold

    def wrong(row: Row | None, fact: Any, entry: Entry) -> Row:
        if fact["kind"] == "ProfileEdited":
            kept = {name: value for name, value in fact["data"]["changes"].items() if value is not None}
            fact = {**fact, "data": {**fact["data"], "changes": kept}}
        return fold(row, fact, entry)

    patch.setattr(profiles, "fold", wrong)


def _does_not_say_how_far_it_is(patch: pytest.MonkeyPatch) -> None:
    async def wrong(connection: Any, seqs: Any) -> None:
        """Nothing."""

    patch.setattr(projects, "reach", wrong)


def _writes_only_what_is_new(patch: pytest.MonkeyPatch) -> None:
    write = Table.write

    async def wrong(self: Table, connection: Any, rows: Any) -> None:
        found = await self.load(connection, [self.key_of(row) for row in rows])
        await write(self, connection, [row for row in rows if self.key_of(row) not in found])

    patch.setattr(Table, "write", wrong)


@pytest.mark.parametrize(
    "plant",
    [
        _forgets_labels,
        _never_reopens,
        _keeps_removed_members,
        _keeps_removed_links,
        _leaves_tombstones,
        _never_restores,
        _dates_comments_by_their_recording,
        _loses_the_history_of_comments,
        _never_clears_a_profile,
        _does_not_say_how_far_it_is,
        _writes_only_what_is_new,
    ],
)
async def test_a_wrong_projection_is_caught(
    database: Database, logs: list[list[Entry]], monkeypatch: pytest.MonkeyPatch, plant: Patch
) -> None:
    plant(monkeypatch)
    await forget_everything(database)
    await PostgresConsumers(database).positions(PROJECTOR)
    await _project(database, logs, seed=2)
    assert await table_rows(database) != _expected(logs)
