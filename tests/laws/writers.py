"""Who wrote what last, read from the log alone and without a line of the product's folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgpack

from protocol.log import Entry

Key = tuple[str, ...]
"""What, id, field, and for a set the item."""

_EDITED = {
    "TaskEdited": ("task", "taskId"),
    "MilestoneEdited": ("milestone", "milestoneId"),
    "FieldEdited": ("field", "fieldId"),
}
_MADE = {
    "TaskCreated": ("task", "task"),
    "MilestoneCreated": ("milestone", "milestone"),
    "FieldDefined": ("field", "field"),
    "LinkAdded": ("link", "link"),
}
_GONE = {
    "MilestoneDeleted": ("milestone", "milestoneId"),
    "FieldRemoved": ("field", "fieldId"),
    "LinkRemoved": ("link", "linkId"),
}
_LIFE = {
    "TaskDeleted": ("task", "taskId"),
    "TaskRestored": ("task", "taskId"),
    "CommentDeleted": ("comment", "commentId"),
    "CommentRestored": ("comment", "commentId"),
}
_SETS = {
    "labelsAdded": "labels",
    "labelsRemoved": "labels",
    "assigneesAdded": "assigneeIds",
    "assigneesRemoved": "assigneeIds",
}


class Writer(NamedTuple):
    """The entry that wrote something last."""

    author: str
    seq: int


def written_by(event: Any, author: str) -> Iterator[Key]:
    """What an event writes. New ranks of neighbours are nobody's wish."""
    kind, data = event["kind"], event["data"]
    if kind in _MADE:
        what, name = _MADE[kind]
        yield from ((what, data[name]["id"], field) for field in ("there", *data[name]))
        if what == "task":
            yield from ((what, data[name]["id"], "fields", field) for field in data[name]["fields"])
    elif kind in _EDITED:
        what, name = _EDITED[kind]
        yield from ((what, data[name], field) for field in data["changes"])
        for moves, field in _SETS.items():
            yield from ((what, data[name], field, item) for item in data.get(moves, ()))
    elif kind in _GONE:
        what, name = _GONE[kind]
        yield what, data[name], "there"
    elif kind in _LIFE:
        what, name = _LIFE[kind]
        yield what, data[name], "deletedAt"
    else:
        yield from _others(kind, data, author)


def _others(kind: str, data: Any, author: str) -> Iterator[Key]:
    match kind:
        case "ProjectEdited":
            yield from (("project", "", field) for field in data["changes"])
        case "TaskRecurred":
            yield "task", data["taskId"], "recurrence"
        case "FieldValuesSet":
            yield from (("task", data["taskId"], "fields", field) for field in data["values"])
        case "WatchersChanged":
            people = [*data.get("added", ()), *data.get("removed", ())]
            yield from (("task", data["taskId"], "watcherIds", person) for person in people)
        case "CommentAdded" | "CommentEdited":
            yield "comment", data["commentId"], "body"
        case "ReactionAdded" | "ReactionRemoved":
            yield "comment", data["commentId"], "reactions", data["emoji"], author
        case _:
            return


def _values_of(event: Any) -> Mapping[Key, Any]:
    """What an event writes into what an undo can bring back whole: milestones, fields and the tasks' values of them."""
    kind, data = event["kind"], event["data"]
    if kind == "TaskCreated":
        task = data["task"]
        return {("task", task["id"], "fields", field): value for field, value in task["fields"].items()}
    if kind == "FieldValuesSet":
        return {("task", data["taskId"], "fields", field): value for field, value in data["values"].items()}
    if kind in ("MilestoneCreated", "FieldDefined"):
        what, name = _MADE[kind]
        return {(what, data[name]["id"], field): value for field, value in data[name].items()}
    if kind in ("MilestoneEdited", "FieldEdited"):
        what, name = _EDITED[kind]
        return {(what, data[name], field): value for field, value in data["changes"].items()}
    return {}


class LastWriters:
    """Follows a log."""

    def __init__(self) -> None:
        self.of: dict[Key, Writer] = {}
        # What was written; of what is gone too, so that who brings it back as it was is not taken for its writer.
        self._values: dict[Key, Any] = {}
        # Comment → task and the comment that it answers; link → its tasks; task → its parent and its milestone.
        self.hangs_on: dict[tuple[str, str], set[tuple[str, str]]] = {}

    def take(self, entry: Entry) -> None:
        """One entry more."""
        for event in msgpack.unpackb(entry.payload)["events"]:
            values = _values_of(event)
            for key in written_by(event, entry.author):
                if key not in values or key not in self.of or self._values.get(key) != values[key]:
                    self.of[key] = Writer(entry.author, entry.seq)
            self._values |= values
            self._hang(event["kind"], event["data"])

    def _hang(self, kind: str, data: Any) -> None:
        match kind:
            case "CommentAdded":
                answered = [("comment", one) for one in (data["threadId"], data["replyTo"]) if one is not None]
                self.hangs_on["comment", data["commentId"]] = {("task", data["taskId"]), *answered}
            case "LinkAdded":
                link = data["link"]
                self.hangs_on["link", link["id"]] = {("task", link["taskId"]), ("task", link["otherId"])}
            case "LinkRemoved":
                self.hangs_on.pop(("link", data["linkId"]), None)
            case _:
                return

    def foreign(self, author: str, since: int) -> set[Key]:
        """What others have written after an entry."""
        return {key for key, writer in self.of.items() if writer.author != author and writer.seq > since}
