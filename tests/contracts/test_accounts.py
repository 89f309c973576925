"""The contracts of `storage.ports.Accounts` and `ProjectKeys`."""

import asyncio
from dataclasses import replace

import pytest

from protocol.log import shard_of
from storage.ports import (
    ACCOUNT_REQUESTS_MAX,
    Account,
    AccountChanged,
    AccountRequest,
    AlreadyExists,
    RequestReused,
)
from tests.contracts.entries import AT, batch, entry, fence, op
from tests.contracts.storages import SESSION, Storage

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


async def test_many_names_are_looked_up_at_once_in_any_case(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    await storage.accounts.create(BOB)
    found = await storage.accounts.ids_of({"ADA", "bob", "eve", "", "%"})
    assert found == {"ada": ADA.user_id, "bob": BOB.user_id}
    assert await storage.accounts.ids_of([]) == {}


async def test_what_an_account_was_registered_with_stays_with_it(storage: Storage) -> None:
    registered = replace(BOB, registration=b"0123456789abcdef")
    await storage.accounts.create(registered)
    assert await storage.accounts.by_user_id(BOB.user_id) == registered
    await storage.accounts.mark_profile_created(BOB.user_id)
    renamed = await storage.accounts.update(BOB.user_id, {"username": "robert"}, LATER)
    assert (renamed and renamed.registration) == registered.registration


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


def request(name: str, body: bytes = b"0123456789abcdef") -> AccountRequest:
    return AccountRequest(op(name), body)


async def test_a_request_changes_an_account_once(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    first = await storage.accounts.update(ADA.user_id, {"locale": "de"}, LATER, request("1"))
    assert first == replace(ADA, locale="de", updated_at=LATER)
    newer = await storage.accounts.update(ADA.user_id, {"locale": "fr"}, LATER, request("2"))
    assert await storage.accounts.update(ADA.user_id, {"locale": "de"}, LATER, request("1")) == newer
    assert await storage.accounts.by_user_id(ADA.user_id) == newer
    assert await storage.accounts.update(BOB.user_id, {"locale": "de"}, LATER, request("1")) is None


async def test_a_request_without_changes_is_remembered_and_changes_nothing(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    assert await storage.accounts.update(ADA.user_id, {}, LATER) == ADA
    assert await storage.accounts.update(ADA.user_id, {}, LATER, request("1")) == ADA
    assert await storage.accounts.update(ADA.user_id, {"locale": "de"}, LATER, request("1")) == ADA


async def test_an_op_id_with_another_digest_is_refused_before_anything_changes(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    await storage.accounts.create(BOB)
    await storage.accounts.update(ADA.user_id, {}, LATER, request("1"))
    for changes in ({"locale": "de"}, {"username": "bob"}, {}):
        with pytest.raises(RequestReused):
            await storage.accounts.update(ADA.user_id, changes, LATER, request("1", b"another"))  # type: ignore[arg-type]
    assert await storage.accounts.by_user_id(ADA.user_id) == ADA
    assert await storage.accounts.update(BOB.user_id, {"locale": "de"}, LATER, request("1", b"another")), (
        "another account has its own"
    )


async def test_an_account_that_is_another_one_by_now_is_not_changed_and_remembers_nothing(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    seen: list[Account] = []

    def refuses(account: Account) -> bool:
        seen.append(account)
        return False

    for changes in ({"locale": "de"}, {}):
        with pytest.raises(AccountChanged):
            await storage.accounts.update(ADA.user_id, changes, LATER, request("1"), only_if=refuses)  # type: ignore[arg-type]
    assert (seen, await storage.accounts.by_user_id(ADA.user_id)) == ([ADA, ADA], ADA)
    changed = await storage.accounts.update(ADA.user_id, {"locale": "fr"}, LATER, request("1"), only_if=lambda _: True)
    assert changed == replace(ADA, locale="fr", updated_at=LATER)
    again = await storage.accounts.update(ADA.user_id, {"locale": "fr"}, LATER, request("1"), only_if=refuses)
    assert (again, len(seen)) == (changed, 2), "what is remembered is not judged again"


async def test_a_refused_request_is_not_remembered(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    await storage.accounts.create(BOB)
    with pytest.raises(AlreadyExists):
        await storage.accounts.update(BOB.user_id, {"username": "ada"}, LATER, request("1"))
    changed = await storage.accounts.update(BOB.user_id, {"username": "robert"}, LATER, request("1", b"another"))
    assert changed == replace(BOB, username="robert", updated_at=LATER)


async def test_one_request_twice_at_once_changes_once(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    outcomes = await asyncio.gather(
        *(storage.accounts.update(ADA.user_id, {"locale": name}, LATER, request("1")) for name in ("de", "fr", "it"))
    )
    locales = {outcome.locale for outcome in outcomes if outcome}
    assert len(locales) == 1
    kept = await storage.accounts.by_user_id(ADA.user_id)
    assert kept is not None
    assert {kept.locale} == locales


async def test_the_newest_requests_are_remembered(storage: Storage) -> None:
    await storage.accounts.create(ADA)
    for number in range(ACCOUNT_REQUESTS_MAX + 1):
        at = f"2026-02-01T00:00:00.{number:03}Z"
        await storage.accounts.update(ADA.user_id, {}, at, request(str(number)))
    with pytest.raises(RequestReused):
        await storage.accounts.update(ADA.user_id, {}, LATER, request("1", b"another"))
    assert await storage.accounts.update(ADA.user_id, {"locale": "de"}, LATER, request("0", b"another")) == replace(
        ADA, locale="de", updated_at=LATER
    )


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
    assert await keys.claim("OTHER", second)
    assert [await keys.key_of(project) for project in (first, second, op("third"))] == ["HIVE", "OTHER", None]


async def test_of_two_projects_at_once_one_gets_the_key(storage: Storage) -> None:
    projects = [op(str(number)) for number in range(5)]
    claims = await asyncio.gather(*(storage.project_keys.claim("HIVE", project) for project in projects))
    assert claims.count(True) == 1


async def test_a_project_that_never_came_to_be_may_ask_for_another_key_and_keeps_the_first(storage: Storage) -> None:
    keys, first, second = storage.project_keys, op("first"), op("second")
    assert await keys.claim("HIVE", first)
    assert await keys.claim("BEES", first)
    assert await keys.key_of(first) == "BEES"
    assert [await keys.holder_of(key) for key in ("HIVE", "BEES", "NONE")] == [first, first, None]
    assert not await keys.claim("HIVE", second), "the first attempt may still be under way"


async def test_a_project_that_exists_claims_no_other_key(storage: Storage) -> None:
    keys, project = storage.project_keys, op("first")
    assert await keys.claim("HIVE", project)
    stream = f"project/{project}"
    [claimed] = await storage.own(shard_of(stream))
    lane = await storage.journal.open_lane()
    try:
        await lane.append(batch(SESSION, [fence(claimed)], entry(stream, 1)))
    finally:
        await lane.close()
    assert not await keys.claim("BEES", project)
    assert await keys.claim("HIVE", project), "a retry hears the same"
    assert await keys.holder_of("BEES") is None
