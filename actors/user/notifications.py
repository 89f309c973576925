"""The inbox: told by the server, read by its person on all devices at once, grouped by what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from actors.runtime.actor import Context, Decision, EntryMeta
from actors.user.access import NO_SUCH_STREAM, Outcome, may_read, refusal, refusal_of_server
from actors.user.limits import UserLimits
from actors.user.quiet import quiet_until
from actors.user.state import UserState
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.notifications import (
    CHANNELS,
    REASONS,
    Channel,
    MarkRead,
    NotificationGroup,
    NotificationsRead,
    NotificationView,
    NotificationWithheld,
    Notified,
    Notify,
    Reason,
    Source,
    Subject,
    Withheld,
)


def decide_notify(state: UserState, command: Notify, context: Context) -> Outcome:
    """Told, or withheld with the reason why: either is an entry, which is how it can be explained later."""
    refused = refusal_of_server(context)
    if refused is not None:
        return refused
    told = _told(state, command)
    if isinstance(told, str):
        withheld = NotificationWithheld(
            source=command.source, subject=command.subject, reasons=command.reasons, why=told
        )
        return Decision([withheld], context.principal.id, context.now)
    reasons, channels = told
    makes_noise = channels != ["inbox"]
    view: NotificationView = {
        "number": state.count + 1,
        "source": command.source,
        "subject": command.subject,
        "reasons": reasons,
        "actorId": command.actor_id,
        "at": context.now,
        "channels": channels,
        "quietUntil": quiet_until(state.preferences["quietHours"], context.now) if makes_noise else None,
    }
    return Decision([Notified(notification=view)], context.principal.id, context.now)


def _told(state: UserState, command: Notify) -> tuple[list[Reason], list[Channel]] | Withheld:
    """The reasons that the person wants to hear, with their channels."""
    preferences = state.preferences
    reasons: list[Reason] = list(command.reasons)
    if command.subject["projectId"] in preferences["mutedProjectIds"]:
        reasons = [reason for reason in reasons if reason == "mentioned"]
        if not reasons:
            return "projectMuted"
    wanted = [reason for reason in reasons if preferences["channels"][reason]]
    if not wanted:
        return "reasonOff"
    channels = {channel for reason in wanted for channel in preferences["channels"][reason]}
    return wanted, [channel for channel in CHANNELS if channel in channels]


def decide_mark_read(state: UserState, command: MarkRead, context: Context) -> Outcome:
    """The marker moves forward only, and never beyond what was told."""
    refused = refusal(state, context)
    if refused is not None:
        return refused
    wanted = command.up_to if "up_to" in command.model_fields_set else state.count
    up_to = min(wanted, state.count)
    events = [NotificationsRead(up_to=up_to, was=state.read_up_to)] if up_to > state.read_up_to else []
    return Decision(events, context.principal.id, context.now)


def evolve_notified(state: UserState, event: Notified, meta: EntryMeta, limits: UserLimits) -> None:
    state.count = event.notification["number"]
    state.inbox[state.count] = event.notification
    while len(state.inbox) > limits.inbox_notifications_max:
        del state.inbox[next(iter(state.inbox))]


def evolve_read(state: UserState, event: NotificationsRead, meta: EntryMeta) -> None:
    state.read_up_to = event.up_to


def list_groups(
    state: UserState, principal: Principal, before: int | None, limit: int
) -> tuple[Sequence[NotificationGroup], int, int] | Rejection:
    """Groups whose newest notification is older than number `before`, newest first; then unread count and marker."""
    if not may_read(state, principal):
        return NO_SUCH_STREAM
    groups = (group for group in _groups(state) if before is None or group["newest"]["number"] < before)
    return list(islice(groups, limit)), state.unread, state.read_up_to


def count_unread(state: UserState, principal: Principal) -> tuple[int, int] | Rejection:
    """How many are unread, and where the read marker stands."""
    return (state.unread, state.read_up_to) if may_read(state, principal) else NO_SUCH_STREAM


def tasks_told_of(state: UserState, principal: Principal, source: Source) -> Sequence[str] | Rejection:
    """Of which tasks the inbox tells because of an entry."""
    if not may_read(state, principal):
        return NO_SUCH_STREAM
    subjects = [one["subject"]["taskId"] for one in state.inbox.values() if one["source"] == source]
    return [task_id for task_id in subjects if task_id is not None]


def _groups(state: UserState) -> Iterable[NotificationGroup]:
    about: dict[tuple[str, str | None], list[NotificationView]] = {}
    for number in reversed(state.inbox):
        notification = state.inbox[number]
        about.setdefault(_key(notification["subject"]), []).append(notification)
    return (_group(notifications, state.read_up_to) for notifications in about.values())


def _key(subject: Subject) -> tuple[str, str | None]:
    return subject["projectId"], subject["taskId"]


def _group(notifications: Sequence[NotificationView], read_up_to: int) -> NotificationGroup:
    reasons = {reason for notification in notifications for reason in notification["reasons"]}
    return {
        "subject": {**notifications[0]["subject"], "commentId": None},
        "newest": notifications[0],
        "count": len(notifications),
        "unread": sum(notification["number"] > read_up_to for notification in notifications),
        "reasons": [reason for reason in REASONS if reason in reasons],
        "actorIds": list(dict.fromkeys(notification["actorId"] for notification in notifications)),
    }
