"""Invitations over REST: those of a project for who sees its members, and one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from aiohttp import web

from actors.ports import Clock
from actors.project.invitations import list_invitations
from protocol.base import Uuid
from protocol.invitations import InvitationView, OwnInvitation
from server.rest.access import Access, AsOfText, parse_as_of, read_query
from server.rest.bodies import json_response
from server.rest.derived import DerivedReads, Listed, Listing
from server.rest.min_seq import Asked, DerivedPageQuery
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, link_next, pack_place, unpack_place
from server.rest.project_views import Glance, ProjectViews, answer


class InvitationLists(Protocol):
    """Invitations across projects."""

    async def of_user(
        self, user_id: str, now: str, after: tuple[str, str] | None, limit: int
    ) -> Sequence[tuple[str, str, Listed]]:
        """(Project id, its name, invitation) by project and id; `after` is (project id, invitation id)."""
        ...


class InvitationsQuery(PageQuery):
    """A page of a project's invitations by id; `after` is the id of the last one seen."""

    after: Uuid | None = None
    as_of: AsOfText | None = None


@dataclass(frozen=True, slots=True)
class InvitationRoutes:
    """`/v1/projects/{id}/invitations` and `/v1/invitations`."""

    access: Access
    views: ProjectViews
    lists: InvitationLists
    derived: DerivedReads
    clock: Clock
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/projects/{projectId}/invitations", self.of_project),
            web.get("/v1/invitations", self.own),
        ]

    @operation("Invitations to a project", query=InvitationsQuery, answer=list[InvitationView], etag=True, links=True)
    async def of_project(self, request: web.Request) -> web.Response:
        """Those that can still be accepted, for everybody who sees the members. Neither address nor token is told.

        `asOf` a point of the past: those that waited for an answer then.
        """
        principal = self.access.principal(request)
        query = read_query(request, InvitationsQuery)
        size = self.sizes.of(query)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        now = self.clock.now() if query.as_of is None else ""
        reading = await self.views.read(glance, list_invitations, now, query.after, size + 1)
        page, more = self.sizes.cut(reading.value, size)
        then = reading.cursor.seq if glance.as_of is not None else None
        headers = link_next(request.path, after=page[-1]["id"], limit=query.limit, asOf=then) if more else {}
        return answer(request, replace(reading, value=[*page]), glance, headers)

    @operation(
        "Invitations of the caller", query=DerivedPageQuery, answer=list[OwnInvitation], links=True, derived=True
    )
    async def own(self, request: web.Request) -> web.Response:
        """What the caller was invited to and can still accept, each with `projectId` and `projectName`."""
        principal = self.access.principal(request)
        query = read_query(request, DerivedPageQuery)
        size = self.sizes.of(query)
        place = unpack_place(query.after, 2) if query.after is not None else None
        after = (place[0], place[1]) if place else None
        now = self.clock.now()
        listing: Listing[tuple[str, str, Listed], tuple[str, str]] = Listing(
            lambda after, limit, _: self.lists.of_user(principal.id, now, after, limit),
            lambda own: own[0],
            lambda own: (own[0], own[2].record["id"]),
            lambda own: own[2].record,
        )
        page = await self.derived.page(listing, after, size, Asked(principal, query.min_seq))
        records = [{"projectId": project_id, "projectName": name, **one.record} for project_id, name, one in page.rows]
        link: dict[str, str] = {}
        if page.end is not None:
            link = link_next(request.path, after=pack_place(*page.end), limit=query.limit, minSeq=query.min_seq)
        return json_response(records, headers={**page.headers, **link})
