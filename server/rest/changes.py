"""Changes over REST that are one command each: who, under which key, on which condition, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import create_model

from actors.runtime.request import Accepted
from protocol.base import Message
from protocol.event import Command, Principal
from server.enrich import Facts
from server.rest.access import Access, entity_tag, only_at, path_id
from server.rest.bodies import json_response, read_body, validated
from server.rest.project_views import ProjectViews
from server.streams import Look, Streams, Wish, granted


def body_of(command: type[Command], *in_path: str) -> type[Message]:
    """The command as a body, without the fields that the address gives."""
    fields: Any = {
        name: (field.rebuild_annotation(), field) for name, field in command.model_fields.items() if name not in in_path
    }
    return create_model(f"{command.__name__}Body", __base__=Message, __doc__=command.__doc__, **fields)


@dataclass(frozen=True, slots=True)
class Changes:
    """Sends the commands of a project's routes."""

    access: Access
    streams: Streams
    facts: Facts
    views: ProjectViews

    async def send(
        self,
        request: web.Request,
        command: type[Command],
        body: type[Message],
        look: Look | None = None,
        **in_path: str,
    ) -> tuple[Wish, Accepted]:
        """The body and the address as one command, judged by the project's actor. Raises Rejected.

        `look`: what `answer` is to show.
        """
        principal, op_id = self._who(request)
        given = await read_body(request, body)
        whole = validated(command, {**given.as_json(), **in_path})
        return await self._judged(request, whole, principal, op_id, look)

    async def send_bare(
        self, request: web.Request, command: type[Command], *in_path: str, look: Look | None = None
    ) -> tuple[Wish, Accepted]:
        """A command whose fields all stand in the address. Raises Rejected."""
        principal, op_id = self._who(request)
        given = {name: request.match_info[name] for name in in_path}
        return await self._judged(request, validated(command, given), principal, op_id, look)

    def _who(self, request: web.Request) -> tuple[Principal, str]:
        principal = self.access.principal(request)
        return principal, self.access.op_id(request, principal)

    async def _judged(
        self, request: web.Request, command: Command, principal: Principal, op_id: str, look: Look | None
    ) -> tuple[Wish, Accepted]:
        stream = f"project/{path_id(request, 'projectId')}"
        facts = granted(await self.facts.facts_for(command, stream, principal))
        wish = Wish(stream, command, principal, op_id, only_at=only_at(request), look=look)
        return wish, granted(await self.streams.command(wish, facts))

    async def answer(
        self, request: web.Request, done: tuple[Wish, Accepted], status: int = 200, location: str | None = None
    ) -> web.Response:
        """What the command left, as of its own entry, also for a retry."""
        reading = await self.views.left_by(request, *done)
        headers = {"ETag": entity_tag(reading.cursor, reading.value), **({"Location": location} if location else {})}
        return json_response(reading.value, status, headers)
