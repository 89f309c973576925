"""The token of a live connection: renewed in time it lives on, ended elsewhere it ends within a moment."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from protocol.base import instant_of
from server.auth.opaque import ApiTokenText, digest
from storage.grant_ports import ApiToken
from tests.server.clock import RandomIds
from tests.server.gateway.client import LiveClient
from tests.server.gateway.hive import ADMIN_TOKEN, Hive, eventually

SHORT_S = 0.25


def short(hive: Hive, user: str) -> str:
    """A token with a quarter of a second to live: its end is a whole second of the clock."""
    hive.clock.now_s = int(hive.clock.now_s) + 1 - SHORT_S
    return hive.token(user, ends_in_s=SHORT_S)


async def closed(client: LiveClient) -> str:
    """Why the connection was ended."""
    await client.until_end()
    [message] = client.of("closed")
    assert "stream" not in message, "it is the whole connection"
    return str(message["reason"])


async def renewed(client: LiveClient, token: Any) -> Any:
    return await client.ask("auth", {"token": token})


async def works(client: LiveClient) -> bool:
    return "error" in await client.join("project/018f0000-0000-7000-8000-00000000000a")


async def test_a_renewed_connection_outlives_the_token_it_began_with(hive: Hive) -> None:
    user, _ = await hive.user("ada")
    token = short(hive, user)
    one, other = await hive.client(token), await hive.client(token)
    answer = await renewed(one, hive.token(user))
    assert set(answer) == {"expiresAt"}
    assert answer["expiresAt"] > hive.clock.now()
    assert await closed(other) == "expired"
    assert await works(one)


async def test_the_end_of_the_new_token_is_the_connection_s(hive: Hive) -> None:
    user, token = await hive.user("ada")
    client = await hive.client(token)
    await renewed(client, short(hive, user))
    assert await closed(client) == "expired"


class LateClock:
    """A loop whose clock reads a hair less than the time for which its newest timer was set, also once that has fired.

    uvloop's does so for about every sixth millisecond: it has the one from a product and the other from a quotient.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        # For when its newest timer was set.
        self._newest_s = 0.0

    def call_later(self, seconds: float, call: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        timer = self._loop.call_later(seconds, call, *arguments)
        self._newest_s = timer.when()
        return timer

    def time(self) -> float:
        return math.nextafter(self._newest_s, -math.inf)


async def in_late_time(hive: Hive, token: str) -> LiveClient:
    """A client past CONNECT, whose session looks at such a clock."""
    client = await hive.opened()
    [session] = hive.gateway._sessions - hive.gateway._entered
    changed: Any = session
    changed._loop = LateClock()
    await client.send("40" + json.dumps({"token": token}))
    await eventually(lambda: session in hive.gateway._entered)
    return client


async def short_api_token(hive: Hive, bot_id: str) -> str:
    """As `short`, of a bot."""
    hive.clock.now_s = int(hive.clock.now_s) + 1 - SHORT_S
    ends_at = instant_of(datetime.fromtimestamp(hive.clock.now_s + SHORT_S, UTC))
    text = ApiTokenText.new(RandomIds().new_id())
    scopes = frozenset({"read", "write"})
    token = ApiToken(text.token_id, bot_id, "ci", scopes, None, digest(text.secret), hive.clock.now(), ends_at)
    assert await hive.storage.api_tokens.create(token, 10)
    return text.text()


@pytest.mark.parametrize("of_bot", [False, True], ids=["access token", "API token"])
async def test_a_token_that_ends_ends_its_connection_whatever_the_clock_reads(hive: Hive, of_bot: bool) -> None:
    user, _ = await hive.user("ada")
    token = await short_api_token(hive, user) if of_bot else short(hive, user)
    client = await in_late_time(hive, token)
    assert await closed(client) == "expired"


async def test_a_token_renewed_after_its_timer_fired_is_none_that_ended(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, _ = await hive.user("ada")
    ends: list[Callable[[], None]] = []
    client = await hive.client(short(hive, user))
    with monkeypatch.context() as patch:
        patch.setattr(hive.gateway.farewells, "add", ends.append)
        await eventually(lambda: bool(ends))
    await renewed(client, hive.token(user))
    for end in ends:
        end()
    assert await works(client)
    await renewed(client, short(hive, user))
    assert await closed(client) == "expired"


async def test_another_user_s_token_changes_nothing(hive: Hive) -> None:
    user, _ = await hive.user("ada")
    _, strange = await hive.user("eve")
    first = await hive.client(short(hive, user))
    for token, code in (
        (strange, "forbidden"),
        (ADMIN_TOKEN, "forbidden"),
        (strange + "x", "unauthenticated"),
        (hive.token(user, ends_in_s=-1), "token_expired"),
        ("", "invalid"),
        (None, "invalid"),
    ):
        assert (await renewed(first, token))["error"]["code"] == code
    assert await works(first)
    assert await closed(first) == "expired"


async def test_after_the_end_nothing_is_renewed(hive: Hive) -> None:
    user, _ = await hive.user("ada")
    client = await hive.client(short(hive, user))
    assert await closed(client) == "expired"
    await eventually(lambda: not hive.gateway.connections)


async def test_an_event_before_connect_is_no_way_in(hive: Hive) -> None:
    _, token = await hive.user("ada")
    client = await hive.opened()
    await client.emit("auth", {"token": token})
    assert await client.until_end() == 1002


async def test_the_operator_s_connection_has_no_end(hive: Hive) -> None:
    client = await hive.client(ADMIN_TOKEN)
    assert await renewed(client, ADMIN_TOKEN) == {"expiresAt": None}


# — ended elsewhere ——————————————————————————————————————————————————————————————————————————————————


async def test_what_another_node_ends_is_closed_here_and_only_that(hive: Hive) -> None:
    user, _ = await hive.user("ada")
    ending, staying = await hive.login(user), await hive.login(user)
    clients = [await hive.client(hive.token(user, ending)) for _ in range(3)]
    other = await hive.client(hive.token(user, staying))
    await hive.storage.logins.end(user, hive.clock.now(), only=ending)
    assert [await closed(client) for client in clients] == ["ended"] * 3
    assert await works(other)
    late = await hive.opened()
    await late.send("40" + json.dumps({"token": hive.token(user, ending)}))
    await late.until_end()
    assert json.loads(late.control[0][2:])["data"]["code"] == "unauthenticated"
    assert (await renewed(other, hive.token(user, ending)))["error"]["code"] == "unauthenticated"


async def test_a_renewed_connection_hangs_on_its_newest_log_in(hive: Hive) -> None:
    user, _ = await hive.user("ada")
    first, second = await hive.login(user), await hive.login(user)
    client = await hive.client(hive.token(user, first))
    witness = await hive.client(hive.token(user, first))
    await renewed(client, hive.token(user, second))
    await hive.storage.logins.end(user, hive.clock.now(), only=first)
    assert await closed(witness) == "ended"
    assert await works(client)
    await hive.storage.logins.end(user, hive.clock.now(), only=second)
    assert await closed(client) == "ended"


async def test_commands_of_an_ended_log_in_are_not_accepted_any_more(hive: Hive) -> None:
    user, _ = await hive.user("ada")
    stream = await hive.project(owner=user)
    login = await hive.login(user)
    client = await hive.client(hive.token(user, login))
    await hive.storage.logins.end(user, hive.clock.now(), only=login)
    assert await closed(client) == "ended"
    _, seq = await hive.view(stream)
    assert seq == 1
