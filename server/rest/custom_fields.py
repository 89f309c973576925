"""Fields of a project's own over REST."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from aiohttp import web
from pydantic import Field

from actors.project.custom_fields import list_fields
from protocol.base import Message
from protocol.custom_fields import FieldView
from server.rest.access import Access, parse_as_of, path_id, read_query
from server.rest.operations import operation
from server.rest.project_views import Glance, ProjectViews, answer


class FieldsQuery(Message):
    """`asOf` a seq or a time. The list is short and comes whole."""

    as_of: Annotated[str, Field(max_length=40)] | None = None


@dataclass(frozen=True, slots=True)
class FieldRoutes:
    """`/v1/projects/{id}/fields`."""

    access: Access
    views: ProjectViews

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/projects/{projectId}/fields", self.every)]

    @operation("Fields of a project's own", query=FieldsQuery, answer=list[FieldView], etag=True)
    async def every(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, FieldsQuery)
        glance = Glance(path_id(request, "projectId"), principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, list_fields)
        return answer(request, replace(reading, value=[*reading.value]), glance)
