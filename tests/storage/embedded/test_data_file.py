"""Files of the data folder: whole or not there, and whatever else lies in their place is told in one line."""

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.embedded import DataFolderLock, DataFolderUnusable, EmbeddedPostgres, has_cluster
from storage.embedded.data_file import file_unusable, make_small_file, read_small_file
from storage.embedded.folder import open_log


def link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


OTHER_THINGS = pytest.mark.parametrize(
    ("spoil", "named"),
    [(Path.mkdir, "no file"), (os.mkfifo, "no file"), (link, "links are not followed")],
    ids=["folder", "pipe", "link"],
)
Spoil = Callable[[Path], None]


@contextmanager
def no_room() -> Iterator[None]:
    """Every write to a file is refused, as by a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_what_was_made_is_read_and_closed_to_others(tmp_path: Path) -> None:
    make_small_file(tmp_path / "made", b"content\n")
    assert read_small_file(tmp_path / "made") == b"content\n"
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_without_room_there_is_a_message_and_no_half_of_a_file(tmp_path: Path) -> None:
    with no_room(), pytest.raises(DataFolderUnusable, match=f"{tmp_path}/made cannot be used"):
        make_small_file(tmp_path / "made", b"content\n")
    assert list(tmp_path.iterdir()) == []


def test_without_room_the_folder_is_not_locked(tmp_path: Path) -> None:
    lock = DataFolderLock(tmp_path)
    with no_room(), pytest.raises(DataFolderUnusable, match=f"{tmp_path}/lock cannot be used"):
        lock.acquire()
    assert not lock.held
    with DataFolderLock(tmp_path) as free:
        assert free.held


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    full = file_unusable(tmp_path, OSError(errno.ENOSPC, "No space left on device"))
    assert str(full) == f"{tmp_path} cannot be used: No space left on device. Make room, then start again."


@OTHER_THINGS
def test_something_else_in_its_place_is_refused(spoil: Spoil, named: str, tmp_path: Path) -> None:
    spoil(tmp_path / "file")
    with pytest.raises(DataFolderUnusable, match=named):
        read_small_file(tmp_path / "file")


@OTHER_THINGS
def test_something_else_in_the_place_of_the_lock_is_refused(spoil: Spoil, named: str, tmp_path: Path) -> None:
    spoil(tmp_path / "lock")
    with pytest.raises(DataFolderUnusable, match=f"lock.*{named}"):
        DataFolderLock(tmp_path).acquire()


@OTHER_THINGS
def test_something_else_in_the_place_of_the_log_is_refused(spoil: Spoil, named: str, tmp_path: Path) -> None:
    spoil(tmp_path / "postgres.log")
    with pytest.raises(DataFolderUnusable, match=rf"postgres\.log.*{named}"):
        open_log(tmp_path)


def test_a_link_to_what_is_not_there_is_no_place_for_a_new_cluster(tmp_path: Path) -> None:
    (tmp_path / "postgres").symlink_to(tmp_path / "volume")
    for start in (lambda: has_cluster(tmp_path), EmbeddedPostgres(tmp_path).start):
        with pytest.raises(DataFolderUnusable, match=r"is a link to what is not there; is the volume mounted\?"):
            start()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "postgres"]


def test_a_data_folder_that_is_a_link_to_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(tmp_path / "volume")
    data = tmp_path / "data"
    for start in (lambda: has_cluster(data), EmbeddedPostgres(data).start, DataFolderLock(data).acquire):
        with pytest.raises(DataFolderUnusable, match=r"data is a link to what is not there; is the volume mounted\?"):
            start()
    assert not (tmp_path / "volume").exists()


def test_a_file_where_a_cluster_would_be_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").write_text("somebody's")
    for start in (lambda: has_cluster(tmp_path), EmbeddedPostgres(tmp_path).start):
        with pytest.raises(DataFolderUnusable, match=r"postgres\.new is no folder"):
            start()
    assert (tmp_path / "postgres.new").read_text() == "somebody's"
