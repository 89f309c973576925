"""Tasks over REST: those of a project, live or as of a point of the past, and a person's own across projects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from actors.project.tasks import list_tasks
from protocol.base import INTEGER_MAX
from protocol.tasks import OwnTask, TaskView
from server.rest.access import Access, parse_as_of, path_id, read_query, refused
from server.rest.bodies import json_response
from server.rest.derived import DerivedReads, TaskLists
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, cut, link_next, pack_place, unpack_place
from server.rest.project_views import Glance, ProjectViews, answer


class TasksQuery(PageQuery):
    """A page of a project's tasks in the order of their numbers; `after` is the number of the last one seen."""

    as_of: Annotated[str, Field(max_length=40)] | None = None
    deleted: bool = False


class OwnTasksQuery(PageQuery):
    """`assignee` is `me`: nobody else's list is told. `open` absent: all, true: open, false: closed ones."""

    assignee: Literal["me"] = "me"
    open: bool | None = None


@dataclass(frozen=True, slots=True)
class TaskRoutes:
    """`/v1/projects/{id}/tasks` and `/v1/tasks`."""

    access: Access
    views: ProjectViews
    lists: TaskLists
    derived: DerivedReads
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/projects/{projectId}/tasks", self.of_project),
            web.get("/v1/tasks", self.own),
        ]

    @operation("Tasks of a project", query=TasksQuery, answer=list[TaskView], etag=True, links=True)
    async def of_project(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        query = read_query(request, TasksQuery)
        size, after = self.sizes.of(query), _number(query.after)
        project_id = path_id(request, "projectId")
        glance = Glance(project_id, principal, parse_as_of(query.as_of), query.deleted)
        reading = await self.views.read(glance, list_tasks, after, size + 1)
        page, more = cut(reading.value, size)
        headers: dict[str, str] = {}
        if more:
            # All pages of a past state are of one state: the seq that the first one found.
            then = reading.cursor.seq if glance.as_of is not None else None
            deleted = "true" if query.deleted else None
            headers = link_next(request.path, after=page[-1]["number"], limit=query.limit, asOf=then, deleted=deleted)
        return answer(request, replace(reading, value=list(page)), glance, headers)

    @operation("Tasks of the caller, across projects", query=OwnTasksQuery, answer=list[OwnTask], links=True)
    async def own(self, request: web.Request) -> web.Response:
        """The caller's tasks, each with its `projectId`, the last changed first."""
        principal = self.access.principal(request)
        query = read_query(request, OwnTasksQuery)
        size = self.sizes.of(query)
        place = unpack_place(query.after, 3) if query.after is not None else None
        which = "all" if query.open is None else "open" if query.open else "closed"
        after = (place[0], place[1], place[2]) if place else None
        found = await self.derived.read(lambda: self.lists.of_assignee(principal.id, which, after, size + 1))
        page, more = cut([{"projectId": project_id, **task.record} for project_id, task in found], size)
        if not more:
            return json_response(list(page))
        last = page[-1]
        place_text = pack_place(last["updatedAt"], last["projectId"], last["id"])
        is_open = None if query.open is None else str(query.open).lower()
        headers = link_next("/v1/tasks", after=place_text, limit=query.limit, open=is_open)
        return json_response(list(page), headers=headers)


def _number(after: str | None) -> int:
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= 16 and int(after) <= INTEGER_MAX):
        raise refused("after: the number of a task", "after")
    return int(after)
