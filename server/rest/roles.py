"""Roles of a project over REST: the built-in ones and those of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from aiohttp import web
from pydantic import Field

from actors.project.roles import list_roles
from protocol.base import Message
from protocol.roles import ListedRole
from server.rest.access import Access, parse_as_of, path_id, read_query
from server.rest.operations import operation
from server.rest.project_views import Glance, ProjectViews, answer


class RolesQuery(Message):
    """`asOf` a seq or a time. The list is short and comes whole."""

    as_of: Annotated[str, Field(max_length=40)] | None = None


@dataclass(frozen=True, slots=True)
class RoleRoutes:
    """`/v1/projects/{id}/roles`."""

    access: Access
    views: ProjectViews

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/projects/{projectId}/roles", self.every)]

    @operation("Roles of a project", query=RolesQuery, answer=list[ListedRole], etag=True)
    async def every(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, RolesQuery)
        glance = Glance(path_id(request, "projectId"), principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, list_roles)
        return answer(request, replace(reading, value=[*reading.value]), glance)
