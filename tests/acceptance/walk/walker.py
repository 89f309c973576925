"""Calls operations of the published document on a running server, and judges every answer by that document.

Each call also tries what the document promises of the operation: without a token it is refused, `If-Match` of another
state is refused, `If-None-Match` is answered 304, the same `Idempotency-Key` gets the same answer.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Set
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from tests.acceptance.walk.documents import NotAsPublished, Operation, operations
from tests.acceptance.walk.names import Names

DEADLINE_S = 20.0
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
ENTRY = {"$ref": "#/components/schemas/WireEntry"}
"""What a message `entry` of an event stream holds."""


class Person(NamedTuple):
    """Who is signed in."""

    id: str
    token: str
    refresh_token: str = ""


class Reply(NamedTuple):
    """An answer of success: decoded JSON, or text."""

    body: Any
    headers: Mapping[str, str]


class Walker:
    """One walk through the API. `answered` holds (operation, form of its answer) of every success."""

    def __init__(self, session: aiohttp.ClientSession, url: str, document: Mapping[str, Any], names: Names) -> None:
        self._session = session
        self._url = url
        self.names = names
        self.operations = {operation.name: operation for operation in operations(document)}
        # What has been answered with success, in the published form.
        self.answered: set[tuple[str, str]] = set()
        # Operations whose published example was accepted, but for its ids.
        self.tried: set[str] = set()

    @property
    def untried_examples(self) -> list[str]:
        """Operations whose example nobody has sent as it is published."""
        return sorted({name for name, one in self.operations.items() if one.example is not None} - self.tried)

    @property
    def missing(self) -> list[str]:
        """What no call has reached."""
        wanted = {(name, media) for name, operation in self.operations.items() for media in operation.media}
        return [" as ".join(filter(None, one)) for one in sorted(wanted - self.answered)]

    async def call(
        self,
        name: str,
        who: Person | None = None,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        at: Mapping[str, str] | None = None,
        again: bool = True,
        fresh: Set[str] = frozenset(),
    ) -> Reply:
        """An operation such as `GET /v1/projects/{projectId}`, which has to succeed.

        Without a `body` the published example is sent; ids in the path are those of the examples, but for those `at`.
        `again`: a retry with the same `Idempotency-Key` is tried too; `fresh` fields of its answer may be others.
        """
        operation = self._named(name)
        ids = {**self.names.real(operation.examples("path")), **(at or {})}
        query = {**self.names.real(operation.examples("query")), **(query or {})}
        is_example = body is None and operation.example is not None
        body = self.names.real(operation.example) if body is None else body
        operation.judge_request(ids, query, body)
        ask = _Asked(operation, _filled(operation.path, ids), who, body, query)
        await self._refused_without_token(ask)
        await self._refused_on_another_state(ask)
        key = {"Idempotency-Key": str(uuid.uuid4())} if "Idempotency-Key" in operation.parameters("header") else {}
        reply = await self._succeeds(ask, **key)
        if key and again:
            repeated = await self._succeeds(ask, **key)
            if _without(repeated.body, fresh) != _without(reply.body, fresh):
                raise NotAsPublished(f"a retry of {name} got {repeated.body!r} after {reply.body!r}")
        await self._unchanged(ask, reply)
        if is_example:
            self.tried.add(name)
        return reply

    async def pages(self, name: str, who: Person, **query: Any) -> list[Any]:
        """All items of a list that comes in pages of one, by the `Link` of each."""
        query, found = {**query, "limit": 1}, []
        while True:
            reply = await self.call(name, who, query=query)
            found += reply.body
            if "Link" not in reply.headers:
                return found
            address = reply.headers["Link"].partition("<")[2].partition(">")[0]
            query = {key: self._typed(name, key, value) for key, value in URL(address).query.items()}

    def _typed(self, name: str, key: str, value: str) -> Any:
        match self._named(name).parameters("query")[key]["schema"].get("type"):
            case "integer":
                return int(value)
            case "boolean":
                return value == "true"
            case _:
                return value

    async def live(
        self, name: str, who: Person, wanted: str, at: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """The messages of an event stream up to the first one of this kind."""
        operation = self._named(name)
        path = _filled(operation.path, {**self.names.real(operation.examples("path")), **(at or {})})
        headers = {"Accept": EVENT_STREAM, "Authorization": f"Bearer {who.token}"}
        said: list[dict[str, Any]] = []
        async with asyncio.timeout(DEADLINE_S), self._session.get(self._url + path, headers=headers) as response:
            assert response.status == 200, await response.text()
            async for raw in response.content:
                field, _, value = raw.decode().rstrip("\n").partition(": ")
                if field == "event":
                    said.append({"event": value})
                elif field == "data":
                    said[-1]["data"] = orjson.loads(value)
                    if said[-1]["event"] == "entry":
                        operation.judge.judge(ENTRY, said[-1]["data"], f"an entry of {name}")
                    if said[-1]["event"] == wanted:
                        operation.judge_answer(200, response.content_type, {"ETag": "in the ids"}, value)
                        self.answered.add((name, EVENT_STREAM))
                        return said
        raise NotAsPublished(f"{name} ended without {wanted}: {said}")

    def _named(self, name: str) -> Operation:
        if name not in self.operations:
            raise NotAsPublished(f"the document has no operation {name}")
        return self.operations[name]

    async def _refused_without_token(self, ask: _Asked) -> None:
        if not ask.operation.is_public:
            await self._answers(ask._replace(who=None), 401)

    async def _refused_on_another_state(self, ask: _Asked) -> None:
        if "If-Match" in ask.operation.parameters("header"):
            await self._answers(ask, 412, **{"If-Match": '"0.0"'})

    async def _unchanged(self, ask: _Asked, reply: Reply) -> None:
        """The server itself may write meanwhile, as the notifier does: then what is there now is asked about."""
        if "If-None-Match" not in ask.operation.parameters("header"):
            return
        tag = reply.headers["ETag"]
        while True:
            try:
                await self._answers(ask, 304, **{"If-None-Match": tag})
            except NotAsPublished:
                now = (await self._succeeds(ask)).headers["ETag"]
                if now == tag:
                    raise
                tag = now
            else:
                return

    async def _succeeds(self, ask: _Asked, **headers: str) -> Reply:
        reply = await self._answers(ask, ask.operation.success, **headers)
        self.answered.add((ask.operation.name, reply.headers.get("Content-Type", "").partition(";")[0]))
        return reply

    async def _answers(self, ask: _Asked, status: int, **headers: str) -> Reply:
        if ask.who is not None:
            headers["Authorization"] = f"Bearer {ask.who.token}"
        query = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in ask.query.items()}
        address = URL(self._url + ask.path, encoded=True).with_query(query or None)
        async with self._session.request(
            ask.operation.method, address, json=ask.body, headers=headers, timeout=aiohttp.ClientTimeout(DEADLINE_S)
        ) as response:
            text = await response.text()
        is_json = "json" in response.content_type and "ndjson" not in response.content_type
        body = orjson.loads(text) if is_json and text else text
        if response.status != status:
            raise NotAsPublished(f"{ask.operation.name} answered {response.status} and not {status}: {text}")
        media = response.content_type if "Content-Type" in response.headers else ""
        ask.operation.judge_answer(status, media, response.headers, body)
        return Reply(body, response.headers)


class _Asked(NamedTuple):
    """A request as it is sent, but for its headers."""

    operation: Operation
    path: str
    who: Person | None
    body: Any
    query: Mapping[str, Any]


def _without(body: Any, names: Set[str]) -> Any:
    return {name: value for name, value in body.items() if name not in names} if isinstance(body, dict) else body


def _filled(path: str, ids: Mapping[str, str]) -> str:
    return path.format(**{name: quote(value, safe="") for name, value in ids.items()})
