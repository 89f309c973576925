"""Comments on a task over REST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from actors.project.comments import list_comments, list_replies, view_comment
from protocol.base import Message, Uuid
from protocol.comments import AddComment, CommentView, DeleteComment, EditComment, RestoreComment, ThreadView
from protocol.event import Command
from server.rest.access import Access, AsOfText, parse_as_of, path_id, read_query
from server.rest.changes import Changes, body_of
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, link_next
from server.rest.project_views import Glance, ProjectViews, answer
from server.streams import Look


class CommentsQuery(PageQuery):
    """A page of comments in the order they were made; `after` is the id of the last one seen."""

    after: Uuid | None = None
    as_of: AsOfText | None = None


class CommentQuery(Message):
    """`asOf` a seq or a time."""

    as_of: AsOfText | None = None


_AddBody = body_of(AddComment, "task_id")
_EditBody = body_of(EditComment, "comment_id")


@dataclass(frozen=True, slots=True)
class CommentRoutes:
    """`/v1/projects/{id}/tasks/{taskId}/comments` and `/v1/projects/{id}/comments/{commentId}`."""

    access: Access
    views: ProjectViews
    sizes: PageSizes
    changes: Changes

    def routes(self) -> list[web.RouteDef]:
        of_task = "/v1/projects/{projectId}/tasks/{taskId}/comments"
        one = "/v1/projects/{projectId}/comments/{commentId}"
        return [
            web.get(of_task, self.threads),
            web.post(of_task, self.add),
            web.get(one, self.read),
            web.put(one, self.update),
            web.delete(one, self.delete),
            web.post(f"{one}/restore", self.restore),
            web.get(f"{one}/replies", self.replies),
        ]

    @operation("The threads about a task", query=CommentsQuery, answer=list[ThreadView], etag=True, links=True)
    async def threads(self, request: web.Request) -> web.Response:
        """The comments that began a thread, each with the number of its replies."""
        return await self._page(request, list_comments, "taskId")

    @operation("The replies of a thread", query=CommentsQuery, answer=list[CommentView], etag=True, links=True)
    async def replies(self, request: web.Request) -> web.Response:
        """In the thread that the comment began, in the order they were made."""
        return await self._page(request, list_replies, "commentId")

    async def _page(self, request: web.Request, look: Callable[..., Any], of: str) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, CommentsQuery)
        size = self.sizes.of(query)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, look, path_id(request, of), query.after, size + 1)
        page, more = self.sizes.cut(reading.value, size)
        then = reading.cursor.seq if glance.as_of is not None else None
        headers = link_next(request.path, after=page[-1]["id"], limit=query.limit, asOf=then) if more else {}
        return answer(request, replace(reading, value=[*page]), glance, headers)

    @operation("A comment", query=CommentQuery, answer=CommentView, etag=True)
    async def read(self, request: web.Request) -> web.Response:
        """With its edit history. This is where deep links to comments lead."""
        principal = self.access.principal(request)
        query = read_query(request, CommentQuery)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        return answer(request, await self.views.read(glance, view_comment, path_id(request, "commentId")), glance)

    @operation(
        "Adds a comment", body=_AddBody, answer=CommentView, status=201, located=True, conditional=True, tagged=True
    )
    async def add(self, request: web.Request) -> web.Response:
        """201 with the comment."""
        look = Look(view_comment, made="commentId")
        done = await self.changes.send(request, AddComment, _AddBody, look, taskId=path_id(request, "taskId"))
        comment_id = done[1].result["commentId"]
        location = f"/v1/projects/{path_id(request, 'projectId')}/comments/{comment_id}"
        return await self.changes.answer(request, done, 201, location)

    @operation("Changes a comment", body=_EditBody, answer=CommentView, conditional=True, tagged=True)
    async def update(self, request: web.Request) -> web.Response:
        """Authors change their own; the old text stays readable."""
        comment_id = path_id(request, "commentId")
        look = Look(view_comment, (comment_id,))
        return await self.changes.answer(
            request, await self.changes.send(request, EditComment, _EditBody, look, commentId=comment_id)
        )

    @operation("Deletes a comment", answer=CommentView, conditional=True, tagged=True)
    async def delete(self, request: web.Request) -> web.Response:
        """The tombstone that it leaves; replies stay."""
        return await self._without_body(request, DeleteComment)

    @operation("Restores a deleted comment", answer=CommentView, conditional=True, tagged=True)
    async def restore(self, request: web.Request) -> web.Response:
        """As it was. Authors restore what they deleted themselves."""
        return await self._without_body(request, RestoreComment)

    async def _without_body(self, request: web.Request, command: type[Command]) -> web.Response:
        look = Look(view_comment, (path_id(request, "commentId"),))
        return await self.changes.answer(
            request, await self.changes.send_bare(request, command, "commentId", look=look)
        )
