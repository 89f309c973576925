"""Notifications: a person's inbox, its messages and its records of state."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, Field, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Integer, PersonId, Seq, StreamName, Unique, Uuid, absent
from protocol.event import Command, Event

Reason = Literal["mentioned", "assigned", "replied", "watched", "dueSoon"]
"""`watched`: something happened to a task that the person watches, or somebody said something about one of theirs."""
Channel = Literal["inbox", "email", "push"]
Withheld = Literal["projectMuted", "reasonOff"]

REASONS: tuple[Reason, ...] = ("mentioned", "assigned", "replied", "watched", "dueSoon")
"""The strongest first: the first of a notification's reasons is the one to show."""

CHANNELS: tuple[Channel, ...] = ("inbox", "email", "push")


def _in_order(reasons: list[Reason]) -> list[Reason]:
    return sorted(reasons, key=REASONS.index)


Reasons = Annotated[list[Reason], Field(min_length=1, max_length=len(REASONS)), Unique(), AfterValidator(_in_order)]
Number = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1)]


@with_config(VIEW_CONFIG)
class Source(TypedDict):
    """The entry that somebody is told of. Whoever may not read its stream any more finds nothing there."""

    stream: StreamName
    seq: Seq


@with_config(VIEW_CONFIG)
class Subject(TypedDict):
    """What it is about: ids only, so that names are read where they are still allowed and right."""

    projectId: Uuid
    taskId: Uuid | None
    commentId: Uuid | None


@with_config(VIEW_CONFIG)
class NotificationView(TypedDict):
    """One line of the inbox. `number` counts a person's notifications without gaps: those above the read marker are
    unread. `channels` are where it goes; `quietUntil` is when those that make a noise may, null for at once."""

    number: Number
    source: Source
    subject: Subject
    reasons: Reasons
    actorId: PersonId
    at: Instant
    channels: list[Channel]
    quietUntil: Instant | None


@with_config(VIEW_CONFIG)
class NotificationGroup(TypedDict):
    """The notifications about one task (or one project as such), newest first by their newest."""

    subject: Subject
    newest: NotificationView
    count: Integer
    unread: Integer
    reasons: Reasons
    actorIds: list[PersonId]


@with_config(VIEW_CONFIG)
class ReadMarker(TypedDict):
    """How many notifications are unread, and up to which number all are read."""

    unread: Integer
    readUpTo: Integer


@with_config(VIEW_CONFIG)
class Inbox(ReadMarker):
    """A page of groups; `cursor` is where the person's stream stands."""

    items: list[NotificationGroup]
    cursor: str


Why = Literal["told", "projectMuted", "reasonOff", "ownAction", "history", "quietKind", "notConcerned", "notYet"]


@with_config(VIEW_CONFIG)
class Explanation(TypedDict):
    """`why` is stable; `message` says it in words. `reasons` are those for which the person was, or was to be, told.

    An entry that concerns the person in several tasks tells them of each, or of the project as such, which stands for
    all tasks that they are not told of singly: it is answered for all at once, unless
    `taskId` asks about one. `told` where anything was told; `reasons` and `channels` are then those of all that was
    told, `number` is that of the newest notification and `quietUntil` the latest.
    """

    source: Source
    why: Why
    message: str
    reasons: list[Reason]
    number: NotRequired[Number]
    channels: NotRequired[list[Channel]]
    quietUntil: NotRequired[Instant | None]


class Notify(Command):
    """Tells the person of an entry, once per task that concerns them there, or once for many. Only the server sends it.

    Its `opId` derives from source and person, and from the task beyond the person's first one in the entry.
    """

    source: Source
    subject: Subject
    reasons: Reasons
    actor_id: PersonId


class MarkRead(Command):
    """Moves the read marker, on all of the person's devices. Without `upTo`: everything there is now.

    The marker only moves forward; a lower `upTo` changes nothing.
    """

    up_to: Number = absent()


class Notified(Event):
    """The person has one notification more."""

    notification: NotificationView


class NotificationWithheld(Event):
    """The person was to be told and did not want to be; kept so that it can be explained."""

    source: Source
    subject: Subject
    reasons: Reasons
    why: Withheld


class NotificationsRead(Event):
    """The read marker stands at `upTo` now; it stood at `was`."""

    up_to: Seq
    was: Seq
