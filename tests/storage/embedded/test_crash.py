"""Deaths in every order: of the application, of the server, of both; and what the next start finds."""

import asyncio
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import DataFolderInUse, DataFolderLock, EmbeddedPostgres, StartFailed
from storage.embedded.account import choose_account
from storage.embedded.child import spawn
from storage.embedded.postmaster import PostmasterFile, wait_until
from storage.embedded.server import PROGRESS_INTERVAL_S, Patience
from tests.storage.embedded.given import alive, application, sql

linux_only = pytest.mark.only_if(os.uname().sysname == "Linux")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path)
    yield server
    server.stop()


@linux_only
def test_the_server_ends_within_two_seconds_of_the_application(tmp_path: Path, server: EmbeddedPostgres) -> None:
    with application(tmp_path) as killed:
        sql(killed.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 300) AS n")
        killed.kill()
        assert wait_until(lambda: not alive(killed.postmaster), 2)
    assert PostmasterFile.read(tmp_path / "postgres") is None
    assert sql(server.start(), "SELECT count(*) FROM kept") == 300


def test_a_start_right_after_the_kill_waits_for_the_server_on_its_way_out(
    tmp_path: Path, server: EmbeddedPostgres
) -> None:
    with application(tmp_path) as killed:
        sql(killed.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 300) AS n")
        killed.kill()
        assert sql(server.start(), "SELECT count(*) FROM kept") == 300
        assert server.pid != killed.postmaster


def test_a_killed_server_is_started_again_with_all_that_was_committed(server: EmbeddedPostgres) -> None:
    dsn = server.start()
    sql(dsn, "CREATE TABLE kept (n int)", *(f"INSERT INTO kept VALUES ({n})" for n in range(200)))
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: server.pid is None, 2)
    assert server.start() == dsn
    assert server.pid not in (None, killed)
    assert sql(dsn, "SELECT count(*) FROM kept") == 200


def test_a_restart_leaves_the_loop_to_others_and_may_fail_and_be_tried_again(server: EmbeddedPostgres) -> None:
    dsn = server.start()
    sql(dsn, "CREATE TABLE kept AS SELECT generate_series(1, 300) AS n")
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: server.pid is None, 2)

    async def again() -> int:
        with pytest.raises(StartFailed, match=r"not ready within 0 s|ended at once"):
            await server.restart(0)
        assert server.pid is None
        turns = 0
        task = asyncio.create_task(server.restart(30))
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        await task
        return turns

    assert asyncio.run(again()) > 1
    assert sql(dsn, "SELECT count(*) FROM kept") == 300


def test_a_long_start_says_that_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pantherahive.postgres")
    patience = Patience(time.monotonic() - PROGRESS_INTERVAL_S, 300)
    patience.tell_progress()
    patience.tell_progress()
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for Postgres to recover: 5 s of at most 300 s"
    ]
    assert not patience.is_over


def test_application_and_server_killed_together_lose_nothing(tmp_path: Path, server: EmbeddedPostgres) -> None:
    with application(tmp_path) as killed:
        sql(killed.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 300) AS n")
        os.kill(killed.postmaster, signal.SIGKILL)
        killed.kill()
        assert sql(server.start(), "SELECT count(*) FROM kept") == 300


def test_a_server_that_nobody_told_is_ended(tmp_path: Path, server: EmbeddedPostgres) -> None:
    forgotten = EmbeddedPostgres(tmp_path)
    sql(forgotten.start(), "CREATE TABLE kept (n int)")
    left = forgotten.pid
    assert left is not None
    # As if its application had died where the kernel tells nobody: the lock is free, the server runs.
    forgotten._lock.release()
    assert sql(server.start(), "SELECT count(*) FROM kept") == 0
    assert not alive(left)
    assert forgotten.pid is None


def test_a_stranger_that_got_the_dead_servers_pid_is_left_alone(tmp_path: Path, server: EmbeddedPostgres) -> None:
    sql(server.start(), "CREATE TABLE kept (n int)")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: server.pid is None, 2)
    stranger = spawn(["sleep", "60"], choose_account(tmp_path / "postgres"), output=subprocess.DEVNULL)
    try:
        file = tmp_path / "postgres" / "postmaster.pid"
        _, _, rest = file.read_text().partition("\n")
        file.write_text(f"{stranger.pid}\n{rest}")
        assert sql(server.start(), "SELECT count(*) FROM kept") == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_second_application_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    with application(tmp_path) as first:
        with application(tmp_path) as second:
            assert second.said["error"] == "DataFolderInUse"
            assert f"process {first.process.pid}." in second.said["message"]
        with pytest.raises(DataFolderInUse, match=str(first.process.pid)):
            DataFolderLock(tmp_path).acquire()
        assert sql(first.dsn, "SELECT 1") == 1
