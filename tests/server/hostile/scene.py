"""The stage of all hostile inputs: one real server, two strangers' projects, and what may be left behind of a try."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import orjson

from tests.server.clock import RandomIds
from tests.server.composed import Composed, composed_server

PASSWORD: Final = "Correct-Horse-Battery-7"
INVITATION_TOKEN: Final = "aW52aXRhdGlvbi10b2tlbi1vZi10aGUtc2NlbmUtMQ_x"
SETTINGS: Final[dict[str, Any]] = {
    "event_stream_connections_per_user_max": 2,
    "joins_per_socket_max": 3,
    "poison_per_socket_max": 5,
    "rate_logins_per_address_max": 1_000_000,
    "rate_logins_per_name_max": 1_000_000,
    "connect_timeout_s": 5,
}
"""Limits that a row can reach; tries to sign in are counted elsewhere (`tests/server/rest/test_rate_limits.py`)."""

KEPT: Final = (
    "accounts",
    "account_requests",
    "api_tokens",
    "dead_letters",
    "endings",
    "entries",
    "invitation_secrets",
    "logins",
    "project_keys",
)
"""Tables that a request writes by itself: a try leaves a row there or nothing."""
FOLLOWING: Final = (
    "invitations",
    "links",
    "members",
    "profiles",
    "projects",
    "timers",
)
"""Tables that follow the log."""

_NAME: Final = re.compile(r"\{(\w+)\}")


@dataclass
class Scene:
    """`names` are the words in braces that rows use: `{project}`, `{task}` …; `tokens` are those of each person."""

    server: Composed
    database: asyncpg.Connection[asyncpg.Record]
    http: aiohttp.ClientSession
    log: io.StringIO
    names: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    # What may stand in no log line.
    secrets: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return self.server.url

    def filled(self, value: Any) -> Any:
        """A copy with the words in braces replaced; unknown ones stay."""
        if isinstance(value, str):
            return _NAME.sub(lambda match: self.names.get(match[1], match[0]), value)
        if isinstance(value, dict):
            return {self.filled(name): self.filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.filled(one) for one in value]
        return value

    async def ask(self, method: str, path: str, who: str = "", body: Any = None, **headers: str) -> Any:
        """A request of the set-up, which succeeds."""
        if who:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        async with self.http.request(method, self.url + path, json=body, headers=headers) as response:
            text = await response.text()
            assert response.status < 300, text
            return orjson.loads(text) if text else None

    async def send(self, who: str, stream: str, kind: str, **data: Any) -> Any:
        """A command of the set-up, over REST."""
        body = {"type": kind, "data": data}
        path = f"/v1/{'projects' if stream.startswith('project') else 'users'}/{stream.partition('/')[2]}/commands"
        return (await self.ask("POST", path, who, body))["result"]

    async def register(self, name: str) -> Any:
        """A person with a log-in."""
        body = {"username": name, "password": PASSWORD, "email": f"{name}@example.org"}
        answer = await self.ask("POST", "/v1/users/register", "", body)
        self.names[name], self.tokens[name] = answer["userId"], answer["accessToken"]
        self.secrets |= {answer["accessToken"], answer["refreshToken"]}
        return answer

    async def kept(self) -> Mapping[str, int]:
        """Rows of the tables that requests write."""
        return await self._counts(KEPT)

    async def following(self) -> Mapping[str, int]:
        """Rows of the tables that follow, once they have caught up with the log."""
        await eventually_true(self._caught_up)
        return await self._counts(FOLLOWING)

    async def _counts(self, tables: tuple[str, ...]) -> Mapping[str, int]:
        columns = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in tables)
        row = await self.database.fetchrow(f"SELECT {columns}")
        assert row is not None
        return dict(row)

    async def _caught_up(self) -> bool:
        """Whether every consumer has come to the end of every shard."""
        behind = await self.database.fetchval(
            "SELECT count(*) FROM shards s JOIN consumers c ON c.shard_id = s.shard_id WHERE c.pos < "
            "(SELECT coalesce(max(pos), 0) FROM entries e WHERE e.shard_id = s.shard_id)"
        )
        return bool(behind == 0)

    def open_connections(self) -> int:
        """Sockets and event streams that are still there, and followers of streams."""
        product = self.server.product
        edges, feeds = product._edges, product._heart.feeds
        return edges.gateway.connections + len(edges.event_streams) + feeds.followers

    def log_lines(self, after: int) -> list[str]:
        """What was logged behind this place."""
        return self.log.getvalue()[after:].splitlines()


async def eventually_true(condition: Any) -> None:
    """Asks again until it holds. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


@asynccontextmanager
async def a_scene(dsn: str, folder: Path, log: io.StringIO) -> AsyncIterator[Scene]:
    """Ada's project, with Ben as a member and Vic as a viewer; Eve's own, which nobody else sees; bots; dead tokens."""
    # Each request has a connection of its own, so that nothing of it is there afterwards.
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        composed_server(dsn, folder, **SETTINGS) as server,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        database = await asyncpg.connect(dsn)
        try:
            scene = Scene(server, database, http, log)
            scene.tokens["operator"] = server.admin_token
            scene.secrets |= {server.admin_token, PASSWORD, INVITATION_TOKEN}
            await _people(scene)
            await _projects(scene)
            await _bots(scene)
            await _dead_tokens(scene)
            await scene.following()
            yield scene
        finally:
            await database.close()


async def _people(scene: Scene) -> None:
    for name in ("ada", "ben", "vic", "eve"):
        await scene.register(name)


async def _projects(scene: Scene) -> None:
    for owner, key in (("ada", ""), ("eve", "other_")):
        made = await scene.ask("POST", "/v1/projects", owner, {"name": "Apollo" if not key else "Evil"})
        scene.names[f"{key}project"] = made["id"]
        stream = f"project/{made['id']}"
        task = await scene.send(owner, stream, "CreateTask", title="Land on the moon")
        comment = await scene.send(owner, stream, "AddComment", taskId=task["taskId"], body="Soon")
        milestone = await scene.send(owner, stream, "CreateMilestone", name="First")
        scene.names |= {
            f"{key}task": task["taskId"],
            f"{key}comment": comment["commentId"],
            f"{key}milestone": milestone["milestoneId"],
        }
        second = await scene.send(owner, stream, "CreateTask", title="Second")
        scene.names[f"{key}second"] = second["taskId"]
    stream = f"project/{scene.names['project']}"
    await scene.send("ada", stream, "AddMember", userId=scene.names["ben"], role="member")
    await scene.send("ada", stream, "AddMember", userId=scene.names["vic"], role="viewer")
    invited = await scene.send(
        "ada", stream, "InviteMember", email="dan@example.org", token=INVITATION_TOKEN, role="member"
    )
    scene.names |= {"invitation": invited["invitationId"], "nobody": RandomIds().new_id()}
    scene.names["op_id"] = RandomIds().new_id()
    body = {"type": "WatchTask", "data": {"taskId": scene.names["task"]}, "opId": scene.names["op_id"]}
    await scene.ask("POST", f"/v1/projects/{scene.names['project']}/commands", "ada", body)
    await scene.ask(
        "PUT", f"/v1/{stream.replace('project', 'projects')}", "ada", {"name": "A"}, **{"Idempotency-Key": "used"}
    )


async def _bots(scene: Scene) -> None:
    """A bot in both worlds: `reader` may read, `limited` only another project, `revoked` nothing any more."""
    bot = await scene.ask("POST", "/v1/bots", "ada", {"username": "ada_bot"})
    scene.names["bot"] = bot["userId"]
    await scene.send("ada", f"project/{scene.names['project']}", "AddMember", userId=bot["userId"], role="member")
    wishes = {
        "reader": {"scopes": ["read"]},
        "limited": {"scopes": ["read", "write"], "projectIds": [scene.names["other_project"]]},
        "revoked": {"scopes": ["read", "write"]},
    }
    for name, wish in wishes.items():
        token = await scene.ask("POST", f"/v1/bots/{bot['userId']}/tokens", "ada", {"name": name, **wish})
        scene.tokens[name] = token["token"]
        scene.secrets.add(token["token"])
        if name == "revoked":
            await scene.ask("DELETE", f"/v1/bots/{bot['userId']}/tokens/{token['tokenId']}", "ada")


async def _dead_tokens(scene: Scene) -> None:
    """Of log-ins that have ended: by logout, by a refresh token that came twice; and one that was used up."""
    login = {"username": "vic", "password": PASSWORD}
    out = await scene.ask("POST", "/v1/users/login", "", login)
    scene.tokens["logged_out"] = out["accessToken"]
    await scene.ask("POST", "/v1/users/logout", "logged_out")
    robbed = await scene.ask("POST", "/v1/users/login", "", login)
    heir = await scene.ask("POST", "/v1/users/refresh", "", {"refreshToken": robbed["refreshToken"]})
    async with scene.http.post(
        f"{scene.url}/v1/users/refresh", json={"refreshToken": robbed["refreshToken"]}
    ) as response:
        assert response.status == 401, await response.text()
    scene.tokens["robbed"] = heir["accessToken"]
    scene.names["refresh_used"], scene.names["refresh_heir"] = robbed["refreshToken"], heir["refreshToken"]
    scene.secrets |= {one[name] for one in (out, robbed, heir) for name in ("accessToken", "refreshToken")}
