"""Names and addresses are one account's in any case, whatever the database's own collation makes of their letters."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from protocol.accounts import UserRegisterRequest
from storage.embedded import EmbeddedPostgres
from storage.embedded.binaries import SYSTEM_INSTALLATIONS
from storage.ports import Account, AlreadyExists
from storage.postgres.accounts import _BY_EMAIL, _BY_USERNAME, _IDS_OF
from storage.postgres.migrations import migrate
from storage.postgres.storage import PostgresStorage
from tests.contracts.entries import AT, op
from tests.postgres import fresh_database, make_test_folder
from tests.storage.postgres.sessions import raw

IDRIS = Account(op("idris"), "IDRIS", "IDRIS@INFO.example", "hash", None, None, AT, AT)
OTHER = Account(op("other"), "other", None, "hash", None, None, AT, AT)
# The wheel's Postgres is made without ICU, the distributions' are made with it.
WITH_ICU = sorted(SYSTEM_INSTALLATIONS.glob("1[5-9]/bin/postgres"))


@pytest.fixture
async def turkish_dsn() -> AsyncIterator[str]:
    """An empty database in which `lower('I')` is no i."""
    folder = make_test_folder()
    server = EmbeddedPostgres(folder, binaries_dir=WITH_ICU[-1].parent)
    options = "encoding 'UTF8' locale_provider icu icu_locale 'tr-TR' locale 'C' template template0"
    try:
        async with fresh_database(server.start(), options=options) as dsn:
            yield dsn
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.mark.only_if(bool(WITH_ICU))
async def test_a_collation_that_folds_otherwise_makes_no_second_account(turkish_dsn: str) -> None:
    async with raw(turkish_dsn) as connection:
        assert await connection.fetchval("SELECT lower('I')") == "ı"
    await migrate(turkish_dsn)
    storage = await PostgresStorage.open(turkish_dsn, "me")
    try:
        accounts = storage.accounts
        await accounts.create(IDRIS)
        for field, twin in (
            ("username", replace(OTHER, username="idris")),
            ("email", replace(OTHER, email="idris@info.example")),
        ):
            with pytest.raises(AlreadyExists) as refused:
                await accounts.create(twin)
            assert refused.value.field == field
        assert await accounts.by_username("idris") == IDRIS
        assert await accounts.by_email("idris@Info.example") == IDRIS
        assert await accounts.ids_of({"Idris"}) == {"idris": IDRIS.user_id}
    finally:
        await storage.close()


@pytest.mark.parametrize(
    ("query", "wanted", "index"),
    [
        (_BY_USERNAME, "idris", "accounts_username"),
        (_IDS_OF, ["idris"], "accounts_username"),
        (_BY_EMAIL, "idris@info.example", "accounts_email"),
    ],
)
async def test_accounts_are_looked_up_by_the_unique_keys_which_fold_ascii_alone(
    database_dsn: str, query: str, wanted: object, index: str
) -> None:
    async with raw(database_dsn) as connection:
        definition = await connection.fetchval("SELECT indexdef FROM pg_indexes WHERE indexname = $1", index)
        assert definition.startswith("CREATE UNIQUE INDEX")
        assert 'COLLATE "C"))' in definition
        await connection.execute("SET enable_seqscan = off")
        plan = await connection.fetch(f"EXPLAIN {query}", wanted)
    assert any(index in row["QUERY PLAN"] for row in plan)


@pytest.mark.parametrize("letter", ["ä", "İ", "ı", "\u212a"])
def test_names_and_addresses_hold_no_letter_that_is_folded_otherwise(letter: str) -> None:
    for fields in ({"username": f"ada{letter}"}, {"username": "ada", "email": f"ada@b{letter}.org"}):
        with pytest.raises(ValueError, match=r"username|email"):
            UserRegisterRequest.model_validate({"password": "correct horse", "firstName": "Ada", **fields})
