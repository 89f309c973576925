"""The order of tasks over REST: one is put among the cards of a state."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from actors.project.tasks import view_task
from protocol.base import Message, Uuid, absent
from protocol.projects import StateId
from protocol.ranks import MoveTask
from protocol.tasks import TaskView
from server.rest.access import Access, entity_tag, only_at, path_id
from server.rest.bodies import json_response, read_body
from server.rest.operations import operation
from server.rest.project_views import ProjectViews
from server.streams import Look, Streams, Wish, granted


class Move(Message):
    """What `MoveTask` says beside the task's id."""

    state_id: StateId = absent()
    after: Uuid = absent()
    before: Uuid = absent()


@dataclass(frozen=True, slots=True)
class RankRoutes:
    """`/v1/projects/{id}/tasks/{taskId}/move`."""

    access: Access
    streams: Streams
    views: ProjectViews

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/projects/{projectId}/tasks/{taskId}/move", self.move)]

    @operation("Puts a task among the cards of a state", body=Move, answer=TaskView, conditional=True, tagged=True)
    async def move(self, request: web.Request) -> web.Response:
        """The task as the move left it."""
        principal = self.access.principal(request)
        stream, task_id = f"project/{path_id(request, 'projectId')}", path_id(request, "taskId")
        op_id = self.access.op_id(request, principal)
        move = await read_body(request, Move)
        command = MoveTask(task_id=task_id, **{name: getattr(move, name) for name in move.model_fields_set})
        look = Look(view_task, (task_id,))
        wish = Wish(stream, command, principal, op_id, only_at=only_at(request), look=look)
        reading = await self.views.left_by(request, wish, granted(await self.streams.command(wish)))
        return json_response(reading.value, headers={"ETag": entity_tag(reading.cursor, reading.value)})
