"""Links between the tasks of a project over REST."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from actors.project.links import list_links, view_link
from protocol.base import Message, Uuid
from protocol.links import AddLink, LinkView, RemoveLink
from server.rest.access import Access, AsOfText, parse_as_of, path_id, read_query
from server.rest.changes import Changes
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, link_next
from server.rest.project_views import Glance, ProjectViews, answer
from server.streams import Look


class LinksQuery(PageQuery):
    """A page of links by id; `after` is the id of the last one seen, `taskId` asks for the links of one task."""

    after: Uuid | None = None
    task_id: Uuid | None = None
    as_of: AsOfText | None = None


class LinkQuery(Message):
    """`asOf` a seq or a time."""

    as_of: AsOfText | None = None


@dataclass(frozen=True, slots=True)
class LinkRoutes:
    """`/v1/projects/{projectId}/links`."""

    access: Access
    views: ProjectViews
    sizes: PageSizes
    changes: Changes

    def routes(self) -> list[web.RouteDef]:
        every = "/v1/projects/{projectId}/links"
        return [
            web.get(every, self.page),
            web.post(every, self.add),
            web.get(every + "/{linkId}", self.read),
            web.delete(every + "/{linkId}", self.remove),
        ]

    @operation("A page of the project's links", query=LinksQuery, answer=list[LinkView], etag=True, links=True)
    async def page(self, request: web.Request) -> web.Response:
        """Links of deleted tasks are left out."""
        principal = self.access.principal(request)
        query = read_query(request, LinksQuery)
        size = self.sizes.of(query)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, list_links, query.task_id, query.after, size + 1)
        page, more = self.sizes.cut(reading.value, size)
        headers: dict[str, str] = {}
        if more:
            then = reading.cursor.seq if glance.as_of is not None else None
            headers = link_next(request.path, after=page[-1]["id"], limit=query.limit, taskId=query.task_id, asOf=then)
        return answer(request, replace(reading, value=[*page]), glance, headers)

    @operation(
        "Links two tasks", body=AddLink, answer=LinkView, status=201, located=True, conditional=True, tagged=True
    )
    async def add(self, request: web.Request) -> web.Response:
        """201 with the link."""
        done = await self.changes.send(request, AddLink, AddLink, Look(view_link, made="linkId"))
        return await self.changes.answer(request, done, 201, f"{request.path}/{done[1].result['linkId']}")

    @operation("One link", query=LinkQuery, answer=LinkView, etag=True)
    async def read(self, request: web.Request) -> web.Response:
        """Not while one of its tasks is deleted."""
        principal = self.access.principal(request)
        query = read_query(request, LinkQuery)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        reading = await self.views.read(glance, view_link, path_id(request, "linkId"))
        return answer(request, reading, glance)

    @operation("Takes a link away", status=204, conditional=True)
    async def remove(self, request: web.Request) -> web.Response:
        """A hidden one too: it may be what stands in the way of another link."""
        await self.changes.send_bare(request, RemoveLink, "linkId")
        return web.Response(status=204)
