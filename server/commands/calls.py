"""REST calls of the commands that visit the running server. What goes wrong is a Refusal that says what to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import aiohttp
from yarl import URL

from pantherahive_client import (
    Backoff,
    Forbidden,
    HiveError,
    Invalid,
    NotFound,
    TokenExpired,
    Unauthenticated,
    Unreachable,
)
from pantherahive_client.errors import error_of
from server.exits import Refusal
from server.importing.checking import is_uuid
from server.visiting import TokenUnreadable, read_token

PATIENCE_S: Final = 10.0
"""How long a request is repeated that the server asks to repeat."""
SILENCE_MAX_S: Final = 60.0
_AGAIN: Final = Backoff(0.1, 2.0)


@dataclass(frozen=True, slots=True)
class Door:
    """Where the server is, and the file of the token to come with."""

    url: str
    token_file: Path

    def token(self) -> str:
        """Raises Refusal."""
        try:
            return read_token(self.token_file)
        except TokenUnreadable as error:
            raise Refusal(f"{str(error)[0].upper()}{str(error)[1:]}.") from error

    def explained(self, error: HiveError) -> str:
        """An answer of the server, and what to do about it."""
        said = f"{error.message[:1].upper()}{error.message[1:]}"
        match error:
            case Unreachable():
                return (
                    f"{said}. Is a PantheraHive server running at {self.url}? "
                    "Start it with `pantherahive serve`, or say where it listens with --server URL."
                )
            case Unauthenticated() | TokenExpired():
                return (
                    f"{said}. The token in {self.token_file} is not good for {self.url}: the admin token lies in that "
                    "server's data folder; name the folder with --data-dir, or the file with --token-file."
                )
            case Forbidden():
                return f"{said}. The admin token of the server's data folder may do it (--token-file)."
            case Invalid() if error.details.get("errors"):
                return f"The server does not take this: {'; '.join(map(_of_field, error.details['errors']))}."
        return f"{said}."


def _of_field(error: Any) -> str:
    """Which field is wrong, and how; some messages begin with the field."""
    field, message = str(error["field"]), str(error["message"])
    return message if message.startswith(field) else f"{field}: {message}"


class Answer(NamedTuple):
    """The JSON, where the next page is, and the ETag."""

    body: Any
    next_path: str | None
    tag: str


@asynccontextmanager
async def calling(door: Door, *, with_token: bool = True) -> AsyncIterator[Calls]:
    """A connection to the server. Raises Refusal."""
    headers = {"Authorization": f"Bearer {door.token()}"} if with_token else {}
    pauses = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE_S, sock_read=SILENCE_MAX_S)
    async with aiohttp.ClientSession(headers=headers, timeout=pauses) as http:
        yield Calls(door, http)


class Calls:
    """Asks one server. Its methods raise Refusal, but for NotFound where a caller knows better what is not there."""

    def __init__(self, door: Door, http: aiohttp.ClientSession) -> None:
        self._door = door
        self._http = http

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer."""
        return (await self._repeated("GET", path, query=query)).body

    async def cursor_at(self, path: str, query: Mapping[str, str]) -> str:
        """As of which cursor an answer is, by its ETag, where a record's digest may stand behind the cursor."""
        return (await self._repeated("GET", path, query=query)).tag.partition("-")[0]

    async def send(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, token: str | None = None
    ) -> Any:
        """The JSON that answers a change. Without an Idempotency-Key it is sent once."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        headers |= {"Authorization": f"Bearer {token}"} if token is not None else {}
        if key is not None:
            return (await self._repeated(method, path, body=body, headers=headers)).body
        try:
            return (await self._once(method, path, body=body, headers=headers)).body
        except HiveError as error:
            raise self._refusal(error) from error

    async def pages(self, path: str) -> AsyncIterator[Any]:
        """The items of a list, page after page."""
        address: str | None = path
        while address is not None:
            page = await self._repeated("GET", address)
            address = page.next_path
            for item in page.body:
                yield item

    @asynccontextmanager
    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[AsyncIterator[bytes]]:
        """The pieces of a long answer, as they come; a cut is a Refusal in their middle."""
        response = await self._opened(path, query)
        try:
            yield self._pieces(response)
        finally:
            response.close()

    async def _opened(self, path: str, query: Mapping[str, str]) -> aiohttp.ClientResponse:
        try:
            response = await self._http.get(self._door.url + path, params=query)
            if response.status < 400:
                return response
            answer = await _json(response)
        except (aiohttp.ClientError, OSError) as error:
            raise self._refusal(_unreachable(error)) from error
        raise self._refusal(_problem(answer, response))

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for piece in response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            raise Refusal(f"The answer was cut off ({_unreachable(error)}); run it again.") from error

    async def _repeated(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        until_s, failures = time.monotonic() + PATIENCE_S, 0
        while True:
            try:
                return await self._once(method, path, query=query, body=body, headers=headers)
            except HiveError as error:
                wait_s = _AGAIN.wait_s(failures, error.retry_after_s)
                if not error.retryable or time.monotonic() + wait_s > until_s:
                    raise self._refusal(error) from error
            failures += 1
            await asyncio.sleep(wait_s)

    async def _once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Raises HiveError."""
        try:
            async with self._http.request(
                method, self._door.url + path, params=query, json=body, headers=headers
            ) as response:
                answer = await _json(response)
                if response.status >= 400:
                    raise _problem(answer, response)
                return Answer(answer, _next_path(response), response.headers.get("ETag", "").strip('"'))
        except (aiohttp.ClientError, OSError) as error:
            raise _unreachable(error) from error

    def _refusal(self, error: HiveError) -> Exception:
        """NotFound stays what it is: whoever asked knows what is not there."""
        return error if isinstance(error, NotFound) else Refusal(self._door.explained(error))


def _next_path(response: aiohttp.ClientResponse) -> str | None:
    following = response.links.get("next")
    return URL(str(following["url"])).path_qs if following is not None else None


async def _json(response: aiohttp.ClientResponse) -> Any:
    try:
        return await response.json(content_type=None)
    except ValueError:
        return None


def _problem(answer: Any, response: aiohttp.ClientResponse) -> HiveError:
    if isinstance(answer, dict) and "code" in answer:
        return error_of(answer)
    return Unreachable(f"something answered {response.status} {response.reason}, which is no word of PantheraHive")


def _unreachable(error: Exception) -> Unreachable:
    return Unreachable(str(error) or type(error).__name__)


async def project_id_of(calls: Calls, project: str) -> str:
    """The id of a project that is given by id or key."""
    if is_uuid(project):
        return project.lower()
    try:
        link: dict[str, Any] = await calls.get(f"/v1/links/{quote(project, safe='')}")
    except NotFound as error:
        raise await _no_such_key(calls, project) from error
    return str(link["projectId"])


async def _no_such_key(calls: Calls, key: str) -> Refusal:
    """Keys lead to no deleted project, but ids do: who may restore it is told its id."""
    async for project in calls.pages("/v1/projects?deleted=true"):
        if str(project["key"]).lower() == key.lower():
            return Refusal(f"The project {project['key']} is deleted. Its id still leads to it: {project['id']}.")
    return no_project(key)


def no_project(project: str) -> Refusal:
    """It is not there, or the token may not see it."""
    return Refusal(f"There is no project {project}. `pantherahive project list` shows them with their keys and ids.")


async def user_id_of(calls: Calls, user: str) -> str:
    """The id of a user who is given by id or name."""
    if is_uuid(user):
        return user.lower()
    for found in await calls.get("/v1/users", {"username": user}):
        if str(found["username"]).lower() == user.lower():
            return str(found["userId"])
    raise Refusal(f"There is no user {user}. `pantherahive user create {user}` makes one.")
