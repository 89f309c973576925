"""Who Postgres runs as."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import AccountMissing, EmbeddedPostgres
from storage.embedded.account import choose_account
from storage.embedded.binaries import find_binaries
from storage.embedded.postmaster import wait_until
from tests.storage.embedded.given import alive, application, needs_root, sql

NOBODY = "nobody"
NOBODY_UID, NOBODY_GID = pwd.getpwnam(NOBODY)[2:4]


@pytest.mark.only_if(os.geteuid() != 0)
def test_a_normal_user_stays_who_it_is(tmp_path: Path) -> None:
    account = choose_account(tmp_path)
    assert (account.uid, account.dropped) == (os.geteuid(), False)


@needs_root
def test_root_drops_to_the_first_account_that_exists(tmp_path: Path) -> None:
    account = choose_account(tmp_path / "missing", ["no-such-account", NOBODY])
    assert (account.name, account.dropped) == (NOBODY, True)


@needs_root
def test_the_owner_of_an_existing_cluster_comes_first(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY_UID, NOBODY_GID)
    assert choose_account(tmp_path, ["daemon"]).name == NOBODY


@needs_root
def test_root_without_any_account_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AccountMissing, match="start as a normal user"):
        choose_account(tmp_path, ["no-such-account"])


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A data folder that belongs to a normal user and can be reached by it: pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="pantherahive-user-") as name:
        os.chown(name, NOBODY_UID, NOBODY_GID)
        yield Path(name)


@needs_root
def test_a_normal_user_starts_stops_is_killed_and_starts_again(nobodys_folder: Path) -> None:
    binaries = find_binaries(choose_account(nobodys_folder)).folder
    with application(nobodys_folder, binaries, NOBODY) as first:
        assert "error" not in first.said
        sql(first.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 100) AS n")
    with application(nobodys_folder, binaries, NOBODY) as killed:
        sql(killed.dsn, "INSERT INTO kept VALUES (101)")
        assert Path(f"/proc/{killed.postmaster}").stat().st_uid == NOBODY_UID
        killed.kill()
        assert wait_until(lambda: not alive(killed.postmaster), 2)
    with application(nobodys_folder, binaries, NOBODY) as again:
        assert sql(again.dsn, "SELECT count(*) FROM kept") == 101


@needs_root
def test_root_takes_a_users_folder_over_as_that_user(nobodys_folder: Path) -> None:
    binaries = find_binaries(choose_account(nobodys_folder)).folder
    with application(nobodys_folder, binaries, NOBODY) as first:
        sql(first.dsn, "CREATE TABLE kept (n int)")
    server = EmbeddedPostgres(nobodys_folder)
    try:
        assert sql(server.start(), "SELECT count(*) FROM kept") == 0
        assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY_UID
    finally:
        server.stop()
    with application(nobodys_folder, binaries, NOBODY) as back:
        assert "error" not in back.said
