"""Members of a project over REST."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from actors.project.members import list_members
from protocol.base import Uuid
from protocol.members import MemberView
from server.rest.access import Access, AsOfText, parse_as_of, read_query
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, link_next
from server.rest.project_views import Glance, ProjectViews, answer


class MembersQuery(PageQuery):
    """A page of members by user id; `after` is the user id of the last one seen."""

    after: Uuid | None = None
    as_of: AsOfText | None = None


@dataclass(frozen=True, slots=True)
class MemberRoutes:
    """`/v1/projects/{id}/members`."""

    access: Access
    views: ProjectViews
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/projects/{projectId}/members", self.page)]

    @operation("Members of a project", query=MembersQuery, answer=list[MemberView], etag=True, links=True)
    async def page(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, MembersQuery)
        size = self.sizes.of(query)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, list_members, query.after, size + 1)
        page, more = self.sizes.cut(reading.value, size)
        then = reading.cursor.seq if glance.as_of is not None else None
        headers = link_next(request.path, after=page[-1]["userId"], limit=query.limit, asOf=then) if more else {}
        return answer(request, replace(reading, value=[*page]), glance, headers)
