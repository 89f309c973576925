"""Comments on a task over REST."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from aiohttp import web
from pydantic import Field

from actors.project.comments import list_comments
from protocol.base import Uuid
from protocol.comments import CommentView
from server.rest.access import Access, parse_as_of, path_id, read_query
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, cut, link_next
from server.rest.project_views import Glance, ProjectViews, answer


class CommentsQuery(PageQuery):
    """A page of comments in the order they were made; `after` is the id of the last one seen."""

    after: Uuid | None = None
    as_of: Annotated[str, Field(max_length=40)] | None = None


@dataclass(frozen=True, slots=True)
class CommentRoutes:
    """`/v1/projects/{id}/tasks/{taskId}/comments`."""

    access: Access
    views: ProjectViews
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/projects/{projectId}/tasks/{taskId}/comments", self.page)]

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
