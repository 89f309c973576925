"""Builders of commands: undo.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import ProjectStream, Sending
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class UndoBuilders(ProjectStream):
    """Commands: undo."""

    async def undo(
        self,
        op_id: Uuid,
        /,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Takes back what the sender did with the command `op_id`, whatever its age, from whichever device.

        Content can be taken back: changes of the project, tasks, links, milestones, fields, comments and reactions;
        not members, roles, invitations or the deletion of the project (`not_undoable`). What was set goes back to
        what it was before the command; labels, assignees and watchers that it added are removed, and the other way
        round. What it made is deleted, what it deleted comes back. Refused, as a `conflict` with the reason
        `changed_by_others`, where others have since changed the same fields or built on what was made: `fields` has
        both values with author and time, `dependents` what hangs on it. Permission is judged as for the command
        itself, by the sender's role now.
        """
        data = {"opId": op_id}
        return await self.send("UndoCommand", data, **sending)

    async def redo(
        self,
        op_id: Uuid,
        /,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Does again what `UndoCommand` took back; `op_id` is that of the first command. Refused as an undo is."""
        data = {"opId": op_id}
        return await self.send("RedoCommand", data, **sending)
