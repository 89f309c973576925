"""Every way in which something of a project can reach a person, or a person can change it, except what is pushed.

An exit is tried with an old token and answers whether it gave something. `BEHIND` counts as nothing: the server says
that it does not know yet.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import aiohttp

from pantherahive_client import new_id
from tests.chaos.client import Account
from tests.chaos.listener import Listener
from tests.chaos.socket import ConnectionFailed

BEHIND: Final = 503


class Unexpected(AssertionError):
    """Neither granted nor refused as it should be."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What an attempt needs: the project as the person knew it while they were in it."""

    url: str
    http: aiohttp.ClientSession
    person: Account
    project_id: str
    task_id: str
    cursor: str
    at: str
    # The person's connection from before.
    old: Listener
    # Under which a change was sent while they were in; it was accepted if they were an admin.
    key: str

    @property
    def stream(self) -> str:
        return f"project/{self.project_id}"


Attempt = Callable[[Ground], Awaitable[bool]]
"""True: it gave something."""


def _read(
    path: str,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    refused: Sequence[int] = (404,),
) -> Attempt:
    async def attempt(ground: Ground) -> bool:
        address = ground.url + path.format(
            project=f"/v1/projects/{ground.project_id}",
            task=ground.task_id,
            seq=ground.cursor.partition(".")[0],
            at=ground.at,
        )
        sent = {name: value.format(key=ground.key) for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {ground.person.token}"
        async with ground.http.request(method, address, json=body, headers=sent) as response:
            content = await response.read()
            if response.status in refused:
                return False
            if response.status in (200, 201, 204, 304):
                return True
            raise Unexpected(f"{method} {address}: {response.status} {content[:200]!r}")

    return attempt


def _listed(path: str, field: str) -> Attempt:
    async def attempt(ground: Ground) -> bool:
        address, sent = ground.url + path, {"Authorization": f"Bearer {ground.person.token}"}
        async with ground.http.get(address, headers=sent) as response:
            if response.status == BEHIND:
                return False
            if response.status != 200:
                raise Unexpected(f"{address}: {response.status}")
            return any(row[field] == ground.project_id for row in await response.json())

    return attempt


def _command(ground: Ground) -> dict[str, Any]:
    data = {"taskId": ground.task_id, "body": "still here"}
    return {"stream": ground.stream, "opId": new_id(), "type": "AddComment", "data": data}


def _given(answer: Mapping[str, Any]) -> bool:
    if "error" not in answer:
        return True
    if answer["error"]["code"] != "not_found":
        raise Unexpected(str(answer))
    return False


async def _old_command(ground: Ground) -> bool:
    return _given(await ground.old.request("command", _command(ground)))


async def _old_resume(ground: Ground) -> bool:
    return _given(await ground.old.join(ground.cursor))


async def _old_join(ground: Ground) -> bool:
    return _given(await ground.old.join())


def _on_a_new_socket(ask: Callable[[Ground, Listener], Awaitable[dict[str, Any]]]) -> Attempt:
    async def attempt(ground: Ground) -> bool:
        listener = Listener(ground.stream)
        try:
            await listener.open(ground.http, ground.url, ground.person.token)
            return _given(await ask(ground, listener)) or bool(listener.heard)
        except ConnectionFailed as failed:
            raise Unexpected(str(failed)) from failed
        finally:
            await listener.close()

    return attempt


RENAME: Final[Attempt] = _read(
    "{project}", "PUT", {"name": "Renamed"}, headers={"Idempotency-Key": "{key}"}, refused=(403, 404)
)
"""A change that is sent again under its key. If it was refused the first time, the retry may hear the same."""

RACING: Final[Mapping[str, Attempt]] = {
    "REST project": _read("{project}"),
    "REST tasks": _read("{project}/tasks"),
    "REST comments": _read("{project}/tasks/{task}/comments"),
    "REST members": _read("{project}/members"),
    "REST project asOf seq": _read("{project}?asOf={seq}"),
    "REST tasks asOf time": _read("{project}/tasks?asOf={at}"),
    "list of projects": _listed("/v1/projects?limit=1000", "id"),
    "list of own tasks": _listed("/v1/tasks?limit=1000", "projectId"),
}
"""Those that change nothing and may be tried while the person is still in."""

EXITS: Final[Mapping[str, Attempt]] = {
    **RACING,
    "REST project HEAD": _read("{project}", "HEAD"),
    "REST project not modified": _read("{project}", headers={"If-None-Match": "*"}),
    "REST project deleted": _read("{project}?deleted=true"),
    "REST project asOf time": _read("{project}?asOf={at}"),
    "REST tasks asOf seq": _read("{project}/tasks?asOf={seq}"),
    "REST comments asOf seq": _read("{project}/tasks/{task}/comments?asOf={seq}"),
    "REST members asOf seq": _read("{project}/members?asOf={seq}"),
    "REST change, retried": RENAME,
    "REST change": _read("{project}", "PUT", {"name": "Taken over"}),
    "REST delete": _read("{project}", "DELETE"),
    "command, old socket": _old_command,
    "command, new socket": _on_a_new_socket(lambda ground, socket: socket.request("command", _command(ground))),
    "resume, old socket": _old_resume,
    "resume, new socket": _on_a_new_socket(lambda ground, socket: socket.join(ground.cursor)),
    "snapshot, old socket": _old_join,
    "snapshot, new socket": _on_a_new_socket(lambda ground, socket: socket.join()),
}
"""All of them, for somebody who is out."""
