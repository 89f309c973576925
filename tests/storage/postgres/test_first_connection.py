"""What only the driver knows of an address is told in the same way, and a server that is away in another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protocol.faults import NotApplied
from storage.postgres.errors import AddressWrong
from storage.postgres.first_connection import first_connection
from storage.postgres.migrations import migrate, pending
from storage.postgres.pool import Database

PASSWORD = "Sup3rS3cret"
NOWHERE = f"postgresql://me:{PASSWORD}@127.0.0.1:1/x"


async def refusal_of(dsn: str) -> str:
    """The same of all that open a database."""
    said = set()
    for ask in (migrate(dsn), pending(dsn), Database.open(dsn, "me"), first_connection(dsn, 1.0, {})):
        with pytest.raises(AddressWrong) as refused:
            await ask
        said.add(str(refused.value))
    [text] = said
    assert text.startswith(
        "The address of the database (database_url, or a PG… variable of the environment) is wrong: "
    )
    assert "\n" not in text
    assert PASSWORD not in text
    return text


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ("gsslib=none", "gsslib parameter must be either"),
        ("ssl_min_protocol_version=none", "TLS version"),
        ("sslnegotiation=direct&sslmode=disable", "direct TLS requires sslmode=require"),
        ("sslmode=verify-full&sslrootcert=/nowhere/root.crt", "sslrootcert names the file /nowhere/root.crt, which is"),
        ("sslmode=require&sslcert=/nowhere/me.crt&sslkey=/nowhere/me.key", "sslcert names the file /nowhere/me.crt"),
    ],
)
async def test_a_parameter_that_the_driver_refuses_is_told(parameter: str, told: str) -> None:
    assert told in await refusal_of(f"{NOWHERE}?{parameter}")


async def test_a_file_without_a_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "root.crt").write_text("no certificate\n")
    said = await refusal_of(f"{NOWHERE}?sslmode=verify-full&sslrootcert={tmp_path / 'root.crt'}")
    assert "holds no certificate or key" in said


async def test_a_host_name_that_is_none_is_told_and_not_shown() -> None:
    assert "its host or its port cannot be read" in await refusal_of(f"postgresql://me@{PASSWORD * 9}/x")


@pytest.mark.parametrize("port", [PASSWORD, "99999"])
async def test_a_wrong_variable_of_the_environment_is_told(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", port)
    assert "its host or its port cannot be read" in await refusal_of("postgresql://me@127.0.0.1/x")


@pytest.mark.parametrize(
    "address", [NOWHERE, f"postgresql://me@/x?host={os.sep}nowhere", f"{NOWHERE}?sslmode=disable&sslcert=/nowhere"]
)
async def test_a_server_that_is_away_is_a_fault_not_a_wrong_address(address: str) -> None:
    with pytest.raises(NotApplied, match="it cannot be reached"):
        await first_connection(address, 1.0, {})
