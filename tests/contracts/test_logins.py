"""The contracts of `storage.grant_ports.Logins` and `Endings`."""

import asyncio
from dataclasses import replace

from storage.grant_ports import Login, PasswordChange, Rotation
from storage.ports import Account
from tests.contracts.entries import AT, op
from tests.contracts.storages import Storage

LATER = "2026-02-01T00:00:00.000Z"
MUCH_LATER = "2026-06-01T00:00:00.000Z"
ADA = Account(op("ada"), "ada", None, "hash", None, None, AT, AT)
BOB = Account(op("bob"), "bob", None, "hash", None, None, AT, AT)


def login(name: str, user: Account = ADA, started_at: str = AT) -> Login:
    return Login(op(name), user.user_id, b"family", b"first", b"salt", started_at, LATER)


async def opened(storage: Storage, *logins: Login) -> None:
    for account in (ADA, BOB):
        await storage.accounts.create(account)
    for one in logins:
        assert await storage.logins.open(one, "hash", 10)


async def ended(storage: Storage, after: int = 0) -> list[tuple[int, str]]:
    return [(ending.number, ending.grant_id) for ending in await storage.endings.after(after, 100)]


async def test_a_log_in_is_found_as_it_was_begun(storage: Storage) -> None:
    await opened(storage, login("1"))
    assert await storage.logins.by_id(op("1")) == login("1")
    assert await storage.logins.by_id(op("2")) is None


async def test_a_log_in_with_a_password_that_was_changed_meanwhile_does_not_begin(storage: Storage) -> None:
    await opened(storage)
    assert not await storage.logins.open(login("1"), "another hash", 10)
    assert not await storage.logins.open(login("1", replace(ADA, user_id=op("nobody"))), "hash", 10)
    assert await storage.logins.by_id(op("1")) is None


async def test_the_oldest_log_ins_beyond_the_limit_end(storage: Storage) -> None:
    await opened(storage, login("of bob", BOB))
    for number in range(4):
        one = login(str(number), started_at=f"2026-01-01T00:00:0{number}.000Z")
        assert await storage.logins.open(one, "hash", 2)
    alive = [await storage.logins.by_id(op(name)) is not None for name in ("0", "1", "2", "3", "of bob")]
    assert alive == [False, False, True, True, True]
    assert await ended(storage) == [(1, op("0")), (2, op("1"))]


async def test_a_refresh_token_is_exchanged_once(storage: Storage) -> None:
    await opened(storage, login("1"))
    rotation = Rotation(b"first", b"second", b"key", MUCH_LATER)
    assert await storage.logins.rotate(op("1"), rotation)
    assert await storage.logins.by_id(op("1")) == replace(
        login("1"), refresh_hash=b"second", previous_hash=b"first", request_hash=b"key", expires_at=MUCH_LATER
    )
    assert not await storage.logins.rotate(op("1"), rotation)
    assert not await storage.logins.rotate(op("2"), rotation)


async def test_of_two_exchanges_at_once_one_wins(storage: Storage) -> None:
    await opened(storage, login("1"))
    outcomes = await asyncio.gather(
        *(storage.logins.rotate(op("1"), Rotation(b"first", bytes([n]), None, LATER)) for n in range(5))
    )
    assert sorted(outcomes) == [False] * 4 + [True]


async def test_one_log_in_ends_or_all_of_a_user(storage: Storage) -> None:
    await opened(storage, login("1"), login("2"), login("3"), login("of bob", BOB))
    assert await storage.logins.end(ADA.user_id, LATER, only=op("of bob")) == [], "it is somebody else's"
    assert await storage.logins.end(ADA.user_id, LATER, only=op("2")) == [op("2")]
    assert await storage.logins.end(ADA.user_id, LATER, only=op("2")) == [], "it has ended before"
    assert sorted(await storage.logins.end(ADA.user_id, LATER)) == sorted([op("1"), op("3")])
    assert await storage.logins.by_id(op("of bob")) is not None
    first, *rest = await ended(storage)
    assert first == (1, op("2"))
    assert [number for number, _ in rest] == [2, 3]
    assert {grant for _, grant in rest} == {op("1"), op("3")}


async def test_a_new_password_ends_the_others_and_keeps_one(storage: Storage) -> None:
    await opened(storage, login("1"), login("2"), login("of bob", BOB))
    change = PasswordChange("hash", "new hash", op("1"))
    assert await storage.logins.change_password(ADA.user_id, change, LATER) == [op("2")]
    assert await storage.logins.change_password(ADA.user_id, change, LATER) is None, "the old one is not it any more"
    kept = await storage.accounts.by_user_id(ADA.user_id)
    assert kept == replace(ADA, password_hash="new hash")
    alive = [await storage.logins.by_id(op(name)) is not None for name in ("1", "2", "of bob")]
    assert alive == [True, False, True]
    assert await ended(storage) == [(1, op("2"))]


async def test_a_log_in_at_the_time_of_a_new_password_begins_before_it_or_not_at_all(storage: Storage) -> None:
    await opened(storage, login("mine"))
    begun, others = await asyncio.gather(
        asyncio.gather(*(storage.logins.open(login(f"{n}"), "hash", 100) for n in range(10))),
        storage.logins.change_password(ADA.user_id, PasswordChange("hash", "new hash", op("mine")), LATER),
    )
    assert others is not None
    assert sum(begun) == len(others)
    for number in range(10):
        assert await storage.logins.by_id(op(str(number))) is None


async def test_endings_are_numbered_without_a_gap_however_many_come_at_once(storage: Storage) -> None:
    logins = [login(str(number)) for number in range(8)]
    await opened(storage, *logins)
    await asyncio.gather(*(storage.logins.end(ADA.user_id, LATER, only=one.login_id) for one in logins))
    assert [number for number, _ in await ended(storage)] == list(range(1, 9))
    assert [ending.number for ending in await storage.endings.after(2, 3)] == [3, 4, 5]


async def test_old_endings_and_expired_log_ins_are_forgotten_and_numbers_go_on(storage: Storage) -> None:
    await opened(storage, login("1"), login("2"), login("3"))
    await storage.logins.end(ADA.user_id, AT, only=op("1"))
    await storage.logins.end(ADA.user_id, LATER, only=op("2"))
    await storage.endings.forget(LATER)
    assert await ended(storage) == [(2, op("2"))]
    await storage.endings.forget(MUCH_LATER)
    await storage.logins.forget_expired(AT)
    assert await storage.logins.by_id(op("3")) is not None
    await storage.logins.end(ADA.user_id, LATER, only=op("3"))
    assert await ended(storage) == [(3, op("3"))]
    assert await storage.logins.open(login("4"), "hash", 10)
    await storage.logins.forget_expired(LATER)
    assert await storage.logins.by_id(op("4")) is None
