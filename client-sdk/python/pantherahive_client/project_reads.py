"""Reading one project over REST, now or as of a point of its past. It need not be open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pantherahive_client.exports import whole
from pantherahive_client.listing import Listing
from pantherahive_client.models import (
    ActivityItem,
    CommentView,
    Difference,
    FieldView,
    InvitationView,
    LinkView,
    ListedRole,
    MemberView,
    MilestoneView,
    ProjectView,
    TaskView,
    ThreadView,
    WireEntry,
)
from pantherahive_client.rest_reads import RestReads


class ProjectReads:
    """Records one by one, lists as `Listing`. `page_size` is how many items a page has; the server has its own limit.

    With `as_of`, a seq or a time (`2030-01-31`, `2030-01-31T12:00:00Z`), everything is as it was then; activity,
    invitations, entries and differences are not of a point in time and stay as they are.
    """

    def __init__(self, reader: RestReads, project_id: str, as_of: str | int | None = None) -> None:
        self.project_id = project_id
        self.as_of = as_of
        self._reader = reader
        self._path = f"/v1/projects/{project_id}"

    # ------------------------------------------------------------------ records

    async def project(self) -> ProjectView:
        """The project's own fields."""
        view: ProjectView = await self._one("")
        return view

    async def task(self, task_id: str) -> TaskView:
        """A task, a deleted one too."""
        view: TaskView = await self._one(f"/tasks/{task_id}")
        return view

    async def comment(self, comment_id: str) -> CommentView:
        """A comment with its edit history."""
        view: CommentView = await self._one(f"/comments/{comment_id}")
        return view

    async def link(self, link_id: str) -> LinkView:
        """A link between two tasks."""
        view: LinkView = await self._one(f"/links/{link_id}")
        return view

    async def milestone(self, milestone_id: str) -> MilestoneView:
        """A milestone."""
        view: MilestoneView = await self._one(f"/milestones/{milestone_id}")
        return view

    async def _one(self, path: str) -> Any:
        query = {"asOf": str(self.as_of)} if self.as_of is not None else None
        return (await self._reader.ask(self._path + path, query)).body

    # ------------------------------------------------------------------ lists

    def tasks(self, *, parent: str | None = None, page_size: int | None = None) -> Listing[TaskView]:
        """By number, without deleted ones. `parent` is a task's id for its subtasks, `none` for the top level."""
        return self._list("/tasks", page_size, parent=parent)

    def comments(self, task_id: str, *, page_size: int | None = None) -> Listing[ThreadView]:
        """The comments that began the threads of a task, each with the number of its replies."""
        return self._list(f"/tasks/{task_id}/comments", page_size)

    def replies(self, comment_id: str, *, page_size: int | None = None) -> Listing[CommentView]:
        """The replies in the thread that this comment began."""
        return self._list(f"/comments/{comment_id}/replies", page_size)

    def members(self, *, page_size: int | None = None) -> Listing[MemberView]:
        """By user id."""
        return self._list("/members", page_size)

    def links(self, *, task_id: str | None = None, page_size: int | None = None) -> Listing[LinkView]:
        """Of the project, or of one task."""
        return self._list("/links", page_size, taskId=task_id)

    def milestones(self, *, page_size: int | None = None) -> Listing[MilestoneView]:
        """In the order in which they were made."""
        return self._list("/milestones", page_size)

    def fields(self) -> Listing[FieldView]:
        """The fields of the project's own."""
        return self._list("/fields", None)

    def roles(self) -> Listing[ListedRole]:
        """Built-in ones and those of the project's own."""
        return self._list("/roles", None)

    def invitations(self, *, page_size: int | None = None) -> Listing[InvitationView]:
        """Those that can still be accepted; for who may invite."""
        return Listing(self._reader, f"{self._path}/invitations", {"limit": page_size})

    def _list(self, path: str, page_size: int | None, **query: object) -> Listing[Any]:
        return Listing(self._reader, self._path + path, {**query, "asOf": self.as_of, "limit": page_size})

    # ------------------------------------------------------------------ history

    def activity(
        self, *, task_id: str | None = None, about: str | None = None, page_size: int | None = None
    ) -> Listing[ActivityItem]:
        """What happened, newest first; of a task with its comments, or about any one object by its id."""
        path = f"/tasks/{task_id}/activity" if task_id is not None else "/activity"
        return Listing(self._reader, self._path + path, {"about": about, "limit": page_size})

    def entries(self, *, after: str | int | None = None, page_size: int | None = None) -> Listing[WireEntry]:
        """The log, from its beginning or after a cursor. Raises Conflict for a cursor of another history."""
        return Listing(self._reader, f"{self._path}/events", {"after": after, "limit": page_size}, "entries")

    def diff(
        self, since: str | int, until: str | int | None = None, *, page_size: int | None = None
    ) -> Listing[Difference]:
        """What is different between two points of the past; without `until` between one and now."""
        query = {"from": since, "to": until, "limit": page_size}
        return Listing(self._reader, f"{self._path}/diff", query, "changes")

    def export(self, *, entries: bool = True) -> AsyncIterator[dict[str, Any]]:
        """Every record, and every entry of the log unless `entries` is False: the lines of the export as they come.

        Raises Unreachable where it is cut off: then it is not whole.
        """
        query = {"entries": str(entries).lower()} | ({"asOf": str(self.as_of)} if self.as_of is not None else {})
        return whole(self._reader.lines(f"{self._path}/export", query), f"project/{self.project_id}")
