"""Undo and redo: their commands, and the events that say which command was meant.

The changes themselves stand beside these events in the same entry, as ordinary events that every reader knows.
"""

from __future__ import annotations

from protocol.base import Seq, Uuid
from protocol.event import Command, Event


class UndoCommand(Command):
    """Takes back what the sender did with the command `opId`, whatever its age, from whichever device.

    Content can be taken back: changes of the project, tasks, links, milestones, fields, comments and reactions; not
    members, roles, invitations or the deletion of the project (`not_undoable`). What was set goes back to what it was
    before the command; labels, assignees and watchers that it added are removed, and the other way round. What it made
    is deleted, what it deleted comes back. Refused, as a `conflict` with the reason `changed_by_others`, where others
    have since changed the same fields or built on what was made: `fields` has both values with author and time,
    `dependents` what hangs on it. Permission is judged as for the command itself, by the sender's role now.
    """

    op_id: Uuid


class RedoCommand(Command):
    """Does again what `UndoCommand` took back; `opId` is that of the first command. Refused as an undo is."""

    op_id: Uuid


class CommandUndone(Event):
    """The other events of this entry take back what the entry `seq` did, which had this `opId`."""

    op_id: Uuid
    seq: Seq


class CommandRedone(Event):
    """The other events of this entry do again what the entry `seq` did, which had this `opId`."""

    op_id: Uuid
    seq: Seq
