"""Passwords: hashed in bounded threads, checked in the same time whoever asks."""

from __future__ import annotations

import asyncio
import statistics
import time
import unicodedata

import pytest

from protocol.errors import ErrorCode, Rejection
from server.auth.passwords import PasswordCost, Passwords, Verified

CHEAP = PasswordCost(memory_kib=64, time_cost=1, threads=2, queue_max=100)


async def hashed(passwords: Passwords, password: str) -> str:
    found = await passwords.hash(password)
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("password", ["StrongP@ssw0rd!", "😀" * 64, "x" * 64, " leading and trailing "])
async def test_the_right_password_matches_and_nothing_like_it(password: str) -> None:
    passwords = Passwords(CHEAP)
    kept = await hashed(passwords, password)
    assert await passwords.verify(password, kept) == Verified(True)
    for other in (password[:-1], password + "x", password.swapcase() + "X", ""):
        assert await passwords.verify(other, kept) == Verified(False)
    passwords.close()


async def test_one_password_typed_on_two_keyboards_is_one() -> None:
    passwords = Passwords(CHEAP)
    kept = await hashed(passwords, unicodedata.normalize("NFD", "pässwörter"))
    assert await passwords.verify(unicodedata.normalize("NFC", "pässwörter"), kept) == Verified(True)
    passwords.close()


async def test_no_password_matches_nobody_or_a_damaged_hash() -> None:
    passwords = Passwords(CHEAP)
    for kept in (None, "", "plain", "$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAA"):
        assert await passwords.verify("StrongP@ssw0rd!", kept) == Verified(False)
    passwords.close()


async def test_a_hash_of_old_parameters_is_renewed_when_the_password_was_right() -> None:
    old, new = Passwords(CHEAP), Passwords(PasswordCost(memory_kib=128, time_cost=1))
    kept = await hashed(old, "StrongP@ssw0rd!")
    verified = await new.verify("StrongP@ssw0rd!", kept)
    assert isinstance(verified, Verified)
    assert verified.renewed_hash is not None
    assert await new.verify("StrongP@ssw0rd!", verified.renewed_hash) == Verified(True)
    assert await new.verify("wrong", kept) == Verified(False)
    old.close()
    new.close()


async def test_a_full_queue_is_told_at_once() -> None:
    passwords = Passwords(PasswordCost(memory_kib=64, time_cost=1, threads=1, queue_max=3))
    answers = await asyncio.gather(*(passwords.hash("StrongP@ssw0rd!") for _ in range(20)))
    refused = [answer for answer in answers if isinstance(answer, Rejection)]
    assert len(refused) == 16
    assert all(one.code is ErrorCode.OVERLOADED and one.details["retryAfterS"] for one in refused)
    await asyncio.sleep(0)
    assert passwords.under_way == 0
    assert isinstance(await passwords.hash("StrongP@ssw0rd!"), str)
    passwords.close()


async def test_an_unknown_user_costs_the_same_time() -> None:
    passwords = Passwords(PasswordCost())
    kept = await hashed(passwords, "StrongP@ssw0rd!")
    times: dict[str | None, list[float]] = {kept: [], None: []}
    for _ in range(15):
        for who, measured in times.items():
            started = time.process_time()
            await passwords.verify("wrong password", who)
            measured.append(time.process_time() - started)
    known, unknown = (statistics.median(measured) for measured in times.values())
    assert 0.7 < known / unknown < 1.4, (known, unknown)
    passwords.close()


async def test_hashing_costs_the_loop_next_to_nothing() -> None:
    passwords = Passwords(PasswordCost())
    in_loop, in_all = time.thread_time(), time.process_time()
    await asyncio.gather(*(passwords.hash("StrongP@ssw0rd!") for _ in range(10)))
    in_loop, in_all = time.thread_time() - in_loop, time.process_time() - in_all
    assert in_loop < in_all / 4, (in_loop, in_all)
    passwords.close()
