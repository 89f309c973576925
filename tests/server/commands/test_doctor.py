"""What a server would not start with, `doctor` says too, in the same words, and touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.secrets import ACCESS_KEY_FILE, ADMIN_TOKEN_FILE, SecretsUnusable, load_secrets
from config.settings import load_settings
from server.cli import main
from server.database import OwnedDatabase
from server.exits import Exit
from server.node_id import NODE_ID_FILE, read_or_make_node_id
from storage.embedded import DataFolderUnusable, EmbeddedPostgresError
from tests.storage.embedded.given import give_to_postgres, needs_root


def seen(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Everything below a folder: mode, owner, time of change and content."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_uid,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (folder, *folder.rglob("*"))
    }


def secret(name: str, content: str) -> Callable[[Path], None]:
    """Writes a file of secrets, closed to others."""

    def spoil(folder: Path) -> None:
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)

    return spoil


def cluster(*files: str) -> Callable[[Path], None]:
    """Makes the cluster's folder with files in it, as the account's that Postgres runs as."""

    def spoil(folder: Path) -> None:
        (folder / "postgres").mkdir(mode=0o700)
        for name in files:
            (folder / "postgres" / name).write_text("junk")
        give_to_postgres(folder / "postgres")

    return spoil


def cluster_of_root(folder: Path) -> None:
    (folder / "postgres").mkdir(mode=0o700)


def folder_named(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).mkdir()


def link_named(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(folder / "nowhere")


def refusal(folder: Path) -> str:
    """What stops the start of a server on the folder."""
    settings = load_settings({"data_dir": str(folder)}, {})
    try:
        load_secrets(folder)
        read_or_make_node_id(folder / NODE_ID_FILE)
        OwnedDatabase(settings).start()
    except (SecretsUnusable, EmbeddedPostgresError) as error:
        return str(error)
    raise AssertionError("a server starts on it")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (secret(ADMIN_TOKEN_FILE, ""), "holds no admin token"),
        (secret(ADMIN_TOKEN_FILE, "{}"), "holds no admin token"),
        (secret(ACCESS_KEY_FILE, ""), "holds no key"),
        (secret(ACCESS_KEY_FILE, "{}"), "holds no key"),
        (secret(NODE_ID_FILE, ""), "holds no node id"),
        (secret(NODE_ID_FILE, "node-a\n"), "holds no node id"),
        (folder_named(NODE_ID_FILE), "is no file"),
        (folder_named("postgres.log"), "is no file"),
        (folder_named("lock"), "is no file"),
        (link_named("postgres.log"), "links are not followed"),
        (link_named("postgres"), "is the volume mounted?"),
        (secret("postgres.new", ""), "is no folder"),
        (secret("postgres", ""), "it is no folder"),
        (cluster(), "is not a Postgres cluster"),
        (cluster("base", "notes.txt"), "is not a Postgres cluster"),
        (cluster("PG_VERSION"), "names no version"),
        pytest.param(cluster_of_root, "belongs to user id 0", marks=needs_root),
    ],
)
def test_doctor_says_what_the_server_would(
    spoil: Callable[[Path], None], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(tmp_path)
    before = seen(tmp_path)

    assert main(["doctor", "--data-dir", str(tmp_path)], {}) == Exit.FAILED

    said = capsys.readouterr().out
    assert seen(tmp_path) == before
    assert "1 thing needs attention." in said
    assert named in said
    assert refusal(tmp_path) in said


@pytest.mark.parametrize("below", [".", "deeper"])
def test_doctor_says_what_the_server_would_of_a_file_in_the_place_of_the_folder(
    below: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").touch()
    where = tmp_path / "data" / below
    assert main(["doctor", "--data-dir", str(where)], {}) == Exit.FAILED
    said = capsys.readouterr().out
    with pytest.raises(DataFolderUnusable) as refused:
        OwnedDatabase(load_settings({"data_dir": str(where)}, {})).start()
    assert f"BAD  data folder          a server would not start with it\n     {'':<20} → {refused.value}\n" in said
    assert "never started" not in said


def test_doctor_looks_at_the_lock_too_where_the_database_is_the_operators_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lock").mkdir()
    address = {"PANTHERAHIVE_DATABASE_URL": f"postgresql://nobody@/none?host={tmp_path}"}
    assert main(["doctor", "--data-dir", str(tmp_path)], address) == Exit.FAILED
    with pytest.raises(DataFolderUnusable) as refused:
        OwnedDatabase(load_settings({"data_dir": str(tmp_path)}, address)).start()
    assert f"BAD  lock                 a server would not start with it\n     {'':<20} → {refused.value}\n" in (
        capsys.readouterr().out
    )


def test_doctor_is_content_with_secrets_that_a_start_has_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load_secrets(tmp_path)
    before = seen(tmp_path)
    assert main(["doctor", "--data-dir", str(tmp_path)], {}) == Exit.OK
    assert seen(tmp_path) == before
    assert capsys.readouterr().out.count("complete, and closed to others") == 2


def test_migrate_check_tells_junk_from_a_folder_where_nothing_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster("notes.txt")(tmp_path)
    before = seen(tmp_path)
    assert main(["migrate", "--check", "--data-dir", str(tmp_path)], {}) == Exit.FAILED
    assert seen(tmp_path) == before
    assert "is not a Postgres cluster" in capsys.readouterr().err
