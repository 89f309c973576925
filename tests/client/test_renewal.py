"""A client's token: renewed on the connection that it has; ended elsewhere, it logs in again."""

from __future__ import annotations

from pantherahive_client import Client, Unauthenticated
from tests.client.hive import QUICK, Hive
from tests.client.waiting import until


def ada(hive: Hive) -> Client:
    return Client(hive.url, username="ada", password="correct horse", settings=QUICK)


async def test_a_connection_outlives_its_first_token(hive: Hive) -> None:
    hive.expires_in_s = 0.1
    async with ada(hive) as client:
        [connection] = hive.connections
        await until(lambda: hive.renewals >= 3)
        assert list(hive.connections) == [connection], "it is the same connection"
        assert (hive.logins, client.is_connected) == (1, True)
        assert hive.refreshes >= hive.renewals, "the password was needed once"


async def test_without_the_refresh_token_the_password_helps(hive: Hive) -> None:
    hive.expires_in_s = 0.1
    async with ada(hive):
        hive.refresh_tokens.clear()
        await until(lambda: hive.logins >= 2)
        await until(lambda: hive.renewals >= 1)
        assert len(hive.connections) == 1


async def test_what_the_server_ended_is_begun_anew(hive: Hive) -> None:
    async with ada(hive) as client:
        hive.tokens.clear()
        hive.refresh_tokens.clear()
        await hive.tell_closed({"reason": "ended"})
        await until(lambda: hive.logins == 2 and client.is_connected)


async def test_with_another_password_meanwhile_the_client_ends(hive: Hive) -> None:
    async with ada(hive) as client:
        hive.tokens.clear()
        hive.refresh_tokens.clear()
        hive.users.clear()
        await hive.tell_closed({"reason": "ended"})
        await until(lambda: client._connection.ended is not None)
        assert isinstance(client._connection.ended, Unauthenticated)


async def test_a_token_of_one_s_own_is_not_renewed(hive: Hive) -> None:
    hive.expires_in_s = 0.1
    async with Client(hive.url, token="the-operators-token", settings=QUICK) as client:
        await client.get("/v1/users", {"username": "ada"})
        assert (hive.renewals, hive.refreshes, hive.logins) == (0, 0, 0)
