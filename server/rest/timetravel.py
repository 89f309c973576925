"""The way back to a point of the past over REST."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.wire import CommandAnswer
from server.rest.access import path_id
from server.rest.bodies import json_response
from server.rest.changes import Changes, body_of
from server.rest.operations import operation

_TaskBody = body_of(RestoreTaskTo, "task_id")


@dataclass(frozen=True, slots=True)
class TimeTravelRoutes:
    """`…/restore-to` of a project and of a task in it."""

    changes: Changes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/projects/{projectId}/restore-to", self.project),
            web.post("/v1/projects/{projectId}/tasks/{taskId}/restore-to", self.task),
        ]

    @operation(
        "Makes a project what it was at a point of the past",
        body=RestoreProjectTo,
        answer=CommandAnswer,
        conditional=True,
    )
    async def project(self, request: web.Request) -> web.Response:
        """`asOf`: a seq, a time, or a day, which means its first moment in UTC.

        While `result.remaining` is not 0, send it again under another `Idempotency-Key`.
        Every entry of it can be undone by its `Op-Id`. `result.left` names what stayed otherwise than it was,
        such as `status` where the project was archived then.
        """
        _, accepted = await self.changes.send(request, RestoreProjectTo, RestoreProjectTo)
        return json_response({"cursor": str(accepted.cursor), "at": accepted.at, "result": accepted.result})

    @operation(
        "Makes a task what it was at a point of the past", body=_TaskBody, answer=CommandAnswer, conditional=True
    )
    async def task(self, request: web.Request) -> web.Response:
        """`asOf`: a seq, a time, or a day, which means its first moment in UTC.

        `result.left` names what cannot be had any more, such as a lost milestone.
        """
        task_id = path_id(request, "taskId")
        _, accepted = await self.changes.send(request, RestoreTaskTo, _TaskBody, taskId=task_id)
        return json_response({"cursor": str(accepted.cursor), "at": accepted.at, "result": accepted.result})
