"""What `serve` would not start on, `migrate` and `doctor` refuse in the same words, and nobody writes to it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from server.cli import main
from server.exits import Exit
from storage.postgres.errors import DatabaseRefused
from storage.postgres.migrations import pending
from storage.postgres.pool import Database
from tests.acceptance.product import running_product
from tests.architecture.sources import ROOT
from tests.postgres import dsn_as, dsn_of, execute, fresh_database, plain_login
from tests.storage.embedded.given import sql
from tests.storage.postgres.sessions import raw

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


def run(command: list[str], dsn: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *command, "--database-url", dsn, "--data-dir", str(folder / "data")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=ENDED_WITHIN_S,
        check=False,
    )


COMMANDS = pytest.mark.parametrize(
    "command", [["serve", "--port", "0"], ["migrate"], ["migrate", "--check"], ["doctor"]], ids=" ".join
)


@COMMANDS
def test_a_refused_database_is_told_by_every_command_and_stays_as_it_was(
    refused_dsn: str, command: list[str], tmp_path: Path
) -> None:
    ended = run(command, refused_dsn, tmp_path)
    assert ended.returncode == Exit.FAILED
    said = ended.stdout if command == ["doctor"] else ended.stderr
    assert refusal_of(refused_dsn) in said
    assert "Traceback" not in ended.stdout + ended.stderr
    assert sql(refused_dsn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


@pytest.fixture(params=["may make nothing", "may read only", "schema_migrations (version text)", "entries (id int)"])
async def unusable_dsn(
    request: pytest.FixtureRequest, postgres_dsn_root: str, migrated_template: str
) -> AsyncIterator[str]:
    """A database with a login that lacks a right, or with tables of others."""
    what = str(request.param)
    template = migrated_template if what == "may read only" else None
    async with plain_login(postgres_dsn_root) as login, fresh_database(postgres_dsn_root, template) as dsn:
        if what.startswith("may"):
            await execute(dsn, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {login}")
            yield dsn_as(dsn, login)
        else:
            await execute(dsn, f"CREATE TABLE {what}")
            yield dsn


@COMMANDS
async def test_what_cannot_be_served_is_told_by_every_command_in_one_line(
    unusable_dsn: str, command: list[str], tmp_path: Path
) -> None:
    with pytest.raises(DatabaseRefused) as refused:
        await pending(unusable_dsn)
    ended = await asyncio.to_thread(run, command, unusable_dsn, tmp_path)
    assert ended.returncode == Exit.FAILED
    if command == ["doctor"]:
        assert f"→ {refused.value}" in ended.stdout
        assert "1 thing needs attention." in ended.stdout
    else:
        assert [line for line in ended.stderr.splitlines() if " [info " not in line] == [str(refused.value)]


async def test_what_the_server_says_is_told_without_a_doubt_about_its_address(
    postgres_dsn_root: str, tmp_path: Path
) -> None:
    async with fresh_database(postgres_dsn_root) as dsn, raw(dsn) as other, other.transaction():
        await other.execute("CREATE TABLE schema_migrations (number int)")
        ended = await asyncio.to_thread(run, ["migrate"], f"{dsn}&lock_timeout=1", tmp_path)
    said = "The database cannot be used: canceling statement due to lock timeout (SQLSTATE 55P03).\n"
    assert (ended.returncode, ended.stderr) == (Exit.FAILED, said)


async def test_a_login_that_owns_nothing_can_serve_what_another_has_migrated(
    postgres_dsn_root: str, migrated_template: str, tmp_path: Path
) -> None:
    async with (
        plain_login(postgres_dsn_root) as login,
        fresh_database(postgres_dsn_root, migrated_template) as dsn,
    ):
        await execute(dsn, f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {login}")
        mine = dsn_as(dsn, login)
        for command, said in (
            (["migrate", "--check"], "up to date"),
            (["migrate"], "up to date"),
            (["doctor"], "well"),
        ):
            ended = await asyncio.to_thread(run, command, mine, tmp_path)
            assert (ended.returncode, said in ended.stdout) == (Exit.OK, True)
        async with running_product(tmp_path / "served", database_url=mine) as product:
            await product.create_project(await product.register("ada"))


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
