"""Roles of a project over REST: the built-in ones and those of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from actors.project.permissions import ROLES
from actors.project.roles import list_roles
from protocol.roles import ListedRole
from server.rest.access import Access, AsOfText, parse_as_of, read_query
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, behind, link_next, pack_place, unpack_place
from server.rest.project_views import Glance, ProjectViews, answer


class RolesQuery(PageQuery):
    """A page of roles, the built-in ones first, then the others as they were defined. `asOf` a seq or a time."""

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
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, list_roles)
        after = unpack_place(query.after, 2) if query.after is not None else None
        page, more = self.sizes.cut(behind(reading.value, after, _place_of), self.sizes.of(query))
        then = reading.cursor.seq if glance.as_of is not None else None
        place = pack_place(*_place_of(page[-1])) if more else None
        headers = link_next(request.path, after=place, limit=query.limit, asOf=then) if more else {}
        return answer(request, replace(reading, value=[*page]), glance, headers)


def _place_of(role: Mapping[str, Any]) -> tuple[str, ...]:
    """As they are listed: the built-in ones, which were never made, stand before all others."""
    return ("", str([*ROLES].index(role["id"]))) if role["builtIn"] else (role["createdAt"], role["id"])
