"""Any command over REST, with the answer that the socket gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import Field

from protocol.base import Message, Seq, Uuid, absent
from protocol.event import Command, Origin, Principal
from protocol.messages import decode_command, digest_of
from protocol.wire import CommandAnswer
from server.enrich import Facts
from server.idempotency import IDEMPOTENCY_KEY
from server.middleware import OP_ID
from server.rest.access import Access, only_at, refused
from server.rest.bodies import json_response, read_body
from server.rest.keyed import KeyedRequests
from server.rest.operations import operation
from server.rest.stream_paths import StreamPath, about, known_paths
from server.streams import Streams, Wish, granted


class CommandBody(Message):
    """`type` and `data` as on the socket. `opId` stands for the wish, in every retry and on both ways."""

    type: str = Field(min_length=1, max_length=60)
    data: dict[str, Any]
    op_id: Uuid = absent()
    base: Seq | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class CommandRoutes:
    """`…/commands` of every kind of stream."""

    access: Access
    streams: Streams
    facts: Facts
    keyed: KeyedRequests

    def routes(self) -> list[web.RouteDef]:
        return [web.post(f"{path.path}/commands", about(path, self.send, _example(path))) for path in known_paths()]

    @operation("Sends a command to the stream", body=CommandBody, answer=CommandAnswer, conditional=True)
    async def send(self, path: StreamPath, request: web.Request) -> web.Response:
        """200 once it is durable: `cursor`, `at`, and `result`, which names what was made.

        A retry carries the same `Idempotency-Key`, or the same `opId`; it gets the first answer.
        """
        principal = self.access.principal(request)
        stream = path.stream_of(request)
        body = await read_body(request, CommandBody)
        command = granted(decode_command(stream, body.type, body.data))
        op_id = self._op_id(request, principal, body)
        wish = Wish(stream, command, principal, op_id, body.base, body.origin, only_at(request))
        with self.keyed.judged_once(stream, wish.op_id, principal.id, _digest_of(wish)):
            facts = granted(await self.facts.facts_for(command, stream, principal, body.origin))
            accepted = granted(await self.streams.command(wish, facts))
        answer = {"cursor": str(accepted.cursor), "at": accepted.at, "result": accepted.result}
        return json_response(answer)

    def _op_id(self, request: web.Request, principal: Principal, body: CommandBody) -> str:
        """From the header or the body; who gives both, and different ones, means two wishes."""
        if "op_id" not in body.model_fields_set:
            return self.access.op_id(request, principal)
        if request.headers.get(IDEMPOTENCY_KEY, body.op_id).lower() != body.op_id:
            raise refused(f"give {IDEMPOTENCY_KEY} or opId, or the same in both", "opId")
        request[OP_ID] = body.op_id
        return body.op_id


def _digest_of(wish: Wish) -> bytes:
    command: Command = wish.command
    return digest_of(wish.principal.id, command, wish.base, wish.origin)


def _example(path: StreamPath) -> str:
    """What stands for a command there in the published document."""
    return "" if path.kind == "project" else f"CommandBody to {path.kind}"
