"""The server's life: first start, restart, stop, and every refusal. Root's `tmp_path` has closed parents."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import (
    DataFolderUnusable,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    NotMainThread,
    StartFailed,
    WrongMajorVersion,
    running_dsn,
)
from storage.embedded.binaries import SYSTEM_INSTALLATIONS
from storage.embedded.folder import LOG_BYTES_MAX
from tests.storage.embedded.given import give_to_postgres, needs_root, sql


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "data")
    yield server
    server.stop()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_start_makes_a_closed_durable_utf8_database(server: EmbeddedPostgres, tmp_path: Path) -> None:
    dsn = server.start()
    assert server.pid is not None
    assert sql(dsn, "SELECT current_database()") == "pantherahive"
    assert sql(dsn, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'postgres'") == "UTF8"
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert sql(dsn, f"SHOW {name}") == "on"
    assert sql(dsn, "SHOW listen_addresses") == ""
    assert sql(dsn, "SELECT lower('ÄÉΩ')") == "äéω"
    sockets = Path(str(sql(dsn, "SHOW unix_socket_directories")))
    assert [mode(tmp_path / "data"), mode(tmp_path / "data" / "postgres"), mode(sockets)] == [0o700] * 3
    assert mode(tmp_path / "data" / "postgres.log") == mode(tmp_path / "data" / "lock") == 0o600


def test_rows_are_there_after_a_stop_and_a_start(server: EmbeddedPostgres) -> None:
    sql(server.start(), "CREATE TABLE kept AS SELECT generate_series(1, 500) AS n")
    server.stop()
    assert server.pid is None
    assert sql(server.start(), "SELECT count(*) FROM kept") == 500


def test_starting_and_stopping_twice_changes_nothing(server: EmbeddedPostgres) -> None:
    dsn, pid = server.start(), server.pid
    assert (server.start(), server.pid) == (dsn, pid)
    server.stop()
    server.stop()
    assert server.pid is None


def test_a_stop_leaves_no_socket_folder_behind(server: EmbeddedPostgres) -> None:
    sockets = Path(str(sql(server.start(), "SHOW unix_socket_directories")))
    assert sockets.is_dir()
    server.stop()
    assert not sockets.exists()


def test_another_process_can_ask_where_the_server_is(server: EmbeddedPostgres, tmp_path: Path) -> None:
    assert running_dsn(tmp_path / "data") is None
    dsn = server.start()
    assert running_dsn(tmp_path / "data") == dsn
    server.stop()
    assert running_dsn(tmp_path / "data") is None


def test_given_settings_go_over_the_defaults_but_never_open_a_port(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, settings={"work_mem": "7MB", "listen_addresses": "*"})
    try:
        dsn = server.start()
        assert [sql(dsn, "SHOW work_mem"), sql(dsn, "SHOW listen_addresses")] == ["7MB", ""]
    finally:
        server.stop()


@pytest.mark.parametrize("name", ["a folder, with spaces & =%", "long-" * 25 + "name"], ids=["spaces", "long"])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    server = EmbeddedPostgres(tmp_path / name / "data")
    try:
        assert sql(server.start(), "SELECT 1") == 1
    finally:
        server.stop()


@needs_root
def test_closed_parents_stay_closed_and_the_data_stays_inside(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data")
    try:
        sql(server.start(), "CREATE TABLE kept (n int)")
    finally:
        server.stop()
    assert [mode(closed), mode(closed / "data")] == [0o700, 0o700]
    assert closed.stat().st_uid == 0
    assert (closed / "data" / "postgres").stat().st_uid != 0
    assert not (closed / "data" / "postgres").is_symlink()


def test_a_cluster_of_another_major_version_is_refused(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.start()
    server.stop()
    (tmp_path / "data" / "postgres" / "PG_VERSION").write_text("14\n")
    with pytest.raises(WrongMajorVersion, match=r"was made by Postgres 14.*pg_upgrade"):
        server.start()
    assert server.pid is None


def test_a_folder_that_is_no_cluster_is_refused(tmp_path: Path) -> None:
    account_made = EmbeddedPostgres(tmp_path)
    account_made.start()
    account_made.stop()
    (tmp_path / "postgres" / "PG_VERSION").unlink()
    with pytest.raises(DataFolderUnusable, match="PG_VERSION cannot be read"):
        account_made.start()


@pytest.mark.parametrize("content", [b"", b"postgres\n", b"\xff\xfe"])
def test_a_version_that_is_none_is_told_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    cluster = tmp_path / "postgres"
    cluster.mkdir(mode=0o700)
    (cluster / "PG_VERSION").write_bytes(content)
    give_to_postgres(cluster)
    with pytest.raises(DataFolderUnusable, match="PG_VERSION names no version"):
        EmbeddedPostgres(tmp_path).start()


def test_an_unfinished_cluster_is_made_anew(server: EmbeddedPostgres, tmp_path: Path) -> None:
    half_made = tmp_path / "data" / "postgres.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    assert sql(server.start(), "SELECT 1") == 1
    assert not half_made.exists()


def test_a_folder_open_to_everybody_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(DataFolderUnusable, match="Everybody may write"):
        EmbeddedPostgres(tmp_path).start()


def test_a_failed_start_shows_the_log_and_holds_nothing(server: EmbeddedPostgres, tmp_path: Path) -> None:
    broken = EmbeddedPostgres(tmp_path / "data", settings={"shared_buffers": "nonsense"})
    with pytest.raises(StartFailed, match="invalid value for parameter"):
        broken.start()
    assert sql(server.start(), "SELECT 1") == 1


def test_a_start_that_takes_too_long_is_ended(server: EmbeddedPostgres, tmp_path: Path) -> None:
    impatient = EmbeddedPostgres(tmp_path / "data", start_timeout_s=0)
    with pytest.raises(StartFailed, match="not ready within 0 s"):
        impatient.start()
    assert impatient.pid is None
    assert sql(server.start(), "SELECT 1") == 1


def test_a_start_outside_the_main_thread_is_refused(server: EmbeddedPostgres) -> None:
    refused: list[EmbeddedPostgresError] = []

    def start() -> None:
        try:
            server.start()
        except EmbeddedPostgresError as error:
            refused.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert [type(error) for error in refused] == [NotMainThread]


def test_a_log_that_grew_too_long_becomes_the_older_generation(server: EmbeddedPostgres, tmp_path: Path) -> None:
    log = tmp_path / "data" / "postgres.log"
    log.parent.mkdir(mode=0o700)
    log.touch()
    os.truncate(log, LOG_BYTES_MAX + 1)
    server.start()
    assert log.stat().st_size < LOG_BYTES_MAX
    assert log.with_name("postgres.log.1").stat().st_size == LOG_BYTES_MAX + 1


@pytest.mark.only_if(SYSTEM_INSTALLATIONS.is_dir())
def test_the_programs_of_the_system_do_too(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, binaries_dir=max(SYSTEM_INSTALLATIONS.glob("*/bin")))
    try:
        assert sql(server.start(), "SELECT 1") == 1
    finally:
        server.stop()
