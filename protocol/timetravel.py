"""Differences between two points of a project's past, and the way back to one of them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, Field, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Day, Instant, Seq, ShortText, Uuid, day_begins
from protocol.event import Command, Event
from protocol.wire import CursorText

AsOf = Seq | Instant | Annotated[Day, AfterValidator(day_begins)]
"""A point of the past: an entry, or a time (a day is its first moment in UTC). A time means the last content that is
not later, by the content's own time, and what else (members, roles, watchers, a deletion) had come by then."""


@with_config(VIEW_CONFIG)
class FieldDifference(TypedDict):
    """A field's two values."""

    was: Any
    now: Any


@with_config(VIEW_CONFIG)
class Difference(TypedDict):
    """What became of one record: `record` of one that was added or removed, `fields` of one that was changed."""

    collection: str
    id: str
    change: Literal["added", "removed", "changed"]
    record: NotRequired[dict[str, Any]]
    fields: NotRequired[dict[str, FieldDifference]]


ProjectDiff = TypedDict("ProjectDiff", {"from": CursorText, "to": CursorText, "changes": list[Difference]})
"""A page of the differences between two points."""


LEFT_MAX: Final = 1000
"""Names of what could not be restored; there are no more than a task has links and fields."""


class RestoreTaskTo(Command):
    """Makes a task what it was at `asOf`, by edits like any others, which can be undone together.

    Its fields, labels and assignees, the values of the project's own fields, its links and its place on the board are
    as they were then, and it is deleted or not as then. What was said about it stays, and so do its watchers. What
    cannot be had any more stays as it is: `left` in the ack names it (`milestoneId`, a link's id …; `assigneeIds` where
    people have left the project since, `recurrence` where the task came again and a later one has it).
    """

    task_id: Uuid
    as_of: AsOf


class RestoreProjectTo(Command):
    """Makes the content of the project what it was at `asOf`, by edits like any others, which can be undone together.

    What was made since is deleted, what was deleted since comes back, what was changed is changed back: the project's
    name, description, states and status, its milestones and fields, tasks with their order, links, and comments.
    Members, roles, invitations and visibility stay as they are, and so do reactions and watchers. One entry holds a
    limited amount: where `remaining` in the ack is not 0, the same command goes on under a new `opId`, and each of the
    entries is undone by itself. `left` names what cannot be as it was: `states`, where one opened or closed tasks then
    that are in it now as they were, so that they would be closed or opened behind their backs; `status`, where the
    project was archived then: who wants that archives it, which would refuse the undo; `assigneeIds`, where people have
    left the project since; a comment's id, where it was edited as often as may be.
    """

    as_of: AsOf


class TaskRestoredTo(Event):
    """The other events of this entry made the task what it was as of `seq`. `left` names what is not as it was then."""

    task_id: Uuid
    seq: Seq
    left: Annotated[list[ShortText], Field(max_length=LEFT_MAX)] = Field(default_factory=list)


class ProjectRestoredTo(Event):
    """The other events of this entry brought the project towards what it was as of `seq`.

    `remaining` is how many pieces are still to come at most: 0 says that it is there, but for what `left` names, and
    anything else that the same command would change something more.
    """

    seq: Seq
    remaining: Seq
    left: Annotated[list[ShortText], Field(max_length=LEFT_MAX)] = Field(default_factory=list)
