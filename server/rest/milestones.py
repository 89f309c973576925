"""Milestones of a project over REST."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from actors.project.milestones import list_milestones, view_milestone
from actors.project.state import place_of
from protocol.base import Message
from protocol.milestones import MilestoneView
from server.rest.access import Access, AsOfText, parse_as_of, path_id, read_query
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, link_next, pack_place, unpack_place
from server.rest.project_views import Glance, ProjectViews, answer


class MilestonesQuery(PageQuery):
    """A page of milestones in the order they were made. `asOf` a seq or a time."""

    as_of: AsOfText | None = None


class MilestoneQuery(Message):
    """`asOf` a seq or a time."""

    as_of: AsOfText | None = None


@dataclass(frozen=True, slots=True)
class MilestoneRoutes:
    """`/v1/projects/{id}/milestones`."""

    access: Access
    views: ProjectViews
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        every = "/v1/projects/{projectId}/milestones"
        return [web.get(every, self.page), web.get(every + "/{milestoneId}", self.read)]

    @operation("Milestones of a project", query=MilestonesQuery, answer=list[MilestoneView], etag=True, links=True)
    async def page(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, MilestonesQuery)
        size = self.sizes.of(query)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        after = unpack_place(query.after, 2) if query.after is not None else None
        reading = await self.views.read(glance, list_milestones, after, size + 1)
        page, more = self.sizes.cut(reading.value, size)
        place = pack_place(*place_of(page[-1])) if more else None
        then = reading.cursor.seq if glance.as_of is not None else None
        headers = link_next(request.path, after=place, limit=query.limit, asOf=then) if more else {}
        return answer(request, replace(reading, value=[*page]), glance, headers)

    @operation("A milestone", query=MilestoneQuery, answer=MilestoneView, etag=True)
    async def read(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, MilestoneQuery)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, view_milestone, path_id(request, "milestoneId"))
        return answer(request, reading, glance)
