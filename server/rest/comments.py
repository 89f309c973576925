"""Comments on a task over REST."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from aiohttp import web
from pydantic import Field

from actors.project.comments import list_comments, view_comment
from protocol.base import Message, Uuid
from protocol.comments import AddComment, CommentView, EditComment
from server.rest.access import Access, parse_as_of, path_id, read_query
from server.rest.changes import Changes, body_of
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, cut, link_next
from server.rest.project_views import Glance, ProjectViews, answer


class CommentsQuery(PageQuery):
    """A page of comments in the order they were made; `after` is the id of the last one seen."""

    after: Uuid | None = None
    as_of: Annotated[str, Field(max_length=40)] | None = None


class CommentQuery(Message):
    """`asOf` a seq or a time."""

    as_of: Annotated[str, Field(max_length=40)] | None = None


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
        return [
            web.get("/v1/projects/{projectId}/tasks/{taskId}/comments", self.page),
            web.post("/v1/projects/{projectId}/tasks/{taskId}/comments", self.add),
            web.get("/v1/projects/{projectId}/comments/{commentId}", self.read),
            web.put("/v1/projects/{projectId}/comments/{commentId}", self.update),
        ]

    @operation("Comments on a task", query=CommentsQuery, answer=list[CommentView], etag=True, links=True)
    async def page(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, CommentsQuery)
        size = self.sizes.of(query)
        glance = Glance(path_id(request, "projectId"), principal, parse_as_of(query.as_of))
        task_id = path_id(request, "taskId")
        reading = await self.views.read(glance, list_comments, task_id, query.after, size + 1)
        page, more = cut(reading.value, size)
        then = reading.cursor.seq if glance.as_of is not None else None
        headers = link_next(request.path, after=page[-1]["id"], limit=query.limit, asOf=then) if more else {}
        return answer(request, replace(reading, value=[*page]), glance, headers)

    @operation("A comment", query=CommentQuery, answer=CommentView, etag=True)
    async def read(self, request: web.Request) -> web.Response:
        """With its edit history. This is where deep links to comments lead."""
        principal = self.access.principal(request)
        query = read_query(request, CommentQuery)
        glance = Glance(path_id(request, "projectId"), principal, parse_as_of(query.as_of))
        return answer(request, await self.views.read(glance, view_comment, path_id(request, "commentId")), glance)

    @operation("Adds a comment", body=_AddBody, answer=CommentView, status=201, conditional=True)
    async def add(self, request: web.Request) -> web.Response:
        """201 with the comment."""
        done = await self.changes.send(request, AddComment, _AddBody, taskId=path_id(request, "taskId"))
        comment_id = done[1].result["commentId"]
        location = f"/v1/projects/{path_id(request, 'projectId')}/comments/{comment_id}"
        return await self.changes.answer(done, view_comment, comment_id, status=201, location=location)

    @operation("Changes a comment", body=_EditBody, answer=CommentView, conditional=True)
    async def update(self, request: web.Request) -> web.Response:
        """Authors change their own; the old text stays readable."""
        comment_id = path_id(request, "commentId")
        done = await self.changes.send(request, EditComment, _EditBody, commentId=comment_id)
        return await self.changes.answer(done, view_comment, comment_id)
