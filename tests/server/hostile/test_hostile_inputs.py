"""Every hostile input gets its answer, never a 5xx; it leaves nothing behind, and in the log its own line alone."""

from __future__ import annotations

import asyncio
import io
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
import pytest_asyncio

from config.logging import configure_logging
from scripts.write_hostile_inputs import main
from tests.kept_logging import logging_as_before
from tests.postgres import fresh_database
from tests.server.gateway.hive import eventually
from tests.server.hostile.row import Row
from tests.server.hostile.scene import Scene, a_scene
from tests.server.hostile.table import ROWS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("hostile")]

FORGED: Final = "forged"
"""What rows would write into a line of its own, if they could."""
LINE: Final = {"at", "level", "event", "logger"}
"""What every line has; requests have more."""
OF_REQUEST: Final = {"method", "path", "status", "milliseconds", "remote", "request_id", "user_id", "route", "why"}
BEATS: Final = {
    "consumer_waits",
    "endings cannot be read",
    "erasure_waits",
    "the database answers",
    "the database does not answer",
    "the lease could not be renewed",
}
"""What the server says by itself on a machine that is busy with other things; no input brings it about."""
QUIET: Final = {"debug", "info"}
HOUSEKEEPING: Final = {"sleep", "Event.wait", "Database._write", "Database._read", "PoolConnectionHolder.release"}
"""Tasks of the server's own beats, which come and go: consumers and leases."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as JSON; afterwards logging is as it was."""
    stream = io.StringIO()
    with logging_as_before():
        configure_logging("json", "debug", stream)
        yield stream


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    postgres_dsn_root: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory, log: io.StringIO
) -> AsyncIterator[Scene]:
    """One server for all rows."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    async with (
        fresh_database(postgres_dsn_root, template=migrated_template) as dsn,
        a_scene(dsn, folder, log) as scene,
    ):
        before = await scene.following()
        yield scene
        assert await scene.following() == before, "what follows the log has grown"


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[row.what for _, row in ROWS])
async def test_a_hostile_input_gets_its_answer_and_leaves_nothing(scene: Scene, row: Row) -> None:
    kept, logged, tasks = await scene.kept(), len(scene.log.getvalue()), working()

    assert await row.sending.act(scene) == row.comes, row.what

    assert grown(kept, await scene.kept()) == row.leaves
    await nothing_open(scene, tasks)
    judge_log(scene, logged)


async def nothing_open(scene: Scene, before: Counter[str]) -> None:
    """No connection is left, and no task that was not there before. Fails with what is left."""
    try:
        await eventually(lambda: not scene.open_connections() and not working() - before, 5)
    except TimeoutError:
        raise AssertionError(f"left: {scene.open_connections()} connections, {working() - before}") from None


def working() -> Counter[str]:
    """The tasks that there are, by what they do."""
    names = (str(getattr(task.get_coro(), "__qualname__", "")) for task in asyncio.all_tasks())
    return Counter(name for name in names if name not in HOUSEKEEPING)


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> Mapping[str, int]:
    """Table → rows more."""
    return Counter(after) - Counter(before)


def judge_log(scene: Scene, logged: int) -> None:
    """One line is one record of ours, without secrets; nothing hostile is worth a warning."""
    for line in scene.log_lines(logged):
        record: dict[str, Any] = orjson.loads(line)
        assert not [secret for secret in scene.secrets if secret in line], line
        assert record["event"] != FORGED, line
        if record["event"] not in BEATS:
            assert set(record) <= LINE | OF_REQUEST, line
            assert record["level"] in QUIET, line
            assert "6.6.6.6" not in record.get("remote", ""), line
            assert _ID.fullmatch(record.get("request_id", "no-request")), line


async def test_nothing_secret_was_logged_at_any_time(scene: Scene) -> None:
    """The set-up too: people registered, logged in and made tokens."""
    text = scene.log.getvalue()
    assert '"event":"request"' in text
    assert [secret for secret in scene.secrets if secret in text] == []


async def test_the_page_is_up_to_date() -> None:
    assert main(["--check"]) == 0, "run python scripts/write_hostile_inputs.py"


async def test_no_answer_is_a_failure() -> None:
    assert [row.what for _, row in ROWS if re.match("5|ack internal", row.comes)] == []


async def test_the_table_is_long_and_its_lines_have_names_of_their_own() -> None:
    names = [row.what for _, row in ROWS]
    assert len(names) >= 90
    assert [name for name, count in Counter(names).items() if count > 1] == []
