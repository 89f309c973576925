"""What happened in a project, newest first: the log itself, so that nothing lags and nothing is lost.

Runs of edits by one author of one object collapse. A page reads a bounded stretch of the log, however long that is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from actors.project.comments import list_comment_ids
from actors.project.projects import view_project
from actors.runtime.log_reads import LogReads
from actors.runtime.publication import Publication
from protocol.activity import ActivityItem
from protocol.base import INTEGER_MAX, Message, datetime_of
from server.rest.access import Access, path_id, read_query
from server.rest.bodies import json_response
from server.rest.operations import operation
from server.rest.pages import PageSizes, link_next
from server.rest.project_views import Glance, ProjectViews

SCANNED_ENTRIES_MAX: Final = 2000
"""Entries of the log that one page looks at. A page of a task that was quiet for longer may be short, even empty."""
RUN_ENTRIES_MAX: Final = 50
RUN_PAUSE_S: Final = 600
_NOT_TOLD: Final = frozenset({"TasksReranked"})
"""What the server does by itself to keep order."""


class ActivityQuery(Message):
    """`before`: the seq above which everything was seen; without it the newest comes first."""

    before: Annotated[int, Field(ge=1, le=INTEGER_MAX)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class ActivityRoutes:
    """`…/activity` of a project, and of a task in it."""

    access: Access
    views: ProjectViews
    reads: LogReads
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/projects/{projectId}/activity", self.of_project),
            web.get("/v1/projects/{projectId}/tasks/{taskId}/activity", self.of_task),
        ]

    @operation("What happened in a project, newest first", query=ActivityQuery, answer=list[ActivityItem], links=True)
    async def of_project(self, request: web.Request) -> web.Response:
        """Edits of one object by one author within ten minutes of each other are one item."""
        glance = Glance(path_id(request, "projectId"), self.access.principal(request))
        query = read_query(request, ActivityQuery)
        head = (await self.views.read(glance, view_project)).cursor.seq
        return await self._page(request, glance, query, head, lambda event: True)

    @operation("What happened to a task, newest first", query=ActivityQuery, answer=list[ActivityItem], links=True)
    async def of_task(self, request: web.Request) -> web.Response:
        """With its comments. A page may be short, even empty, and `Link` to a next one, where others were busy."""
        glance = Glance(path_id(request, "projectId"), self.access.principal(request))
        query = read_query(request, ActivityQuery)
        task_id = path_id(request, "taskId")
        reading = await self.views.read(glance, list_comment_ids, task_id)
        about = {task_id, *reading.value}
        return await self._page(request, glance, query, reading.cursor.seq, lambda event: names(event["data"], about))

    async def _page(
        self,
        request: web.Request,
        glance: Glance,
        query: ActivityQuery,
        head: int,
        is_wanted: Callable[[Mapping[str, Any]], bool],
    ) -> web.Response:
        """Permission is judged once more at the end: who was removed while the log was read gets nothing."""
        size = self.sizes.of_limit(query.limit)
        before = min(query.before or head + 1, head + 1)
        items: list[ActivityItem] = []
        seen = before
        async for publication in self._backwards(glance.stream, before):
            events = [event for event in publication.events if event["kind"] not in _NOT_TOLD and is_wanted(event)]
            if events and not _joins(items, publication, events):
                if len(items) == size:
                    break
                items.append(_item(publication, events))
            seen = publication.entry.seq
        await self.views.read(glance, view_project)
        headers = link_next(request.path, before=seen, limit=query.limit) if seen > 1 else {}
        return json_response(items, headers={"Cache-Control": "private, no-cache", **headers})

    async def _backwards(self, stream: str, before: int) -> AsyncIterator[Publication]:
        """Entries below the seq, the newest first, a bounded number of them."""
        least = max(0, before - 1 - SCANNED_ENTRIES_MAX)
        while before - 1 > least:
            page = await self.reads.page_before(stream, before)
            if not page:
                return
            for publication in page:
                if publication.entry.seq <= least:
                    return
                yield publication
            before = page[-1].entry.seq


def names(data: Any, ids: Collection[str], depth: int = 3) -> bool:
    """Whether the data of an event name one of these objects."""
    if isinstance(data, str):
        return data in ids
    if depth == 0:
        return False
    if isinstance(data, dict):
        return any(key in ids or names(value, ids, depth - 1) for key, value in data.items())
    return isinstance(data, list) and any(names(value, ids, depth - 1) for value in data)


def _item(publication: Publication, events: list[Any]) -> ActivityItem:
    entry = publication.entry
    return {
        "seq": entry.seq,
        "firstSeq": entry.seq,
        "author": entry.author,
        "at": entry.at,
        "beganAt": entry.at,
        "entries": 1,
        "events": events,
    }


def _joins(items: list[ActivityItem], publication: Publication, events: list[Any]) -> bool:
    """Takes an older entry into the run that the last item is, if it belongs there."""
    if not items:
        return False
    run, entry = items[-1], publication.entry
    subject = _edited(events)
    near = abs((datetime_of(run["beganAt"]) - datetime_of(entry.at)).total_seconds()) <= RUN_PAUSE_S
    is_same = subject is not None and subject == _edited(run["events"]) and run["author"] == entry.author
    if not (is_same and near and run["entries"] < RUN_ENTRIES_MAX):
        return False
    run["firstSeq"], run["beganAt"], run["entries"] = entry.seq, entry.at, run["entries"] + 1
    run["events"] = [*events, *run["events"]]
    return True


def _edited(events: list[Any]) -> tuple[str, str] | None:
    """Which object all of the events edit, as (kind of event, id); None when they do more than that."""
    found = {(event["kind"], _id_in(event["data"])) for event in events}
    kind, subject = found.pop() if len(found) == 1 else ("", "")
    return (kind, subject) if kind.endswith("Edited") else None


def _id_in(data: Mapping[str, Any]) -> str:
    """The object that an event is about; "" for the project itself."""
    return next((str(value) for name, value in data.items() if name.endswith("Id")), "")
