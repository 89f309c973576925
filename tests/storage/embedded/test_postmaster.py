"""A damaged `postmaster.pid`: taken away where no Postgres lives, never where one does."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import DataFolderUnusable, EmbeddedPostgres, LeftoverServer, running_dsn
from storage.embedded.postmaster import PostmasterFile, end_leftover, servers_on, wait_until
from tests.storage.embedded.given import alive, sql

DAMAGED = pytest.mark.parametrize(
    "content", [b"", b"x\xff\xfe", b"\xb2\n", b"9" * 99], ids=["empty", "bytes", "²", "9"]
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path)
    yield server
    server.stop()


@DAMAGED
def test_it_names_no_server(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "postmaster.pid").write_bytes(content)
    assert PostmasterFile.read(tmp_path / "postgres") is None
    assert running_dsn(tmp_path) is None


@DAMAGED
def test_it_is_removed_where_nobody_lives(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_bytes(content)
    end_leftover(tmp_path, 0)
    assert not (tmp_path / "postmaster.pid").exists()


def test_a_damaged_end_of_it_is_no_trouble(tmp_path: Path) -> None:
    file = tmp_path / "postmaster.pid"
    file.write_bytes(b"2147483646\n\xff\xfe\n")
    end_leftover(tmp_path, 0)
    assert file.read_bytes() == b"2147483647\n\xff\xfe\n"


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").mkdir()
    with pytest.raises(DataFolderUnusable, match=r"postmaster\.pid is no file"):
        end_leftover(tmp_path, 0)


def test_a_start_goes_over_an_empty_one_and_keeps_everything(server: EmbeddedPostgres, tmp_path: Path) -> None:
    sql(server.start(), "CREATE TABLE kept AS SELECT generate_series(1, 300) AS n")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: server.pid is None, 2)
    os.truncate(tmp_path / "postgres" / "postmaster.pid", 0)
    assert sql(server.start(), "SELECT count(*) FROM kept") == 300


def test_it_stays_while_a_server_lives(server: EmbeddedPostgres, tmp_path: Path) -> None:
    cluster = tmp_path / "postgres"
    server.start()
    pid = server.pid
    assert pid is not None
    assert pid in servers_on(cluster)
    whole = (cluster / "postmaster.pid").read_bytes()
    os.truncate(cluster / "postmaster.pid", 0)
    with pytest.raises(LeftoverServer, match=f"kill -QUIT.* {pid}\\b"):
        end_leftover(cluster, 0)
    assert (cluster / "postmaster.pid").read_bytes() == b""
    assert alive(pid)
    (cluster / "postmaster.pid").write_bytes(whole)
    server.stop()
    assert servers_on(cluster) == []
