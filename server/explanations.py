"""Why somebody was, or was not, told of an entry: read from the entry itself and from the person's own log."""

from __future__ import annotations

from typing import Any

from actors.ports import Journal
from actors.project.notices import WATCHERS_HEAR_OF
from actors.project.projects import view_project
from actors.project.state import is_imported
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.log import Entry
from protocol.messages import decode_event, unpack_payload
from protocol.notifications import Explanation, NotificationWithheld, Notified, Source, Why
from server.consumers.notifier import notification_op_id
from server.streams import Streams, granted

_NO_ENTRY = Rejection(ErrorCode.NOT_FOUND, "there is no such entry")
_IN_WORDS: dict[Why, str] = {
    "told": "you were told of it",
    "projectMuted": "you have muted this project, and you were not mentioned",
    "reasonOff": "you have turned off all channels for these reasons",
    "ownAction": "you did it yourself",
    "history": "it was imported, and nobody is told of history",
    "quietKind": "watchers are not told of changes of this kind, and it did not newly mention or assign you",
    "notConcerned": "it did not mention, assign or answer you, nor did you watch its task; or you were no member then",
    "notYet": "it concerns you, and you will be told in a moment",
}


class Explanations:
    """Answers for people who may read the project now; for others there is no such entry."""

    def __init__(self, journal: Journal, streams: Streams) -> None:
        self._journal = journal
        self._streams = streams

    async def explain(self, source: Source, user_id: str, principal: Principal) -> Explanation:
        """Raises Rejected, and StorageFault while the log cannot be read."""
        granted(await self._streams.read(source["stream"], view_project, principal))
        entries = await self._journal.read(source["stream"], source["seq"] - 1, 1)
        if not entries or entries[0].seq != source["seq"]:
            raise Rejected(_NO_ENTRY)
        [entry] = entries
        told = await self._told(entry, user_id)
        if told is not None:
            return _explained(source, told)
        notice = next((notice for notice in unpack_payload(entry.payload).notices if notice["userId"] == user_id), None)
        if notice is not None:
            return _explanation(source, "notYet", notice["reasons"])
        return _explanation(source, _why_not(entry, user_id), [])

    async def _told(self, entry: Entry, user_id: str) -> Notified | NotificationWithheld | None:
        """What became of it in the person's own stream."""
        op = (f"user/{user_id}", notification_op_id(entry.stream, entry.seq, user_id))
        found = (await self._journal.find_ops([op])).get(op)
        if found is None:
            return None
        for event in map(decode_event, unpack_payload(found.payload).events):
            if isinstance(event, Notified | NotificationWithheld):
                return event
        return None


def _why_not(entry: Entry, user_id: str) -> Why:
    if entry.author == user_id:
        return "ownAction"
    if is_imported(entry.author):
        return "history"
    kinds = {event["kind"] for event in unpack_payload(entry.payload).events}
    return "quietKind" if kinds and kinds.isdisjoint(WATCHERS_HEAR_OF) else "notConcerned"


def _explained(source: Source, event: Notified | NotificationWithheld) -> Explanation:
    if isinstance(event, NotificationWithheld):
        return _explanation(source, event.why, [*event.reasons])
    notification = event.notification
    return {
        **_explanation(source, "told", [*notification["reasons"]]),
        "number": notification["number"],
        "channels": [*notification["channels"]],
        "quietUntil": notification["quietUntil"],
    }


def _explanation(source: Source, why: Why, reasons: list[Any]) -> Explanation:
    return {"source": source, "why": why, "message": _IN_WORDS[why], "reasons": reasons}
