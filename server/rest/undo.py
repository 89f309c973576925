"""Undo and redo over REST."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from protocol.undo import RedoCommand, UndoCommand
from protocol.wire import CommandAnswer
from server.rest.bodies import json_response
from server.rest.changes import Changes
from server.rest.operations import operation


@dataclass(frozen=True, slots=True)
class UndoRoutes:
    """`/v1/projects/{id}/undo` and `/redo`."""

    changes: Changes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/projects/{projectId}/undo", self.undo),
            web.post("/v1/projects/{projectId}/redo", self.redo),
        ]

    @operation("Takes back what a command did", body=UndoCommand, answer=CommandAnswer, conditional=True)
    async def undo(self, request: web.Request) -> web.Response:
        """`opId` is that of the command: its `Idempotency-Key` where that is a UUID, or as the log shows it.

        409 (`changed_by_others`) where others have since changed the same: `details` has both values, who and when.
        """
        return await self._send(request, UndoCommand)

    @operation("Does again what was taken back", body=RedoCommand, answer=CommandAnswer, conditional=True)
    async def redo(self, request: web.Request) -> web.Response:
        """`opId` is that of the command that was undone."""
        return await self._send(request, RedoCommand)

    async def _send(self, request: web.Request, command: type[UndoCommand | RedoCommand]) -> web.Response:
        _, accepted = await self.changes.send(request, command, command)
        return json_response({"cursor": str(accepted.cursor), "at": accepted.at, "result": accepted.result})
