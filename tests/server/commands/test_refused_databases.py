"""What `serve` would not start on, `migrate` and `doctor` refuse in the same words, and nobody writes to it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.cli import main
from server.exits import Exit
from storage.postgres.errors import DatabaseRefused
from storage.postgres.pool import Database
from tests.architecture.sources import ROOT
from tests.postgres import dsn_of, execute
from tests.storage.embedded.given import sql

ENDED_WITHIN_S = 60


@pytest.fixture(params=["LATIN1", "SQL_ASCII", "synchronous_commit=off"])
def refused_dsn(request: pytest.FixtureRequest, postgres_dsn_root: str) -> Iterator[str]:
    """An empty database of another encoding, or one that forgets."""
    name, wanted = f"refused_{uuid.uuid4().hex}", str(request.param)
    is_encoding = "=" not in wanted
    options = f"encoding '{wanted}' locale 'C' template template0" if is_encoding else ""
    asyncio.run(execute(postgres_dsn_root, f"CREATE DATABASE {name} {options}"))
    dsn = dsn_of(postgres_dsn_root, name)
    yield dsn if is_encoding else f"{dsn}&{wanted}"
    asyncio.run(execute(postgres_dsn_root, f"DROP DATABASE {name} WITH (FORCE)"))


def refusal_of(dsn: str) -> str:
    with pytest.raises(DatabaseRefused) as refused:
        asyncio.run(Database.open(dsn, "me"))
    return str(refused.value)


@pytest.mark.parametrize(
    "command", [["serve", "--port", "0"], ["migrate"], ["migrate", "--check"], ["doctor"]], ids=" ".join
)
def test_a_refused_database_is_told_by_every_command_and_stays_as_it_was(
    refused_dsn: str, command: list[str], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "server", *command, "--database-url", refused_dsn, "--data-dir", str(tmp_path / "data")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=ENDED_WITHIN_S,
        check=False,
    )
    assert ended.returncode == Exit.FAILED
    said = ended.stdout if command == ["doctor"] else ended.stderr
    assert refusal_of(refused_dsn) in said
    assert "Traceback" not in ended.stdout + ended.stderr
    assert sql(refused_dsn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


@pytest.mark.parametrize("check", [["--check"], []], ids=["look", "apply"])
def test_migrate_works_on_a_database_that_forgets_where_that_is_allowed(
    check: list[str], postgres_dsn_root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"forgetful_{uuid.uuid4().hex}"
    asyncio.run(execute(postgres_dsn_root, f"CREATE DATABASE {name}"))
    dsn = f"{dsn_of(postgres_dsn_root, name)}&synchronous_commit=off"
    try:
        arguments = ["migrate", *check, "--unsafe-durability", "--database-url", dsn, "--data-dir", str(tmp_path)]
        assert main(arguments, {}) == (Exit.FAILED if check else Exit.OK)
    finally:
        asyncio.run(execute(postgres_dsn_root, f"DROP DATABASE {name} WITH (FORCE)"))
    assert f"{'missing' if check else 'applied'}  0001_log.sql" in capsys.readouterr().out
