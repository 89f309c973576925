"""Where the socket goes: beside the data if its path fits, else to a short folder that is nobody else's."""

import os
import stat
from pathlib import Path

import pytest

from storage.embedded import DataFolderUnusable
from storage.embedded.account import Account, choose_account
from storage.embedded.socket_folder import SOCKET_NAME, SOCKET_PATH_BYTES_MAX, fits_a_socket, socket_folder
from tests.postgres import make_test_folder
from tests.storage.embedded.given import needs_root

ACCOUNT = choose_account(Path("/nonexistent"))
OWN = Account("own", os.geteuid(), os.getegid(), (), dropped=False)


def test_a_short_plain_path_keeps_the_socket_beside_the_data() -> None:
    data_dir = make_test_folder()
    try:
        folder = socket_folder(data_dir, OWN)
        assert folder == data_dir / "run"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        folder.rmdir()
        data_dir.rmdir()


def test_the_limit_counts_every_byte_of_the_sockets_path() -> None:
    longest = "/" + "a" * (SOCKET_PATH_BYTES_MAX - len(SOCKET_NAME) - 2)
    assert fits_a_socket(Path(longest))
    assert not fits_a_socket(Path(longest + "a"))


@pytest.mark.parametrize("name", ["long" * 40, "with space", "comma,comma", "umläut"])
def test_an_unfit_path_gives_the_same_short_folder_each_time(tmp_path: Path, name: str) -> None:
    base = make_test_folder()
    try:
        first = socket_folder(tmp_path / name, OWN, [base])
        assert first.parent == base
        assert fits_a_socket(first)
        first.chmod(0o755)
        assert socket_folder(tmp_path / name, OWN, [base]) == first
        assert stat.S_IMODE(first.stat().st_mode) == 0o700
        first.rmdir()
    finally:
        base.rmdir()


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    base = make_test_folder()
    first = socket_folder(tmp_path / "with space", OWN, [base])
    first.rmdir()
    first.symlink_to(tmp_path)
    try:
        with pytest.raises(DataFolderUnusable, match="no folder"):
            socket_folder(tmp_path / "with space", OWN, [base])
    finally:
        first.unlink()
        base.rmdir()


def test_a_file_in_its_place_is_refused() -> None:
    data_dir = make_test_folder()
    (data_dir / "run").touch()
    try:
        with pytest.raises(DataFolderUnusable, match="no folder"):
            socket_folder(data_dir, OWN)
    finally:
        (data_dir / "run").unlink()
        data_dir.rmdir()


def test_without_any_place_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataFolderUnusable, match="Choose a shorter data folder"):
        socket_folder(tmp_path / "with space", OWN, [tmp_path / "missing"])


@needs_root
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = socket_folder(tmp_path / "with space", ACCOUNT)
    try:
        os.chown(folder, 54321, 54321)
        with pytest.raises(DataFolderUnusable, match="belongs to another user"):
            socket_folder(tmp_path / "with space", ACCOUNT)
    finally:
        folder.rmdir()
