"""Why somebody was, or was not, told of an entry: read from the entry itself and from the person's own log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actors.ports import Journal
from actors.project.notices import WATCHERS_HEAR_OF
from actors.project.projects import view_project
from actors.project.state import is_imported
from actors.user.notifications import tasks_told_of
from protocol.activity import NOT_TOLD, named_objects
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.log import Entry
from protocol.messages import decode_event, unpack_payload
from protocol.notifications import (
    CHANNELS,
    REASONS,
    Explanation,
    NotificationView,
    NotificationWithheld,
    Notified,
    Reason,
    Source,
    Why,
)
from server.consumers.notifier import NamedNotice, named_notices, notification_op_id
from server.streams import Streams, granted

_Outcome = Notified | NotificationWithheld
_NO_ENTRY = Rejection(ErrorCode.NOT_FOUND, "there is no such entry")
_IN_WORDS: dict[Why, str] = {
    "told": "you were told of it",
    "projectMuted": "you have muted this project, and you were not mentioned",
    "reasonOff": "you have turned off all channels for these reasons",
    "ownAction": "you did it yourself",
    "history": "it was imported, and nobody is told of history",
    "quietKind": "watchers are not told of changes of this kind, and it did not newly mention or assign you",
    "notConcerned": "it did not mention, assign or answer you, nor did you watch its task; or the task was deleted, or "
    "you were no member, then",
    "notYet": "it concerns you, and you will be told in a moment",
}


@dataclass(frozen=True, slots=True)
class Question:
    """Why was this person, or were they not, told of this entry? `task_id`: of what it did to that task."""

    source: Source
    user_id: str
    task_id: str | None = None


class Explanations:
    """Answers for people who may read the project now. For others there is no such entry, but what their own stream
    says of it, which they may read all the same."""

    def __init__(self, journal: Journal, streams: Streams) -> None:
        self._journal = journal
        self._streams = streams

    async def explain(self, question: Question, principal: Principal) -> Explanation:
        """Raises Rejected, and StorageFault while the log cannot be read."""
        source = question.source
        seen = await self._streams.read(source["stream"], view_project, principal)
        if isinstance(seen, Rejection):
            return await self._remembered(question, principal, seen)
        entry = await self._entry(source)
        if entry is None:
            raise Rejected(_NO_ENTRY)
        concerned = _concerning(question, entry)
        outcomes = await self._outcomes(question.user_id, [op_id for op_id, _ in concerned])
        waiting = [notice for op_id, notice in concerned if op_id not in outcomes]
        if outcomes and (not waiting or any(isinstance(outcome, Notified) for outcome in outcomes.values())):
            return _explained(source, list(outcomes.values()))
        if waiting:
            return _explanation(source, "notYet", (reason for notice in waiting for reason in notice["reasons"]))
        return _explanation(source, _why_not(entry, question), [])

    async def _remembered(self, question: Question, principal: Principal, refused: Rejection) -> Explanation:
        """What the person's own stream says, for themself, of a project that is not to be seen by them any more."""
        if principal.id != question.user_id or refused.code is not ErrorCode.NOT_FOUND:
            raise Rejected(refused)
        op_ids = await self._possible_op_ids(question, principal)
        outcomes = (await self._outcomes(question.user_id, op_ids)).values()
        told = [outcome for outcome in outcomes if question.task_id in (None, _task_of(outcome))]
        if not told:
            raise Rejected(refused)
        return _explained(question.source, told)

    async def _possible_op_ids(self, question: Question, principal: Principal) -> Sequence[str]:
        """Under which the person may have been told: an entry that is erased has no notices, the inbox still has."""
        source, user_id = question.source, question.user_id
        entry = await self._entry(source)
        named = [op_id for op_id, notice in named_notices(entry) if notice["userId"] == user_id] if entry else []
        inbox = granted(await self._streams.read(f"user/{user_id}", tasks_told_of, principal, source)).value
        derived = [
            notification_op_id(source["stream"], source["seq"], user_id, task_id)
            for task_id in (None, question.task_id, *inbox)
        ]
        return list(dict.fromkeys((*named, *derived)))

    async def _entry(self, source: Source) -> Entry | None:
        entries = await self._journal.read(source["stream"], source["seq"] - 1, 1)
        return entries[0] if entries and entries[0].seq == source["seq"] else None

    async def _outcomes(self, user_id: str, op_ids: Sequence[str]) -> Mapping[str, _Outcome]:
        """opId → what became of it in the person's own stream; in the order asked for."""
        stream = f"user/{user_id}"
        found = await self._journal.find_ops([(stream, op_id) for op_id in op_ids])
        outcomes: dict[str, _Outcome] = {}
        for op_id in op_ids:
            if (entry := found.get((stream, op_id))) is None:
                continue
            for event in map(decode_event, unpack_payload(entry.payload).events):
                if isinstance(event, Notified | NotificationWithheld):
                    outcomes[op_id] = event
        return outcomes


def _concerning(question: Question, entry: Entry) -> Sequence[NamedNotice]:
    """The person's notices in the entry. One about the project as such stands for every task of the entry that they
    have no notice of its own of."""
    mine = [named for named in named_notices(entry) if named.notice["userId"] == question.user_id]
    if question.task_id is None:
        return mine
    of_task = [named for named in mine if named.notice["taskId"] == question.task_id]
    if of_task or not _kinds(entry, question.task_id):
        return of_task
    return [named for named in mine if named.notice["taskId"] is None]


def _kinds(entry: Entry, task_id: str | None) -> set[str]:
    """The kinds of the entry's events, of those about the task alone where there is one.

    An event that names a comment but no task may be about any.
    """
    events = [event for event in unpack_payload(entry.payload).events if event["kind"] not in NOT_TOLD]
    return {event["kind"] for event in events if task_id is None or _is_about(task_id, event["data"])}


def _is_about(task_id: str, data: Mapping[str, Any]) -> bool:
    return task_id in named_objects(data) or ("commentId" in data and "taskId" not in data)


def _task_of(outcome: _Outcome) -> str | None:
    subject = outcome.notification["subject"] if isinstance(outcome, Notified) else outcome.subject
    return subject["taskId"]


def _why_not(entry: Entry, question: Question) -> Why:
    if entry.author == question.user_id:
        return "ownAction"
    if is_imported(entry.author):
        return "history"
    kinds = _kinds(entry, question.task_id)
    return "quietKind" if kinds and kinds.isdisjoint(WATCHERS_HEAR_OF) else "notConcerned"


def _explained(source: Source, outcomes: Sequence[_Outcome]) -> Explanation:
    """Told where anything was told; else withheld, for the reason that held back what concerned the person most."""
    told = [outcome.notification for outcome in outcomes if isinstance(outcome, Notified)]
    if told:
        return _told(source, told)
    withheld = [outcome for outcome in outcomes if isinstance(outcome, NotificationWithheld)]
    strongest = min(withheld, key=lambda one: REASONS.index(one.reasons[0]))
    return _explanation(source, strongest.why, (reason for one in withheld for reason in one.reasons))


def _told(source: Source, notifications: Sequence[NotificationView]) -> Explanation:
    channels = {channel for one in notifications for channel in one["channels"]}
    return {
        **_explanation(source, "told", (reason for one in notifications for reason in one["reasons"])),
        "number": max(one["number"] for one in notifications),
        "channels": [channel for channel in CHANNELS if channel in channels],
        "quietUntil": max((one["quietUntil"] for one in notifications if one["quietUntil"] is not None), default=None),
    }


def _explanation(source: Source, why: Why, reasons: Iterable[Reason]) -> Explanation:
    given = set(reasons)
    in_order = [reason for reason in REASONS if reason in given]
    return {"source": source, "why": why, "message": _IN_WORDS[why], "reasons": in_order}
