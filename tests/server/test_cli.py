"""The command line: what it takes, and how it says no."""

from __future__ import annotations

import asyncio
import shutil
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from server.cli import main
from server.cli_commands import MAIN_SETTINGS, parser
from server.exits import Exit
from tests.kept_logging import logging_as_before
from tests.postgres import dsn_of, execute, make_test_folder

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    with logging_as_before():
        yield


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data folder whose embedded Postgres is migrated and stopped."""
    folder = make_test_folder()
    with logging_as_before():
        assert main(["migrate", "--data-dir", str(folder)], {}) == Exit.OK
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(postgres_dsn_root: str) -> Iterator[str]:
    """An empty database of its own."""
    name = f"cli_{uuid.uuid4().hex}"
    asyncio.run(execute(postgres_dsn_root, f"CREATE DATABASE {name}"))
    yield dsn_of(postgres_dsn_root, name)
    asyncio.run(execute(postgres_dsn_root, f"DROP DATABASE {name} WITH (FORCE)"))


OTHERS = (
    ["migrate"],
    ["doctor"],
    ["import", "github-archive", "archive.json"],
    ["export", "APOLLO"],
    ["user", "create", "ada"],
    ["token", "create", "digest"],
    ["project", "list"],
    ["tail", "APOLLO"],
)
"""Commands that start no server."""


INTERRUPTED_WHILE_LOADING = """
import os, signal, sys

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder)
from server.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("argparse", "import"),
        ("pydantic", "import"),
        ("server.importing.command", "import"),
        ("server.importing.importer", "import"),
        ("socketio", "import"),
        ("server.commands.serve", "serve"),
        ("aiohttp", "serve"),
        ("server.commands.migrate", "migrate"),
        ("server.commands.doctor", "doctor"),
        ("server.commands.tail", "tail"),
    ],
)
def test_ctrl_c_while_modules_load_is_one_line(module: str, command: str, tmp_path: Path) -> None:
    rest = {"import": ["github-archive", "archive.json"], "tail": ["APOLLO"]}.get(command, [])
    ended = subprocess.run(
        [
            *(sys.executable, "-c", INTERRUPTED_WHILE_LOADING.format(module=module)),
            *(command, *rest, "--data-dir", str(tmp_path / "data")),
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (Exit.INTERRUPTED, "", "Interrupted.\n")
    assert not (tmp_path / "data").exists()


def test_ctrl_c_while_a_command_works_is_one_line_and_leaves_nothing_running(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "migrate", "--data-dir", str(tmp_path / "data")],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline_s = time.monotonic() + 30
        while not (tmp_path / "data").exists() and time.monotonic() < deadline_s:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, said) == (Exit.INTERRUPTED, "Interrupted.\n")
    assert not (tmp_path / "data/postgres/postmaster.pid").exists()


def test_ctrl_c_belongs_to_the_caller_again_after_a_command() -> None:
    before = signal.getsignal(signal.SIGINT)
    main(["doctor", "--config", "/nowhere.toml"], {})
    assert signal.getsignal(signal.SIGINT) is before


def flag_of(name: str) -> str:
    return "--config" if name == "config_file" else f"--{name.replace('_', '-')}"


def test_every_setting_is_a_flag_of_serve_and_the_main_ones_of_every_command() -> None:
    parses = parser()
    for command in (["serve"], *OTHERS):
        for name in Settings.model_fields if command == ["serve"] else (*MAIN_SETTINGS, "config_file"):
            given = parses.parse_args([*command, flag_of(name), "x"])
            assert getattr(given, name) == "x"


@pytest.mark.parametrize("command", OTHERS, ids=lambda command: command[0])
def test_a_limit_of_the_server_is_no_flag_of_other_commands(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    limits = set(Settings.model_fields) - {*MAIN_SETTINGS, "config_file"}
    assert limits
    parses = parser()
    for name in limits:
        with pytest.raises(SystemExit):
            parses.parse_args([*command, flag_of(name), "1"])
    assert "unrecognized arguments" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parses.parse_args([*command, "--help"])
    helped = capsys.readouterr().out
    assert "--data-dir" in helped
    assert not [name for name in limits if flag_of(name) in helped]


def test_a_switch_needs_no_value() -> None:
    given = parser().parse_args(["serve", "--unsafe-durability"])
    assert given.unsafe_durability == "true"


@pytest.mark.parametrize(
    "command", [[], ["serve"], ["user"], ["token"], ["project"], *(command[:2] for command in OTHERS)], ids=" ".join
)
def test_help_is_there_for_every_command(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([*command, "--help"])
    assert ended.value.code == 0
    assert "usage: pantherahive" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"], {})
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("pantherahive 0.")


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (["serve", "--port", "99999"], {}, "--port = '99999' is wrong. Allowed is a whole number from 0 to 65535"),
        (["serve"], {"PANTHERAHIVE_PORT": "http"}, "PANTHERAHIVE_PORT = 'http' is wrong"),
        (["serve"], {"PANTHERAHIVE_PROT": "1"}, "There is no setting PANTHERAHIVE_PROT. The nearest is"),
        (["doctor", "--config", "/nowhere.toml"], {}, "The settings file /nowhere.toml cannot be read"),
    ],
)
def test_a_wrong_setting_is_one_clear_message(
    arguments: list[str], environ: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, environ) == Exit.WRONG_USE
    assert said in capsys.readouterr().err


def test_a_database_that_is_not_there_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"postgresql:///nothing?host={tmp_path}"

    assert main(["migrate", "--database-url", url, "--data-dir", str(tmp_path)], {}) == Exit.FAILED

    assert "The database cannot be used: it cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["migrate"]], ids=" ".join)
def test_a_missing_file_of_a_certificate_is_a_wrong_setting(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://me@127.0.0.1:1/x?sslmode=verify-full&sslrootcert=/nowhere/root.crt"

    assert main([*command, "--database-url", url, "--data-dir", str(tmp_path)], {}) == Exit.WRONG_USE

    assert "sslrootcert names the file /nowhere/root.crt, which is not there" in capsys.readouterr().err


def test_a_host_that_does_not_exist_is_refused_before_anything_starts(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "server", "serve", "--host", "203.0.113.1", "--data-dir", str(tmp_path / "data")],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == Exit.FAILED
    assert ended.stderr.startswith("This machine does not have the address 203.0.113.1.")
    assert not (tmp_path / "data").exists()


def test_migrate_check_names_what_is_missing_and_changes_nothing(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--database-url", database_url, "--data-dir", str(tmp_path)]

    assert main(["migrate", "--check", *where], {}) == Exit.FAILED
    assert "missing  0001_log.sql" in capsys.readouterr().out
    assert main(["migrate", *where], {}) == Exit.OK
    assert "applied  0001_log.sql" in capsys.readouterr().out
    assert main(["migrate", "--check", *where], {}) == Exit.OK
    assert capsys.readouterr().out == "The database is up to date.\n"


def test_doctor_finds_a_fresh_folder_in_order(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--data-dir", str(data_dir)], {}) == Exit.OK

    said = capsys.readouterr().out
    assert "All is well." in said
    for subject in ("Python", "disk", "Postgres", "durability", "tables", "shards", "log: streams", "dead letters"):
        assert subject in said
    assert "128 of 128 are free" in said


def test_doctor_says_what_to_do_about_an_open_secret(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = data_dir / "admin.token"
    token.write_text("ph_admin_x")
    token.chmod(stat.S_IRUSR | stat.S_IROTH)
    try:
        assert main(["doctor", "--data-dir", str(data_dir)], {}) == Exit.FAILED
    finally:
        token.unlink()

    said = capsys.readouterr().out
    assert f"chmod 600 {token}" in said
    assert "1 thing needs attention." in said


def test_doctor_finds_a_hole_in_the_log(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--database-url", database_url, "--data-dir", str(tmp_path)]
    main(["migrate", *where], {})
    asyncio.run(
        execute(
            database_url,
            "UPDATE shards SET head = 2 WHERE shard_id = 5;"
            "INSERT INTO entries SELECT 5, 2, 'project/x', 2, 1, gen_random_uuid(), '',"
            r" '\x81a66576656e747390', 'a', now(), now();",
        )
    )

    assert main(["doctor", *where], {}) == Exit.FAILED

    said = capsys.readouterr().out
    assert "entries are missing in shard 5" in said
    assert "entries are missing in project/x" in said
    assert "2 things need attention." in said


def test_doctor_finds_an_entry_that_cannot_be_read_and_who_stands_before_it(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--database-url", database_url, "--data-dir", str(tmp_path)]
    main(["migrate", *where], {})
    asyncio.run(
        execute(
            database_url,
            "UPDATE shards SET head = 60 WHERE shard_id = 5;"
            "INSERT INTO entries SELECT 5, n, 'project/x', n, 1, gen_random_uuid(), '',"
            r" CASE WHEN n = 3 THEN '\xc1'::bytea ELSE '\x81a66576656e747390'::bytea END, 'a', now(), now()"
            " FROM generate_series(1, 60) n;"
            "INSERT INTO consumers (name, shard_id, pos) VALUES ('projector', 5, 2), ('timekeeper', 5, 60);",
        )
    )

    assert main(["doctor", *where], {}) == Exit.FAILED

    said = capsys.readouterr().out
    assert "51 tried, 1 cannot be read" in said
    assert "it stands before project/x, entry 3 (shard 5), and lists leave out the projects of that shard" in said
    assert "ok   consumer timekeeper" in said
    assert "2 things need attention." in said


def test_doctor_hides_secrets_and_names_sources(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('log_format = "json"\n')
    environ = {"PANTHERAHIVE_DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/x", "PANTHERAHIVE_PORT": "9000"}

    main(["doctor", "--config", str(file), "--host", "::1", "--data-dir", str(data_dir)], environ)

    said = capsys.readouterr().out
    assert "hunter2" not in said
    assert "port = 9000, from the environment" in said
    assert "host = ::1, from a flag" in said
    assert f"log_format = json, from {file}" in said
    assert "cannot be reached" in said


def test_migrate_check_makes_nothing_where_nothing_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "misspelt"
    assert main(["migrate", "--check", "--data-dir", str(folder)], {}) == Exit.FAILED
    assert f"There is no database in {folder}" in capsys.readouterr().out
    assert not (folder / "postgres").exists()
