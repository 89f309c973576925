"""Fields of a project's own over REST."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from actors.project.custom_fields import list_fields
from actors.project.state import place_of
from protocol.custom_fields import FieldView
from server.rest.access import Access, AsOfText, parse_as_of, read_query
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, behind, link_next, pack_place, unpack_place
from server.rest.project_views import Glance, ProjectViews, answer


class FieldsQuery(PageQuery):
    """A page of fields in the order they were defined. `asOf` a seq or a time."""

    as_of: AsOfText | None = None


@dataclass(frozen=True, slots=True)
class FieldRoutes:
    """`/v1/projects/{id}/fields`."""

    access: Access
    views: ProjectViews
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/projects/{projectId}/fields", self.every)]

    @operation("Fields of a project's own", query=FieldsQuery, answer=list[FieldView], etag=True, links=True)
    async def every(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, FieldsQuery)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, list_fields)
        after = unpack_place(query.after, 2) if query.after is not None else None
        page, more = self.sizes.cut(behind(reading.value, after, place_of), self.sizes.of(query))
        then = reading.cursor.seq if glance.as_of is not None else None
        place = pack_place(*place_of(page[-1])) if more else None
        headers = link_next(request.path, after=place, limit=query.limit, asOf=then) if more else {}
        return answer(request, replace(reading, value=[*page]), glance, headers)
