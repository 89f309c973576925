"""Tasks over REST: those of a project, live or as of a point of the past, and a person's own across projects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from aiohttp import web
from pydantic import Field

from actors.project.tasks import list_tasks, view_task
from protocol.base import INTEGER_MAX, Message, Uuid
from protocol.tasks import CreateTask, DeleteTask, EditTask, OwnTask, RestoreTask, TaskView
from server.rest.access import Access, AsOfText, parse_as_of, path_id, read_query, refused
from server.rest.bodies import json_response
from server.rest.changes import Changes, body_of
from server.rest.derived import DerivedReads, TaskLists, tasks_across
from server.rest.min_seq import Asked, DerivedPageQuery
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, link_next, pack_place, unpack_place
from server.rest.project_views import Glance, ProjectViews, answer
from server.streams import Look


class TasksQuery(PageQuery):
    """A page of a project's tasks in the order of their numbers; `after` is the number of the last one seen.

    `deleted` is about the project, `isDeleted` about its tasks. `parent` asks for the subtasks of one task, or with
    `none` for the top level, where the subtasks of deleted tasks are too.
    """

    as_of: AsOfText | None = None
    deleted: bool = Field(
        default=False, description="About the project: true lets its owners read one that is deleted (not: its tasks)"
    )
    is_deleted: bool = Field(default=False, description="About the tasks: true lists the deleted ones, and only these")
    parent: Uuid | Literal["none"] | None = None


class TaskQuery(Message):
    """`asOf` a seq or a time."""

    as_of: AsOfText | None = None


class OwnTasksQuery(DerivedPageQuery):
    """`assignee` is `me`: nobody else's list is told. `open` absent: all, true: open, false: closed ones.

    `blocked` true: those that an open task blocks; false: those that none does, which somebody can work on.
    """

    assignee: Literal["me"] = "me"
    open: bool | None = None
    blocked: bool | None = None


_CreateBody = body_of(CreateTask)
_EditBody = body_of(EditTask, "task_id")


@dataclass(frozen=True, slots=True)
class TaskRoutes:
    """`/v1/projects/{id}/tasks`, one of them, and `/v1/tasks`."""

    access: Access
    views: ProjectViews
    lists: TaskLists
    derived: DerivedReads
    sizes: PageSizes
    changes: Changes

    def routes(self) -> list[web.RouteDef]:
        one = "/v1/projects/{projectId}/tasks/{taskId}"
        return [
            web.get("/v1/projects/{projectId}/tasks", self.of_project),
            web.post("/v1/projects/{projectId}/tasks", self.create),
            web.get(one, self.read),
            web.put(one, self.update),
            web.delete(one, self.delete),
            web.post(one + "/restore", self.restore),
            web.get("/v1/tasks", self.own),
        ]

    @operation(
        "Tasks of a project; with `isDeleted=true` its deleted ones",
        query=TasksQuery,
        answer=list[TaskView],
        etag=True,
        links=True,
    )
    async def of_project(self, request: web.Request) -> web.Response:
        """By number. Deleted tasks are left out; `isDeleted=true` lists them alone, each with its `key`, `title` and
        `deletedAt`. `deleted=true` is about the project: its owners read on in one that is deleted.
        """
        principal = self.access.principal(request)
        query = read_query(request, TasksQuery)
        size, after = self.sizes.of(query), _number(query.after)
        glance = Glance.of(request, principal, parse_as_of(query.as_of), deleted=query.deleted)
        reading = await self.views.read(glance, list_tasks, after, size + 1, query.parent, query.is_deleted)
        page, more = self.sizes.cut(reading.value, size)
        headers: dict[str, str] = {}
        if more:
            # All pages of a past state are of one state: the seq that the first one found.
            then = reading.cursor.seq if glance.as_of is not None else None
            deleted = "true" if query.deleted else None
            headers = link_next(
                request.path,
                after=page[-1]["number"],
                limit=query.limit,
                asOf=then,
                deleted=deleted,
                isDeleted="true" if query.is_deleted else None,
                parent=query.parent,
            )
        return answer(request, replace(reading, value=list(page)), glance, headers)

    @operation("A task", query=TaskQuery, answer=TaskView, etag=True)
    async def read(self, request: web.Request) -> web.Response:
        """A deleted task is shown too: its `deletedAt` says that it is one."""
        principal = self.access.principal(request)
        query = read_query(request, TaskQuery)
        glance = Glance.of(request, principal, parse_as_of(query.as_of))
        return answer(request, await self.views.read(glance, view_task, path_id(request, "taskId")), glance)

    @operation(
        "Adds a task", body=_CreateBody, answer=TaskView, status=201, located=True, conditional=True, tagged=True
    )
    async def create(self, request: web.Request) -> web.Response:
        """201 with the task."""
        done = await self.changes.send(request, CreateTask, _CreateBody, Look(view_task, made="taskId"))
        return await self.changes.answer(request, done, 201, f"{request.path}/{done[1].result['taskId']}")

    @operation("Changes a task", body=_EditBody, answer=TaskView, conditional=True, tagged=True)
    async def update(self, request: web.Request) -> web.Response:
        """Sets the fields that are present; labels and assignees are added and removed one by one."""
        task_id = path_id(request, "taskId")
        look = Look(view_task, (task_id,))
        return await self.changes.answer(
            request, await self.changes.send(request, EditTask, _EditBody, look, taskId=task_id)
        )

    @operation("Deletes a task", status=204, conditional=True)
    async def delete(self, request: web.Request) -> web.Response:
        """Leaves a tombstone, which can be read by its address and restored."""
        await self.changes.send_bare(request, DeleteTask, "taskId")
        return web.Response(status=204)

    @operation("Brings a deleted task back", answer=TaskView, conditional=True, tagged=True)
    async def restore(self, request: web.Request) -> web.Response:
        """With its links, its comments and its place."""
        look = Look(view_task, (path_id(request, "taskId"),))
        return await self.changes.answer(
            request, await self.changes.send_bare(request, RestoreTask, "taskId", look=look)
        )

    @operation(
        "Tasks of the caller, across projects", query=OwnTasksQuery, answer=list[OwnTask], links=True, derived=True
    )
    async def own(self, request: web.Request) -> web.Response:
        """The tasks that the caller is assigned to, of projects that they are a member of, each with its `projectId`,
        the last changed first.
        """
        principal = self.access.principal(request)
        query = read_query(request, OwnTasksQuery)
        size = self.sizes.of(query)
        place = unpack_place(query.after, 3) if query.after is not None else None
        which = "all" if query.open is None else "open" if query.open else "closed"
        after = (place[0], place[1], place[2]) if place else None
        listing = tasks_across(
            lambda after, limit, most: self.lists.of_assignee(principal.id, which, after, limit, most, query.blocked)
        )
        page = await self.derived.page(listing, after, size, Asked(principal, query.min_seq))
        flags = {"open": query.open, "blocked": query.blocked}
        told = {name: None if flag is None else str(flag).lower() for name, flag in flags.items()}
        link: dict[str, str] = {}
        if page.end is not None:
            place_after = pack_place(*page.end)
            link = link_next("/v1/tasks", after=place_after, limit=query.limit, minSeq=query.min_seq, **told)
        tasks = [{"projectId": project_id, **task.record} for project_id, task in page.rows]
        return json_response(tasks, headers={**page.headers, **link})


def _number(after: str | None) -> int:
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= 16 and int(after) <= INTEGER_MAX):
        raise refused("after: the number of a task", "after")
    return int(after)
