"""Reactions over REST. Putting one that is there, or removing one that is not, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from actors.project.comments import view_comment
from protocol.comments import CommentView
from protocol.event import Command
from protocol.reactions import AddReaction, RemoveReaction
from server.rest.access import path_id
from server.rest.changes import Changes
from server.rest.operations import operation
from server.streams import Look


@dataclass(frozen=True, slots=True)
class ReactionRoutes:
    """`/v1/projects/{id}/comments/{commentId}/reactions/{emoji}`; the emoji percent-encoded in UTF-8."""

    changes: Changes

    def routes(self) -> list[web.RouteDef]:
        one = "/v1/projects/{projectId}/comments/{commentId}/reactions/{emoji}"
        return [web.put(one, self.add), web.delete(one, self.remove)]

    @operation("Reacts to a comment", answer=CommentView, conditional=True, tagged=True)
    async def add(self, request: web.Request) -> web.Response:
        """The comment with the caller's emoji, once."""
        return await self._change(request, AddReaction)

    @operation("Takes a reaction back", answer=CommentView, conditional=True, tagged=True)
    async def remove(self, request: web.Request) -> web.Response:
        """The comment without the caller's emoji."""
        return await self._change(request, RemoveReaction)

    async def _change(self, request: web.Request, command: type[Command]) -> web.Response:
        look = Look(view_comment, (path_id(request, "commentId"),))
        return await self.changes.answer(
            request, await self.changes.send_bare(request, command, "commentId", "emoji", look=look)
        )
