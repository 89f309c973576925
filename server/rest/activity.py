"""What happened in a project, or to an object in it, newest first.

The words are the log's own, so that nothing lags and nothing is lost. Where they stand, a read table tells; while that
is behind, the activity of an object is looked for in the log itself, a bounded stretch for each page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Protocol, TypeAlias

from aiohttp import web
from pydantic import Field

from actors.project.comments import list_comment_ids
from actors.project.projects import view_project
from actors.project.state import ProjectState
from actors.runtime.log_reads import LogReads
from actors.runtime.publication import Publication
from protocol.activity import ActivityItem
from protocol.base import INTEGER_MAX, Message, Uuid
from protocol.errors import Rejection
from protocol.event import Principal
from server.activity_runs import PageMax, Runs, told
from server.rest.access import Access, entity_tag, is_unchanged, path_id, read_query
from server.rest.bodies import json_response
from server.rest.derived import DerivedReads
from server.rest.operations import operation
from server.rest.pages import PageSizes, link_next
from server.rest.project_views import Glance, ProjectViews

ENTRIES_MAX: Final = 2000
"""Entries that one page looks at. Where it collapses or passes over many of them, it may be short, even empty."""


class ActivityIndex(Protocol):
    """Where in the log the entries about objects are, the newest first."""

    async def of_object(self, project_id: str, object_id: str, before: int, limit: int) -> Sequence[int]:
        """The seqs below `before` of entries about an object."""
        ...


class ActivityQuery(Message):
    """`before`: the seq above which everything was seen; without it the newest comes first."""

    before: Annotated[int, Field(ge=1, le=INTEGER_MAX)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


class ProjectActivityQuery(ActivityQuery):
    """`about`: only what one object is named in: a task, a comment, a link, a milestone, a member …, removed or not."""

    about: Uuid | None = None


_Look: TypeAlias = Callable[[ProjectState, Principal, str], "frozenset[str] | Rejection"]


@dataclass(slots=True)
class _Source:
    """Entries, the newest first. `more`: they ended at a bound, not at the beginning."""

    entries: AsyncIterator[Publication]
    more: bool = False


@dataclass(frozen=True, slots=True)
class ActivityRoutes:
    """`…/activity` of a project, and of a task in it."""

    access: Access
    views: ProjectViews
    reads: LogReads
    index: ActivityIndex
    derived: DerivedReads
    sizes: PageSizes
    page_bytes_max: int

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/projects/{projectId}/activity", self.of_project),
            web.get("/v1/projects/{projectId}/tasks/{taskId}/activity", self.of_task),
        ]

    @operation(
        "What happened in a project, newest first",
        query=ProjectActivityQuery,
        answer=list[ActivityItem],
        etag=True,
        links=True,
    )
    async def of_project(self, request: web.Request) -> web.Response:
        """Edits of one object by one author within ten minutes of each other are one item."""
        glance = Glance.of(request, self.access.principal(request))
        query = read_query(request, ProjectActivityQuery)
        if query.about is not None:
            return await self._of_object(request, glance, query, _parts_of, query.about)
        reading = await self.views.read(glance, view_project)
        if is_unchanged(request, reading.cursor):
            return web.Response(status=304, headers=_headers(entity_tag(reading.cursor)))
        before = min(query.before or reading.cursor.seq + 1, reading.cursor.seq + 1)
        source = self._scanned(glance.stream, before)
        return await self._page(request, glance, query, source, None, entity_tag(reading.cursor))

    @operation(
        "What happened to a task, newest first", query=ActivityQuery, answer=list[ActivityItem], etag=True, links=True
    )
    async def of_task(self, request: web.Request) -> web.Response:
        """With its comments and what its subtasks and links say of it."""
        glance = Glance.of(request, self.access.principal(request))
        query = read_query(request, ActivityQuery)
        return await self._of_object(request, glance, query, _parts_of_task, path_id(request, "taskId"))

    async def _of_object(
        self, request: web.Request, glance: Glance, query: ActivityQuery, look: _Look, object_id: str
    ) -> web.Response:
        reading = await self.views.read(glance, look, object_id)
        if is_unchanged(request, reading.cursor):
            return web.Response(status=304, headers=_headers(entity_tag(reading.cursor)))
        before = min(query.before or reading.cursor.seq + 1, reading.cursor.seq + 1)
        if await self.derived.is_caught_up(glance.stream):
            source = self._indexed(glance, object_id, before, self.sizes.of_limit(query.limit) + 1)
        else:
            source = self._scanned(glance.stream, before)
        return await self._page(request, glance, query, source, reading.value, entity_tag(reading.cursor))

    async def _page(
        self,
        request: web.Request,
        glance: Glance,
        query: ActivityQuery,
        source: _Source,
        about: frozenset[str] | None,
        tag: str,
    ) -> web.Response:
        """Permission is judged once more at the end: who was removed while the log was read gets nothing."""
        runs = Runs(PageMax(self.sizes.of_limit(query.limit), self.page_bytes_max))
        seen = 0
        async for publication in source.entries:
            if not runs.take(publication, told(publication, about), self.reads.size_of(publication)):
                source.more = True
                break
            seen = publication.entry.seq
        await self.views.read(glance, view_project)
        link: dict[str, str] = {}
        if source.more:
            about_one = getattr(query, "about", None)
            link = link_next(request.path, before=seen, limit=query.limit, about=about_one)
        return json_response([item for _, item in runs.items], headers={**_headers(tag), **link})

    def _scanned(self, stream: str, before: int) -> _Source:
        """Entries below the seq from the log itself, a bounded number of them."""
        least = max(0, before - 1 - ENTRIES_MAX)

        async def entries() -> AsyncIterator[Publication]:
            place = before
            while place - 1 > least and (page := await self.reads.page_before(stream, place)):
                for publication in page:
                    if publication.entry.seq <= least:
                        break
                    yield publication
                place = page[-1].entry.seq
            source.more = least > 0

        source = _Source(entries())
        return source

    def _indexed(self, glance: Glance, object_id: str, before: int, step: int) -> _Source:
        """The entries about an object, as the read table knows them."""

        async def entries() -> AsyncIterator[Publication]:
            place, count = before, 0
            while count < ENTRIES_MAX:
                seqs = await self.index.of_object(glance.project_id, object_id, place, step)
                async for publication in self.reads.some([(glance.stream, seq) for seq in seqs]):
                    yield publication
                if len(seqs) < step:
                    return
                place, count = seqs[-1], count + len(seqs)
            source.more = True

        source = _Source(entries())
        return source


def _parts_of_task(state: ProjectState, principal: Principal, task_id: str) -> frozenset[str] | Rejection:
    """The task and its comments."""
    comments = list_comment_ids(state, principal, task_id)
    return comments if isinstance(comments, Rejection) else frozenset({task_id, *comments})


def _parts_of(state: ProjectState, principal: Principal, object_id: str) -> frozenset[str] | Rejection:
    """The object and what belongs to it. What is not there any more may have been once."""
    is_task = object_id in state.tasks
    return _parts_of_task(state, principal, object_id) if is_task else frozenset({object_id})


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "private, no-cache"}
