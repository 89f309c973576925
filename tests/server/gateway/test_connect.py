"""CONNECT: the token in the payload and nothing else lets anybody in."""

from __future__ import annotations

import json
import logging

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from server.gateway.limits import GatewayLimits
from server.gateway.upgrade import FOREIGN_ORIGIN
from tests.server.gateway.client import LiveClient
from tests.server.gateway.conformance.frames import BINARY, TEXT, frame
from tests.server.gateway.hive import ADMIN_TOKEN, Hive, a_hive, eventually
from tests.server.gateway.msgpack_client import MsgpackClient
from tests.server.world import problem_of

OURS = "https://app.example.org"
FOREIGN = "https://evil.example"


async def refused(hive: Hive, packet: str) -> dict[str, object]:
    """The CONNECT_ERROR that answers a packet, before the connection ends."""
    client = await hive.opened()
    await client.send(packet)
    assert await client.until_end() == 1000
    [answer] = client.control
    assert answer.startswith("44")
    error: dict[str, object] = json.loads(answer[2:])
    assert set(error) == {"message", "data"}
    data = error["data"]
    assert isinstance(data, dict)
    assert data["message"] == error["message"]
    await eventually(lambda: not hive.gateway.connections)
    return data


async def test_users_and_the_operator_come_in_with_their_token(hive: Hive) -> None:
    _, token = await hive.user("ada")
    for good in (token, ADMIN_TOKEN):
        client = await hive.client(good)
        assert set(json.loads(client.control[0][2:])) == {"sid"}


async def test_the_main_namespace_may_be_written_out(hive: Hive) -> None:
    client = await hive.opened()
    await client.send("40/," + json.dumps({"token": ADMIN_TOKEN}))
    await client.until(lambda: bool(client.control))
    assert client.control[0].startswith("40{")
    await client.send('42/,7["leave",{}]')
    assert "error" in await client.answer(7)
    await client.send("43/,1[]")
    await client.send("41/")
    assert await client.until_end() == 1000
    anonymous = await hive.opened()
    await anonymous.send("40/")
    await anonymous.until_end()
    assert '"unauthenticated"' in anonymous.control[0]


async def test_the_handshake_tells_the_limits(hive: Hive) -> None:
    client = await hive.opened()
    assert client.handshake == {
        "sid": client.handshake["sid"],
        "upgrades": [],
        "pingInterval": 20_000,
        "pingTimeout": 10_000,
        "maxPayload": 260 << 10,
    }


@pytest.mark.parametrize(
    "payload",
    [
        *("", "{}", "null", '"token"', "[1]", '{"token":""}', '{"token":7}', '{"token":null}'),
        *('{"token":"x","more":1}', '{"token":"nobody\'s"}', '{"token":"' + "t" * 4000 + '"}'),
        '{"token":"' + ADMIN_TOKEN[:-1] + 'ä"}',
    ],
)
async def test_without_a_good_token_nobody_comes_in(hive: Hive, payload: str) -> None:
    error = await refused(hive, "40" + payload)
    assert error["code"] == "unauthenticated"
    assert error["retryable"] is False


@pytest.mark.parametrize("kind", [LiveClient, MsgpackClient])
async def test_before_connect_is_accepted_a_packet_is_small(hive: Hive, kind: type[LiveClient]) -> None:
    """It is refused at its head: nobody without a token makes others wait until much was read."""
    for size, code in ((4096, 1002), (4097, 1009)):
        client = await hive.opened(kind=kind)
        transport = client.socket._writer.transport
        assert transport is not None
        whole = frame(b"\xc1" * size, BINARY) if kind is MsgpackClient else frame(b"x" * size, TEXT)
        transport.write(whole if code == 1002 else whole[:8])
        assert await client.until_end() == code


async def test_behind_an_accepted_connect_a_packet_may_be_large(hive: Hive) -> None:
    client = await hive.opened()
    transport = client.socket._writer.transport
    assert transport is not None
    event = "427" + json.dumps(["leave", {"x": "x" * 200_000}])
    transport.write(frame(b"40" + json.dumps({"token": ADMIN_TOKEN}).encode()) + frame(event.encode()))
    assert "error" in await client.answer(7)


async def test_a_good_token_with_something_beside_is_told_so(hive: Hive) -> None:
    error = await refused(hive, "40" + json.dumps({"token": ADMIN_TOKEN, "more": 1}))
    assert (error["code"], error["message"]) == ("unauthenticated", "CONNECT takes a token and nothing else")
    assert error["details"] == {"errors": [{"field": "auth.more", "message": "Extra inputs are not permitted"}]}
    error = await refused(hive, '40{"more":1}')
    assert error["message"] == "CONNECT needs a token"


@pytest.mark.parametrize("packet", ["40/admin,", "40/admin", '40/admin,{"token":"x"}'])
async def test_a_namespace_that_is_not_there_is_refused_and_costs_nothing_else(hive: Hive, packet: str) -> None:
    client = await hive.opened()
    await client.send(packet)
    await client.send("40" + json.dumps({"token": ADMIN_TOKEN}))
    await client.send(packet)
    await client.until(lambda: len(client.control) == 3)
    assert client.control[1].startswith('40{"sid"')
    for answer in (client.control[0], client.control[2]):
        assert answer.startswith("44/admin,")
        error = json.loads(answer.removeprefix("44/admin,"))
        assert set(error) == {"message", "data"}
        assert (error["data"]["code"], error["data"]["message"]) == ("not_found", error["message"])
    assert "error" in await client.ask("leave", {}), "the main namespace is served on"


async def test_who_only_asks_for_other_namespaces_is_let_go() -> None:
    async with a_hive(limits=GatewayLimits(poison_per_socket_max=5)) as hive:
        client = await hive.opened()
        for _ in range(5):
            await client.send("40/admin,")
        assert await client.until_end() == 1002
        assert [answer[:9] for answer in client.control] == ["44/admin,"] * 5 + ["41"]
    async with a_hive(limits=GatewayLimits(connect_timeout_s=0.2)) as hive:
        client = await hive.opened()
        await client.send("40/admin,")
        assert await client.until_end() == 1000


async def test_an_expired_token_is_named_so(hive: Hive) -> None:
    _, token = await hive.user("ada")
    hive.clock.now_s += 901
    error = await refused(hive, "40" + json.dumps({"token": token}))
    assert error["code"] == "token_expired"


async def test_while_the_server_stops_it_says_so(hive: Hive) -> None:
    client = await hive.opened()
    hive.gateway.stopping = True
    await client.send("40" + json.dumps({"token": ADMIN_TOKEN}))
    await client.until_end()
    assert json.loads(client.control[0][2:])["data"]["code"] == "unavailable"


async def test_a_token_stands_nowhere_but_in_the_payload(hive: Hive) -> None:
    client = await hive.opened(
        query=f"EIO=4&transport=websocket&token={ADMIN_TOKEN}",
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}", "Cookie": f"token={ADMIN_TOKEN}"},
    )
    await client.send("40")
    await client.until_end()
    assert json.loads(client.control[0][2:])["data"]["code"] == "unauthenticated"


async def test_a_second_connect_ends_the_connection(hive: Hive) -> None:
    client = await hive.client()
    await client.send("40" + json.dumps({"token": ADMIN_TOKEN}))
    assert await client.until_end() == 1002


async def test_an_event_before_connect_ends_the_connection(hive: Hive) -> None:
    client = await hive.opened()
    await client.emit("join", {"stream": "project/x"})
    assert await client.until_end() == 1002
    assert not client.acks


async def test_who_never_sends_connect_is_gone_in_time() -> None:
    async with a_hive(GatewayLimits(connect_timeout_s=0.05)) as hive:
        client = await hive.opened()
        assert await client.until_end() == 1000
        await eventually(lambda: not hive.left())


async def test_who_is_connected_stays() -> None:
    async with a_hive(GatewayLimits(connect_timeout_s=0.05, heads_interval_s=0.02)) as hive:
        client = await hive.client()
        other = await hive.opened()
        await other.until_end()  # later than the other one's patience
        assert (await client.ask("leave", {"stream": "project/" + "0" * 8}))["error"]["code"] == "invalid"


# — origins ——————————————————————————————————————————————————————————————————————————————————————————


@pytest.mark.parametrize("own", [True, False])
async def test_known_origins_come_in(own: bool) -> None:
    async with a_hive(origins=[OURS]) as hive:
        await hive.opened(headers={"Origin": hive.url if own else OURS})
        await hive.opened()  # no browser


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("host", ["hive.example", "hive.example:8443"])
async def test_behind_a_proxy_for_tls_pages_of_the_own_host_come_in(hive: Hive, scheme: str, host: str) -> None:
    await hive.opened(headers={"Host": host, "Origin": f"{scheme}://{host}"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": FOREIGN},
        {"Origin": "null"},
        {"Origin": "*"},
        {"Origin": FOREIGN, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Origin": OURS + ".evil.example"},
        {"Host": "hive.example", "Origin": "https://evil.example"},
        {"Host": "hive.example", "Origin": "https://hive.example:8443"},
        {"Host": "hive.example", "Origin": "ftp://hive.example"},
        {"Host": "hive.example", "Origin": "https://hive.example, https://evil.example"},
    ],
)
@pytest.mark.parametrize("origins", [[], [OURS]])
async def test_other_origins_are_refused(headers: dict[str, str], origins: list[str]) -> None:
    async with a_hive(origins=origins) as hive:
        with pytest.raises(WSServerHandshakeError) as refusal:
            await LiveClient.open(hive.url, headers=headers)
        assert refusal.value.status == 400
        async with ClientSession() as http, http.get(f"{hive.url}/socket.io/", headers=headers) as response:
            document = await problem_of(response, 400)
            assert (document["code"], document["detail"]) == ("invalid", FOREIGN_ORIGIN.message)
            assert headers["Origin"] not in document["detail"]
        assert not hive.left()


async def test_a_foreign_origin_beside_the_own_one_is_refused(hive: Hive) -> None:
    headers = [("Origin", hive.url), ("Origin", FOREIGN)]
    async with ClientSession() as http, http.get(f"{hive.url}/socket.io/", headers=headers) as response:
        assert (await problem_of(response, 400))["detail"] == FOREIGN_ORIGIN.message


# — what is not served ———————————————————————————————————————————————————————————————————————————————


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("EIO=3&transport=websocket", "the only version of Engine.IO here is 4 (Socket.IO 3 and 4, protocol 5)"),
        ("transport=websocket", "the only version of Engine.IO here is 4 (Socket.IO 3 and 4, protocol 5)"),
        ("EIO=4&transport=polling", "the only transport here is websocket"),
        ("EIO=4", "the only transport here is websocket"),
        ("EIO=4&transport=websocket&j=1x", "this is no handshake of Engine.IO 4 over WebSocket"),
        ("EIO=4&transport=websocket", "this is no handshake of Engine.IO 4 over WebSocket"),
        ("EIO=4&transport=websocket&sid=nobody", "a session id stands in no URL"),
        ("EIO=4&transport=websocket&sid=%0aforged%20line", "a session id stands in no URL"),
    ],
)
async def test_other_versions_transports_and_sessions_are_refused(hive: Hive, query: str, why: str) -> None:
    if query != "EIO=4&transport=websocket":
        with pytest.raises(WSServerHandshakeError) as refusal:
            await LiveClient.open(hive.url, query=query)
        assert refusal.value.status == 400
    async with ClientSession() as http:
        for method in ("GET", "POST"):
            async with http.request(method, f"{hive.url}/socket.io/?{query}") as response:
                document = await problem_of(response, 400)
                assert (document["code"], document["detail"]) == ("invalid", why)
    assert not hive.left()


async def test_heads_are_refused(hive: Hive) -> None:
    async with ClientSession() as http, http.head(f"{hive.url}/socket.io/?EIO=4&transport=websocket") as response:
        assert (response.status, response.content_type) == (400, "application/problem+json")


async def test_a_living_session_s_id_opens_nothing(hive: Hive) -> None:
    client = await hive.client()
    async with ClientSession() as http:
        for method in ("GET", "POST"):
            for transport in ("polling", "websocket"):
                url = f"{hive.url}/socket.io/?EIO=4&transport={transport}&sid={client.handshake['sid']}"
                async with http.request(method, url) as response:
                    assert response.status == 400
    assert "error" in await client.ask("leave", {})


async def test_an_upgrade_without_a_key_is_refused(hive: Hive) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    async with (
        ClientSession() as http,
        http.get(f"{hive.url}/socket.io/?EIO=4&transport=websocket", headers=headers) as response,
    ):
        assert response.status == 400
    assert not hive.left()


async def test_logs_hold_no_token_and_no_forged_line(
    hive: Hive, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("engineio", "socketio", "pantherahive", "aiohttp"):
        caplog.set_level(logging.DEBUG, name)
    _, token = await hive.user("ada")
    for query in (
        "EIO=4&transport=websocket&sid=%0aforged",
        f"EIO=4&transport=websocket&sid={token}",
        "EIO=3%0aforged",
    ):
        with pytest.raises(WSServerHandshakeError):
            await LiveClient.open(hive.url, query=query)
    with pytest.raises(WSServerHandshakeError):
        await LiveClient.open(hive.url, headers={"Origin": f"https://forged.example/{token}"})
    await hive.opened(headers={"Sec-WebSocket-Protocol": f"forged, {token}"})
    client = await hive.client(token)
    await client.ask("join", {"stream": "project/x\nforged"})
    await client.send('42["\\nforged"]')
    await client.send("4\nforged")
    await client.until_end()
    bad = await hive.opened()
    await bad.send("40" + json.dumps({"token": token + "x"}))
    await bad.until_end()
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith(("asyncio", "tests"))]
    printed = capsys.readouterr()
    lines += printed.out.splitlines() + printed.err.splitlines()
    assert any("bad packet" in line for line in lines)
    assert any("status=400" in line for line in lines)  # the access log
    assert not [line for line in lines if token in line or "forged" in line]
