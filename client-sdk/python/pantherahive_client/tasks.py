"""Commands on tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.models import Recurrence
from pantherahive_client.outbox import Ack

Priority = Literal["urgent", "high", "medium", "low", "none"]


class TaskCommands(Commands):
    """Create, edit, delete and restore. Days are `YYYY-MM-DD`; assignees are user ids."""

    async def create_task(
        self,
        title: str,
        *,
        task_id: str | Unset = UNSET,
        description: str | Unset = UNSET,
        state_id: str | Unset = UNSET,
        priority: Priority | Unset = UNSET,
        labels: Sequence[str] | Unset = UNSET,
        assignee_ids: Sequence[str] | Unset = UNSET,
        start_date: str | Unset | None = UNSET,
        due_date: str | Unset | None = UNSET,
        estimate: float | Unset | None = UNSET,
        external_id: str | Unset | None = UNSET,
        parent_id: str | Unset | None = UNSET,
        milestone_id: str | Unset | None = UNSET,
        fields: Mapping[str, str | float | None] | Unset = UNSET,
        recurrence: Recurrence | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Adds a task; `ack.result` holds `taskId` and `key`. Without `state_id` it starts in the first state."""
        data = present(
            taskId=task_id,
            title=title,
            description=description,
            stateId=state_id,
            priority=priority,
            labels=labels,
            assigneeIds=assignee_ids,
            startDate=start_date,
            dueDate=due_date,
            estimate=estimate,
            externalId=external_id,
            parentId=parent_id,
            milestoneId=milestone_id,
            fields=fields,
            recurrence=recurrence,
        )
        return await self.send("CreateTask", data, **sending)

    async def edit_task(
        self,
        task_id: str,
        *,
        title: str | Unset = UNSET,
        description: str | Unset = UNSET,
        state_id: str | Unset = UNSET,
        priority: Priority | Unset = UNSET,
        start_date: str | Unset | None = UNSET,
        due_date: str | Unset | None = UNSET,
        estimate: float | Unset | None = UNSET,
        parent_id: str | Unset | None = UNSET,
        milestone_id: str | Unset | None = UNSET,
        fields: Mapping[str, str | float | None] | Unset = UNSET,
        recurrence: Recurrence | Unset | None = UNSET,
        add_labels: Sequence[str] | Unset = UNSET,
        remove_labels: Sequence[str] | Unset = UNSET,
        add_assignees: Sequence[str] | Unset = UNSET,
        remove_assignees: Sequence[str] | Unset = UNSET,
        add_watchers: Sequence[str] | Unset = UNSET,
        remove_watchers: Sequence[str] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are given (None clears); labels, assignees and watchers are added and removed.

        `fields` sets values of the project's own fields by their ids. Completing a task that recurs makes the next one,
        which `ack.result` names as `taskId` and `key`.
        """
        data = present(
            taskId=task_id,
            title=title,
            description=description,
            stateId=state_id,
            priority=priority,
            startDate=start_date,
            dueDate=due_date,
            estimate=estimate,
            parentId=parent_id,
            milestoneId=milestone_id,
            fields=fields,
            recurrence=recurrence,
            addLabels=add_labels,
            removeLabels=remove_labels,
            addAssignees=add_assignees,
            removeAssignees=remove_assignees,
            addWatchers=add_watchers,
            removeWatchers=remove_watchers,
        )
        return await self.send("EditTask", data, **sending)

    async def delete_task(self, task_id: str, **sending: Unpack[Sending]) -> Ack:
        """Leaves a tombstone; links and comments are hidden with the task until it is restored."""
        return await self.send("DeleteTask", {"taskId": task_id}, **sending)

    async def restore_task(self, task_id: str, **sending: Unpack[Sending]) -> Ack:
        """Brings a deleted task back, with its links, its comments and its place."""
        return await self.send("RestoreTask", {"taskId": task_id}, **sending)

    async def edit_tasks(self, edits: Sequence[Mapping[str, Any]], **sending: Unpack[Sending]) -> Ack:
        """Edits up to 200 tasks in one entry; each item has `taskId` and the fields of `EditTask` as in JSON.

        `ack.result["items"]` has a result per item: `{"taskId", "ok": True}` or `{"taskId", "error"}`. A refused item
        stops no other.
        """
        return await self.send("EditTasks", {"edits": [dict(edit) for edit in edits]}, **sending)
