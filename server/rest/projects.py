"""Projects over REST: list, create, read, update, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web
from typing_extensions import TypedDict

from actors.project.projects import view_project
from actors.runtime.request import Accepted
from protocol.base import Message
from protocol.derived_ids import derived_id
from protocol.errors import Rejected, Rejection
from protocol.event import OPERATOR, Principal
from protocol.messages import digest_of
from protocol.projects import CreateProject, DeleteProject, EditProject, ProjectView, PurgeProject, RestoreProject
from server.enrich import Facts
from server.idempotency import IDEMPOTENCY_KEY, KEY_REUSED
from server.rest.access import (
    Access,
    AsOfText,
    entity_tag,
    only_at,
    parse_as_of,
    path_id,
    read_query,
    refused,
)
from server.rest.bodies import json_response, read_body
from server.rest.changes import Changes
from server.rest.derived import DerivedReads, Listed, Listing, ProjectLists
from server.rest.keyed import KeyedRequests
from server.rest.min_seq import Asked, DerivedPageQuery
from server.rest.operations import operation
from server.rest.pages import PageSizes, link_next, pack_place, unpack_place
from server.rest.project_views import Glance, ProjectViews, answer
from server.streams import Look, Streams, Wish, granted


class Deleted(TypedDict):
    """That a project was deleted, for people."""

    message: str


DELETED: Deleted = {"message": "Project deleted successfully"}
_PROJECT: Final = Look(view_project)


class ProjectsQuery(DerivedPageQuery):
    """Without `visibility` the caller's own; `public`: those that everybody may look at.

    `deleted`, which goes with no `visibility`: the deleted ones that the caller, as an owner, can still restore.
    """

    visibility: Literal["public"] | None = None
    deleted: bool = False


class ProjectQuery(Message):
    """`asOf` a seq or a time; `deleted` lets an owner see a project that can still be restored."""

    as_of: AsOfText | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ProjectRoutes:
    """`/v1/projects` and `/v1/projects/{id}`."""

    access: Access
    streams: Streams
    views: ProjectViews
    facts: Facts
    lists: ProjectLists
    derived: DerivedReads
    sizes: PageSizes
    new_id: Callable[[], str]
    keyed: KeyedRequests
    changes: Changes

    def routes(self) -> list[web.RouteDef]:
        one = "/v1/projects/{projectId}"
        return [
            web.get("/v1/projects", self.page),
            web.post("/v1/projects", self.create),
            web.get(one, self.read),
            web.put(one, self.update),
            web.delete(one, self.delete),
            web.post(f"{one}/restore", self.restore),
            web.post(f"{one}/purge", self.purge),
        ]

    @operation("Projects of the caller", query=ProjectsQuery, answer=list[ProjectView], links=True, derived=True)
    async def page(self, request: web.Request) -> web.Response:
        """The caller's projects, or the public ones, the last changed first; the operator's are all, by id.

        With `deleted=true` those that the caller, as an owner, can still restore; for the operator all of these.
        """
        principal = self.access.principal(request)
        query = read_query(request, ProjectsQuery)
        size = self.sizes.of(query)
        if query.deleted and query.visibility is not None:
            raise refused("deleted projects are nobody's to look at but their owners'", "deleted")
        by_id = principal.is_operator and query.visibility is None and not query.deleted
        parts = 1 if by_id else 2
        after = unpack_place(query.after, parts) if query.after is not None else None
        asked = Asked(principal, query.min_seq)
        page = await self.derived.page(self._listing(principal, query), after, size, asked)
        link: dict[str, str] = {}
        if page.end is not None:
            again = {"visibility": query.visibility, "deleted": "true" if query.deleted else None}
            link = link_next(
                request.path, after=pack_place(*page.end), limit=query.limit, **again, minSeq=query.min_seq
            )
        return json_response([one.record for one in page.rows], headers={**page.headers, **link})

    def _listing(self, principal: Principal, query: ProjectsQuery) -> Listing[Listed, tuple[str, ...]]:
        if query.visibility is not None:
            return by_change(self.lists.public)
        if query.deleted:
            owner_id = None if principal.is_operator else principal.id
            return by_change(lambda after, *most: self.lists.deleted(owner_id, after, *most))
        if not principal.is_operator:
            return by_change(lambda after, *most: self.lists.of_user(principal.id, after, *most))
        return Listing(
            lambda after, *most: self.lists.every(after[0] if after else None, *most),
            lambda one: str(one.record["id"]),
            lambda one: (one.record["id"],),
            lambda one: one.record,
        )

    @operation(
        "Creates a project", body=CreateProject, answer=ProjectView, status=201, tagged=True, located=True, logged=True
    )
    async def create(self, request: web.Request) -> web.Response:
        """201 with the project. Its id comes from the caller and `Idempotency-Key`, so a retry meets the same one."""
        principal = self.access.principal(request)
        op_id = self.access.op_id(request, principal)
        command = await read_body(request, CreateProject)
        if IDEMPOTENCY_KEY not in request.headers:
            project_id = self.new_id()
            wish = Wish(f"project/{project_id}", command, principal, op_id, look=_PROJECT)
            accepted = await self._create(wish, command)
        else:
            project_id = derived_id(principal.id, "project", op_id)
            wish = Wish(f"project/{project_id}", command, principal, op_id, look=_PROJECT)
            told_apart = (wish.stream, op_id, principal.id, digest_of(principal.id, command, None, None))
            with self.keyed.judged_once(*told_apart):
                accepted = await self._create(wish, command)
        reading = await self.views.left_by(request, wish, accepted)
        headers = {"ETag": entity_tag(reading.cursor, reading.value), "Location": f"/v1/projects/{project_id}"}
        return json_response(reading.value, 201, headers)

    async def _create(self, wish: Wish, command: CreateProject) -> Accepted:
        facts = await self.facts.facts_for(command, wish.stream, wish.principal)
        if isinstance(facts, Rejection) and not facts.retryable:
            # Whoever repeats the request that made the project is not refused before the actor is asked.
            made = await self.streams.read(wish.stream, view_project, OPERATOR)
            if not isinstance(made, Rejection):
                raise Rejected(KEY_REUSED)
        return granted(await self.streams.command(wish, granted(facts)))

    @operation("A project", query=ProjectQuery, answer=ProjectView, etag=True)
    async def read(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, ProjectQuery)
        glance = Glance.of(request, principal, parse_as_of(query.as_of), deleted=query.deleted)
        return answer(request, await self.views.read(glance, view_project), glance)

    @operation("Changes a project", body=EditProject, answer=ProjectView, conditional=True, tagged=True)
    async def update(self, request: web.Request) -> web.Response:
        """Sets the fields that are present."""
        principal = self.access.principal(request)
        stream = f"project/{path_id(request, 'projectId')}"
        op_id = self.access.op_id(request, principal)
        edit = await read_body(request, EditProject)
        wish = Wish(stream, edit, principal, op_id, only_at=only_at(request), look=_PROJECT)
        reading = await self.views.left_by(request, wish, granted(await self.streams.command(wish)))
        return json_response(reading.value, headers={"ETag": entity_tag(reading.cursor, reading.value)})

    @operation("Deletes a project", answer=Deleted, conditional=True)
    async def delete(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        stream = f"project/{path_id(request, 'projectId')}"
        wish = Wish(stream, DeleteProject(), principal, self.access.op_id(request, principal), only_at=only_at(request))
        granted(await self.streams.command(wish))
        return json_response(DELETED)

    @operation("Brings a deleted project back", answer=ProjectView, conditional=True, tagged=True)
    async def restore(self, request: web.Request) -> web.Response:
        """As it was, for its owners, until it is purged."""
        return await self.changes.answer(request, await self.changes.send_bare(request, RestoreProject, look=_PROJECT))

    @operation("Ends a deleted project for good", status=204, conditional=True)
    async def purge(self, request: web.Request) -> web.Response:
        """Nothing of it is left, and its key stays taken. By itself it ends some time after its deletion."""
        await self.changes.send_bare(request, PurgeProject)
        return web.Response(status=204)


def by_change(
    fetch: Callable[[tuple[str, str] | None, int, int], Awaitable[Sequence[Listed]]],
) -> Listing[Listed, tuple[str, ...]]:
    """The last changed first."""
    return Listing(
        lambda after, *most: fetch((after[0], after[1]) if after else None, *most),
        lambda one: str(one.record["id"]),
        lambda one: (one.record["updatedAt"], one.record["id"]),
        lambda one: one.record,
    )
