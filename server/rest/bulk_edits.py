"""Edits of many tasks in one request, with a result for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import Field

from protocol.base import INTEGER_MAX, Message
from protocol.tasks import EditTasks
from protocol.wire import CommandAnswer
from server.rest.access import Access, only_at, path_id, read_query
from server.rest.bodies import json_response, read_body
from server.rest.operations import operation
from server.streams import Streams, Wish, granted


class BulkQuery(Message):
    """`base`: the seq that the caller had seen; each item is refused that sets a field which was changed after it."""

    base: Annotated[int, Field(ge=0, le=INTEGER_MAX)] | None = None


@dataclass(frozen=True, slots=True)
class BulkEditRoutes:
    """`/v1/projects/{id}/tasks/bulk`."""

    access: Access
    streams: Streams

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/projects/{projectId}/tasks/bulk", self.edit)]

    @operation("Edits many tasks of a project", query=BulkQuery, body=EditTasks, answer=CommandAnswer, conditional=True)
    async def edit(self, request: web.Request) -> web.Response:
        """200 also where items are refused: `result.items` has `{taskId, ok}` or `{taskId, error}` for each, in order.

        A retry with the same `Idempotency-Key` gets the same results.
        """
        principal = self.access.principal(request)
        query = read_query(request, BulkQuery)
        stream = f"project/{path_id(request, 'projectId')}"
        op_id = self.access.op_id(request, principal)
        wish = Wish(stream, await read_body(request, EditTasks), principal, op_id, query.base, only_at=only_at(request))
        accepted = granted(await self.streams.command(wish))
        return json_response({"cursor": str(accepted.cursor), "at": accepted.at, "result": accepted.result})
