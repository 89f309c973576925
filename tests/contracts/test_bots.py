"""The contracts of bots' accounts and of `storage.grant_ports.ApiTokens`."""

import asyncio
from dataclasses import replace

import pytest

from protocol.faults import DuplicateEntry
from storage.grant_ports import ApiToken
from storage.ports import Account, AlreadyExists
from tests.contracts.entries import AT, op
from tests.contracts.storages import Storage

LATER = "2026-02-01T00:00:00.000Z"
ADA = Account(op("ada"), "ada", None, "hash", None, None, AT, AT)


def bot(name: str) -> Account:
    return Account(op(name), name, None, "", None, None, AT, AT, owner_id=ADA.user_id)


def token(name: str, of: str = "bot") -> ApiToken:
    return ApiToken(op(name), op(of), name, frozenset({"read"}), None, b"hash", AT, None)


async def with_bots(storage: Storage, *names: str) -> None:
    await storage.accounts.create(ADA)
    for name in names:
        assert await storage.accounts.create_bot(bot(name), 10)


async def test_a_bot_is_an_account_with_an_owner(storage: Storage) -> None:
    await with_bots(storage, "bot", "other")
    assert await storage.accounts.by_user_id(op("bot")) == bot("bot")
    assert await storage.accounts.by_username("BOT") == bot("bot")
    bots = await storage.accounts.bots_of(ADA.user_id)
    assert list(bots) == sorted([bot("bot"), bot("other")], key=lambda one: one.user_id)
    assert list(await storage.accounts.bots_of(op("bot"))) == []
    with pytest.raises(AlreadyExists) as caught:
        await storage.accounts.create_bot(replace(bot("new"), username="ADA"), 10)
    assert caught.value.field == "username"


async def test_an_owner_has_so_many_bots_at_most(storage: Storage) -> None:
    await with_bots(storage)
    made = await asyncio.gather(*(storage.accounts.create_bot(bot(f"bot{n}"), 3) for n in range(6)))
    assert sorted(made) == [False] * 3 + [True] * 3


async def test_a_token_is_found_as_it_was_made(storage: Storage) -> None:
    await with_bots(storage, "bot", "other")
    limited = replace(token("2"), project_ids=frozenset({op("p"), op("q")}), expires_at=LATER)
    every = [token("1"), replace(limited, created_at=LATER), token("3", "other")]
    for one in every:
        assert await storage.api_tokens.create(one, 10)
    assert [await storage.api_tokens.by_id(op(name)) for name in "1234"] == [*every, None]
    assert list(await storage.api_tokens.of_bot(op("bot"))) == every[:2]
    with pytest.raises(DuplicateEntry):
        await storage.api_tokens.create(token("1"), 10)


async def test_a_bot_has_so_many_tokens_at_most(storage: Storage) -> None:
    await with_bots(storage, "bot")
    made = await asyncio.gather(*(storage.api_tokens.create(token(str(n)), 3) for n in range(6)))
    assert sorted(made) == [False] * 3 + [True] * 3


async def test_a_revoked_token_is_gone_and_every_node_hears_of_it(storage: Storage) -> None:
    await with_bots(storage, "bot", "other")
    for one in (token("1"), token("2"), token("3", "other")):
        await storage.api_tokens.create(one, 10)
    assert not await storage.api_tokens.revoke(op("bot"), op("3"), LATER), "it is another bot's"
    assert await storage.api_tokens.revoke(op("bot"), op("1"), LATER)
    assert not await storage.api_tokens.revoke(op("bot"), op("1"), LATER)
    assert list(await storage.api_tokens.of_bot(op("bot"))) == [token("2")]
    assert [(ending.number, ending.grant_id) for ending in await storage.endings.after(0, 10)] == [(1, op("1"))]
