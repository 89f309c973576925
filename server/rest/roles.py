"""Roles of a project over REST: the built-in ones and those of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from actors.project.roles import list_roles
from protocol.roles import ListedRole
from server.rest.access import Access, AsOfText, parse_as_of, path_id, read_query
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, after_id, cut, link_next
from server.rest.project_views import Glance, ProjectViews, answer


class RolesQuery(PageQuery):
    """A page of roles, the built-in ones first; `after` is the id of the last one seen. `asOf` a seq or a time."""

    as_of: AsOfText | None = None


@dataclass(frozen=True, slots=True)
class RoleRoutes:
    """`/v1/projects/{id}/roles`."""

    access: Access
    views: ProjectViews
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/projects/{projectId}/roles", self.every)]

    @operation("Roles of a project", query=RolesQuery, answer=list[ListedRole], etag=True, links=True)
    async def every(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, RolesQuery)
        glance = Glance(path_id(request, "projectId"), principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, list_roles)
        page, more = cut(after_id(reading.value, query.after, lambda role: role["id"]), self.sizes.of(query))
        then = reading.cursor.seq if glance.as_of is not None else None
        headers = link_next(request.path, after=page[-1]["id"], limit=query.limit, asOf=then) if more else {}
        return answer(request, replace(reading, value=[*page]), glance, headers)
