"""Builders of commands: timetravel.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import ProjectStream, Sending
from pantherahive_client.models import Day, Instant, Uuid
from pantherahive_client.outbox import Ack


class TimetravelBuilders(ProjectStream):
    """Commands: timetravel."""

    async def restore_task_to(
        self,
        task_id: Uuid,
        as_of: int | Instant | Day,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Makes a task what it was at `as_of`, by edits like any others, which can be undone together.

        Its fields, labels and assignees, the values of the project's own fields, its links and its place on the
        board are as they were then, and it is deleted or not as then. What was said about it stays, and so do its
        watchers. What cannot be had any more stays as it is: `left` in the ack names it (`milestoneId`, a link's id
        …; `assigneeIds` where people have left the project since, `recurrence` where the task came again and a
        later one has it).
        """
        data = {"taskId": task_id, "asOf": as_of}
        return await self.send("RestoreTaskTo", data, **sending)

    async def restore_project_to(
        self,
        as_of: int | Instant | Day,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Makes the content of the project what it was at `as_of`, by edits like any others, which can be undone
        together.

        What was made since is deleted, what was deleted since comes back, what was changed is changed back: the
        project's name, description, states and status, its milestones and fields, tasks with their order, links,
        and comments. Members, roles, invitations and visibility stay as they are, and so do reactions and watchers.
        One entry holds a limited amount: where `remaining` in the ack is not 0, the same command goes on under a
        new `opId`, and each of the entries is undone by itself. `left` names what cannot be as it was: `states`,
        where one opened or closed tasks then that are in it now as they were, so that they would be closed or
        opened behind their backs; `status`, where the project was archived then: who wants that archives it, which
        would refuse the undo; `assigneeIds`, where people have left the project since; a comment's id, where it was
        edited as often as may be.
        """
        data = {"asOf": as_of}
        return await self.send("RestoreProjectTo", data, **sending)
