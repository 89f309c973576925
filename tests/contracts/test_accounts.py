"""The contracts of `storage.ports.Accounts` and `ProjectKeys`."""

import asyncio
from dataclasses import replace

import pytest

from storage.ports import Account, AlreadyExists
from tests.contracts.entries import AT, op
from tests.contracts.storages import Storage

LATER = "2026-02-01T00:00:00.000Z"
ADA = Account(op("ada"), "Ada", "Ada@example.org", "hash", "en-GB", "Europe/London", AT, AT)
BOB = Account(op("bob"), "bob", None, "hash", None, None, AT, AT)


async def test_an_account_is_found_by_id_name_and_address_in_any_case(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    assert await storage.accounts.by_user_id(ADA.user_id) == ADA
    assert await storage.accounts.by_username("aDA") == ADA
    assert await storage.accounts.by_email("ada@EXAMPLE.org") == ADA
    assert await storage.accounts.by_user_id(BOB.user_id) is None
    assert await storage.accounts.by_username("bob") is None
    assert await storage.accounts.by_email("bob@example.org") is None


@pytest.mark.parametrize(
    ("field", "account"),
    [
        ("userId", replace(BOB, user_id=ADA.user_id)),
        ("username", replace(BOB, username="ADA")),
        ("email", replace(BOB, email="ADA@example.org")),
    ],
)
async def test_a_taken_value_is_named(storage: Storage, field: str, account: Account) -> None:
    await storage.accounts.create(ADA)
    with pytest.raises(AlreadyExists) as caught:
        await storage.accounts.create(account)
    assert caught.value.field == field
    await storage.accounts.create(BOB)


async def test_many_accounts_may_have_no_address(storage: Storage) -> None:
    await storage.accounts.create(BOB)
    await storage.accounts.create(replace(BOB, user_id=op("eve"), username="eve"))
    assert (await storage.accounts.by_username("eve")) is not None


async def test_of_two_registrations_at_once_one_wins(storage: Storage) -> None:
    twins = [replace(ADA, user_id=op(str(number))) for number in range(2)]
    outcomes = await asyncio.gather(*map(storage.accounts.create, twins), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyExists", "NoneType"]


async def test_an_update_sets_what_it_names_and_keeps_the_rest(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    changed = await storage.accounts.update(ADA.user_id, {"email": None, "locale": "de"}, LATER)
    assert changed == replace(ADA, email=None, locale="de", updated_at=LATER)
    assert await storage.accounts.by_user_id(ADA.user_id) == changed
    assert await storage.accounts.update(ADA.user_id, {"username": "ADA"}, LATER) == replace(changed, username="ADA"), (
        "one's own name in another case is free"
    )
    assert await storage.accounts.update(BOB.user_id, {"locale": "de"}, LATER) is None


async def test_an_update_to_a_taken_value_changes_nothing(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    await storage.accounts.create(BOB)
    with pytest.raises(AlreadyExists) as caught:
        await storage.accounts.update(BOB.user_id, {"username": "ada", "locale": "de"}, LATER)
    assert caught.value.field == "username"
    with pytest.raises(AlreadyExists) as caught:
        await storage.accounts.update(BOB.user_id, {"email": "ada@example.org"}, LATER)
    assert caught.value.field == "email"
    assert await storage.accounts.by_user_id(BOB.user_id) == BOB


async def test_the_profile_is_marked_once_it_is_there(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    for _ in range(2):
        await storage.accounts.mark_profile_created(ADA.user_id)
        assert await storage.accounts.by_user_id(ADA.user_id) == replace(ADA, profile_created=True)
    await storage.accounts.mark_profile_created(BOB.user_id)


async def test_names_are_kept_until_the_profile_has_them(storage: Storage) -> None:
    named = replace(ADA, first_name="Ada", last_name="Lovelace")
    await storage.accounts.create(named)
    assert await storage.accounts.by_username("ada") == named
    await storage.accounts.mark_profile_created(ADA.user_id)
    assert await storage.accounts.by_username("ada") == replace(ADA, profile_created=True)


async def test_a_key_belongs_to_the_project_that_was_first(storage: Storage) -> None:
    keys, first, second = storage.project_keys, op("first"), op("second")
    assert await keys.claim("HIVE", first)
    assert await keys.claim("HIVE", first), "a retry hears the same"
    assert not await keys.claim("HIVE", second)
    assert not await keys.claim("OTHER", first), "one key per project"
    assert await keys.claim("OTHER", second)
    assert [await keys.key_of(project) for project in (first, second, op("third"))] == ["HIVE", "OTHER", None]


async def test_of_two_projects_at_once_one_gets_the_key(storage: Storage) -> None:
    projects = [op(str(number)) for number in range(5)]
    claims = await asyncio.gather(*(storage.project_keys.claim("HIVE", project) for project in projects))
    assert claims.count(True) == 1
