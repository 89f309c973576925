"""Bots on the socket: let in by their tokens, held to scopes and projects, closed when a token is revoked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from protocol.faults import NotApplied
from protocol.members import AddMember, ChangeMemberRole
from server.auth.opaque import ApiTokenText, digest
from storage.grant_ports import ApiToken
from storage.memory.api_tokens import MemoryApiTokens
from storage.ports import Account
from tests.server.clock import RandomIds
from tests.server.gateway.client import LiveClient
from tests.server.gateway.hive import Hive, eventually

NOW = "2026-03-01T12:00:00.000Z"


async def a_token(hive: Hive, bot_id: str, *scopes: str, project: str | None = None) -> tuple[str, str]:
    """(id, text) of a new token."""
    text = ApiTokenText.new(RandomIds().new_id())
    projects = frozenset({project.partition("/")[2]}) if project else None
    token = ApiToken(
        text.token_id, bot_id, "ci", frozenset(scopes), projects, digest(text.secret), hive.clock.now(), None
    )
    assert await hive.storage.api_tokens.create(token, 10)
    return text.token_id, text.text()


async def a_bot(hive: Hive, *streams: str) -> str:
    """A bot that is a member there."""
    bot_id, _ = await hive.user("builder")
    for stream in streams:
        await hive.send(stream, AddMember(user_id=bot_id, role="member"))
    return bot_id


async def refused(hive: Hive, token: str) -> str:
    """The code with which CONNECT is refused."""
    client = await hive.opened()
    await client.send("40" + json.dumps({"token": token}))
    await client.until_end()
    return str(json.loads(client.control[0][2:])["data"]["code"])


async def code_of(client: LiveClient, stream: str) -> str:
    answer = await client.command(stream, "CreateTask", {"title": "by the bot"})
    return str(answer["error"]["code"]) if "error" in answer else "accepted"


async def test_a_bot_comes_in_and_is_the_author(hive: Hive) -> None:
    stream = await hive.project()
    bot_id = await a_bot(hive, stream)
    _, token = await a_token(hive, bot_id, "read", "write")
    client = await hive.client(token)
    assert (await client.join(stream))["mode"] == "snapshot"
    assert await code_of(client, stream) == "accepted"
    await client.until_seq(stream, 3)
    assert client.entries(stream)[-1]["author"] == bot_id


async def test_scopes_hold_on_the_socket(hive: Hive) -> None:
    mine, other = await hive.project(), await hive.project()
    bot_id = await a_bot(hive, mine, other)
    reading = await hive.client((await a_token(hive, bot_id, "read"))[1])
    writing = await hive.client((await a_token(hive, bot_id, "write"))[1])
    limited = await hive.client((await a_token(hive, bot_id, "read", "write", project=mine))[1])
    assert "mode" in await reading.join(mine)
    assert await code_of(reading, mine) == "forbidden"
    assert "mode" in await writing.join(mine), "what a change answers shows what is there anyway"
    assert await code_of(writing, mine) == "accepted"
    assert "mode" in await limited.join(mine)
    assert await code_of(limited, mine) == "accepted"
    assert (await limited.join(other))["error"]["details"] == {"reason": "token_projects"}
    assert await code_of(limited, other) == "forbidden"


async def test_an_open_connection_of_a_bot_may_no_more_than_its_owner_may_now(hive: Hive) -> None:
    stream = await hive.project()
    owner_id, _ = await hive.user("ada")
    await hive.send(stream, AddMember(user_id=owner_id, role="admin"))
    bot = Account(RandomIds().new_id(), "builder", None, "", None, None, NOW, NOW, owner_id=owner_id)
    assert await hive.storage.accounts.create_bot(bot, 10)
    await hive.send(stream, AddMember(user_id=bot.user_id, role="admin"))
    client = await hive.client((await a_token(hive, bot.user_id, "read", "write"))[1])
    await client.join(stream)
    assert await code_of(client, stream) == "accepted"
    await hive.send(stream, ChangeMemberRole(user_id=owner_id, role="viewer"))
    assert await code_of(client, stream) == "forbidden"
    await hive.send(stream, ChangeMemberRole(user_id=owner_id, role="member"))
    assert await code_of(client, stream) == "accepted"


async def test_a_revoked_token_s_connections_end(hive: Hive) -> None:
    stream = await hive.project()
    bot_id = await a_bot(hive, stream)
    revoked, text = await a_token(hive, bot_id, "read")
    other = await hive.client((await a_token(hive, bot_id, "read"))[1])
    client = await hive.client(text)
    assert await hive.storage.api_tokens.revoke(bot_id, revoked, hive.clock.now())
    await client.until_end()
    assert client.of("closed")[0]["reason"] == "ended"
    assert await refused(hive, text) == "unauthenticated"
    assert "mode" in await other.join(stream)


async def test_what_is_no_token_of_ours_is_refused(hive: Hive) -> None:
    _, text = await a_token(hive, await a_bot(hive), "read")
    for token in (text[:-6] + "AAAAAA", text + "A", ApiTokenText.new(RandomIds().new_id()).text(), "ph_token_"):
        assert await refused(hive, token) == "unauthenticated"


async def test_the_database_s_absence_is_no_refusal_for_good(hive: Hive) -> None:
    tokens = hive.storage.api_tokens
    _, text = await a_token(hive, await a_bot(hive), "read")
    known = await tokens.by_id(ApiTokenText.parse(text).token_id)  # type: ignore[union-attr]
    assert known is not None
    later = replace(known, token_id=RandomIds().new_id())

    async def away(self: MemoryApiTokens, token_id: str) -> ApiToken | None:
        raise NotApplied("nobody answers")

    tokens.by_id = away.__get__(tokens)  # type: ignore[method-assign]
    assert await refused(hive, text) == "unavailable"
    del tokens.by_id
    await tokens.create(later, 10)
    assert "mode" not in await (await hive.client(text)).join("profile/" + RandomIds().new_id())


async def test_nothing_is_done_while_the_token_is_looked_up_and_nothing_stays_of_who_leaves(hive: Hive) -> None:
    tokens, gate = hive.storage.api_tokens, asyncio.Event()
    _, text = await a_token(hive, await a_bot(hive), "read")
    look = tokens.by_id

    async def slowly(token_id: str) -> ApiToken | None:
        await gate.wait()
        return await look(token_id)

    tokens.by_id = slowly  # type: ignore[method-assign]
    hasty, twice, gone = [await hive.opened() for _ in range(3)]
    for client in (hasty, twice, gone):
        await client.send("40" + json.dumps({"token": text}))
    await hasty.emit("join", {"stream": await hive.project()})
    assert await hasty.until_end() == 1002
    await twice.send("40" + json.dumps({"token": text}))
    assert await twice.until_end() == 1002
    await gone.close()
    await eventually(lambda: not hive.gateway.connections)
    gate.set()
    await eventually(lambda: not hive.left())


async def test_a_bot_renews_only_with_the_same_rights(hive: Hive) -> None:
    bot_id = await a_bot(hive)
    _, first = await a_token(hive, bot_id, "read")
    _, same = await a_token(hive, bot_id, "read")
    _, more = await a_token(hive, bot_id, "read", "write")
    client = await hive.client(first)
    assert await client.ask("auth", {"token": same}) == {"expiresAt": None}
    assert (await client.ask("auth", {"token": more}))["error"]["code"] == "forbidden"
