"""Builders of commands: tasks.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import Day, EditTask, Recurrence, Uuid
from pantherahive_client.outbox import Ack


class TaskBuilders(ProjectStream):
    """Commands: tasks."""

    async def create_task(
        self,
        title: str,
        *,
        task_id: Uuid | Unset = UNSET,
        description: str | Unset = UNSET,
        state_id: str | Unset = UNSET,
        priority: Literal["urgent", "high", "medium", "low", "none"] | Unset = UNSET,
        labels: Sequence[str] | Unset = UNSET,
        assignee_ids: Sequence[str] | Unset = UNSET,
        start_date: Day | Unset | None = UNSET,
        due_date: Day | Unset | None = UNSET,
        estimate: float | Unset | None = UNSET,
        external_id: str | Unset | None = UNSET,
        parent_id: Uuid | Unset | None = UNSET,
        milestone_id: Uuid | Unset | None = UNSET,
        fields: Mapping[str, str | float | None] | Unset = UNSET,
        recurrence: Recurrence | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Adds a task. Without `state_id` it starts in the project's first state; the id may come from the client.

        `external_id` must be free in the project: `already_exists` names the task that has it (`task_id`).
        `due_date` must not lie before `start_date`, unless the command carries an origin: history is taken as it
        was. `parent_id` makes it a subtask of a task that is not deleted.
        """
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
        task_id: Uuid,
        *,
        title: str | Unset = UNSET,
        description: str | Unset = UNSET,
        state_id: str | Unset = UNSET,
        priority: Literal["urgent", "high", "medium", "low", "none"] | Unset = UNSET,
        start_date: Day | Unset | None = UNSET,
        due_date: Day | Unset | None = UNSET,
        estimate: float | Unset | None = UNSET,
        parent_id: Uuid | Unset | None = UNSET,
        milestone_id: Uuid | Unset | None = UNSET,
        fields: Mapping[str, str | float | None] | Unset = UNSET,
        recurrence: Recurrence | Unset | None = UNSET,
        add_labels: Sequence[str] | Unset = UNSET,
        remove_labels: Sequence[str] | Unset = UNSET,
        add_assignees: Sequence[str] | Unset = UNSET,
        remove_assignees: Sequence[str] | Unset = UNSET,
        add_watchers: Sequence[Uuid] | Unset = UNSET,
        remove_watchers: Sequence[Uuid] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are present; labels and assignees are added and removed one by one.

        In another state the task stands behind all others. An edit that moves a day is refused when `due_date`
        would then lie before `start_date`. `parent_id` is refused when it would close a cycle of blocking,
        preceding and subtasks: the reason `cycle` comes with the tasks on it. To complete a task that has a
        `recurrence` creates the next one in the same entry, and the recurrence moves to it.
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

    async def edit_tasks(
        self,
        edits: Sequence[EditTask],
        **sending: Unpack[Sending],
    ) -> Ack:
        """Edits many tasks, each as `EditTask` would, in one entry.

        The ack has a result per item in their order: `items: [{taskId, ok: true} | {taskId, error}]`. A refused
        item stops no other. A `base` is judged for each by itself. One that cannot be read refuses the command,
        which says what is wrong with the first of them. All items together have at most 2,000 labels, people and
        values of fields.
        """
        data = {"edits": edits}
        return await self.send("EditTasks", data, **sending)

    async def delete_task(
        self,
        task_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Leaves a tombstone. Its key, its external id and its place stay taken; its links and comments are hidden.

        Subtasks stay, and keep their parent: boards show them at the top level until it is restored.
        """
        data = {"taskId": task_id}
        return await self.send("DeleteTask", data, **sending)

    async def restore_task(
        self,
        task_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Brings a deleted task back, with links, comments and place; into another state, where its own is gone.

        Its recurrence stays with another task of the series where that one has it by now.
        """
        data = {"taskId": task_id}
        return await self.send("RestoreTask", data, **sending)
