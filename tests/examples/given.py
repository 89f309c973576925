"""People, a project and a bot with a token, all over the public API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from pantherahive_client import Client, MemoryCursors
from tests.acceptance.product import PASSWORD

EXAMPLES = Path(__file__).parents[2] / "client-sdk" / "python" / "examples"


@dataclass(frozen=True, slots=True)
class Api:
    """REST with one token."""

    url: str
    token: str = ""

    async def ask(self, method: str, path: str, json: Any = None) -> Any:
        """The JSON of an answer that is no refusal."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, self.url + path, json=json) as response,
        ):
            assert response.status < 300, await response.text()
            return await response.json(content_type=None) if response.content_length else None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    id: str
    name: str
    api: Api

    def client(self) -> Client:
        return Client(self.api.url, token=self.api.token)


async def register(url: str, name: str) -> Person:
    made = await Api(url).ask("POST", "/v1/users/register", {"username": name, "password": PASSWORD})
    return Person(made["userId"], name, Api(url, made["accessToken"]))


async def a_bot(owner: Person, project_id: str, name: str) -> Person:
    """A bot that is a member and may read and write in this project alone."""
    bot = await owner.api.ask("POST", "/v1/bots", {"username": name})
    member = {"type": "AddMember", "data": {"userId": bot["userId"], "role": "member"}}
    await owner.api.ask("POST", f"/v1/projects/{project_id}/commands", member)
    wanted = {"name": "test", "scopes": ["read", "write"], "projectIds": [project_id]}
    token = await owner.api.ask("POST", f"/v1/bots/{bot['userId']}/tokens", wanted)
    return Person(bot["userId"], name, Api(owner.api.url, token["token"]))


def has_begun(cursors: MemoryCursors) -> bool:
    """Whether the bot has begun to count its times."""
    return any('"told"' in text for text in cursors.texts.values())


async def command(person: Person, project_id: str, kind: str, **data: Any) -> Any:
    """Sends a command; what it made."""
    body = {"type": kind, "data": data}
    return (await person.api.ask("POST", f"/v1/projects/{project_id}/commands", body))["result"]
