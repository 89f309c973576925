"""The lock of the data folder: one holder, named to the others, let go with its life."""

import os
from pathlib import Path

import pytest

from storage.embedded import DataFolderInUse, DataFolderLock, DataFolderUnusable
from tests.storage.embedded.given import needs_root


def test_it_is_held_once_and_names_its_holder(tmp_path: Path) -> None:
    with DataFolderLock(tmp_path / "data") as first:
        first.acquire()
        assert first.held
        with pytest.raises(DataFolderInUse, match=f"process {os.getpid()}"):
            DataFolderLock(tmp_path / "data").acquire()
    assert not first.held
    with DataFolderLock(tmp_path / "data") as next_one:
        assert next_one.held


def test_a_forked_child_does_not_keep_it(tmp_path: Path) -> None:
    lock = DataFolderLock(tmp_path)
    lock.acquire()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0 if not lock.held else 1)
    os.close(reader)
    lock.release()
    try:
        with DataFolderLock(tmp_path) as taken:
            assert taken.held
    finally:
        # The child reads the end of the pipe and goes.
        os.close(writer)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderUnusable, match="PANTHERAHIVE_DATA_DIR"):
        DataFolderLock(tmp_path / "file" / "data").acquire()


@needs_root
def test_a_folder_of_somebody_else_is_refused_to_a_normal_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            DataFolderLock(tmp_path).acquire()
        except DataFolderUnusable:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
