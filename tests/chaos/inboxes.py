"""What a log implies for everybody's inbox: a fold that knows nothing of the product's own judgement of it.

Mentions are read from the texts, members and watchers from the events; whoever is told twice, wrongly or not at all is
named.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tests.chaos.history import LogEntry

ORDER: Final = ("mentioned", "assigned", "replied", "watched", "dueSoon")
_AT: Final = re.compile(r"@([a-z]+[0-9]+)")


class Told(NamedTuple):
    """One line of an inbox: because of which entry, why, and what about."""

    stream: str
    seq: int
    reasons: tuple[str, ...]
    task_id: str | None
    comment_id: str | None
    actor: str


@dataclass(slots=True)
class _Board:
    """As much of a project as decides who is told."""

    members: set[str] = field(default_factory=set)
    # Task → people.
    assignees: dict[str, list[str]] = field(default_factory=dict)
    watchers: dict[str, list[str]] = field(default_factory=dict)
    # Comment → (author, task).
    comments: dict[str, tuple[str, str]] = field(default_factory=dict)


def implied(entries: Iterable[LogEntry], ids: Mapping[str, str]) -> dict[str, Counter[Told]]:
    """User → what they have to be told by the projects' entries. `ids` are those of the user names in texts."""
    boards: defaultdict[str, _Board] = defaultdict(_Board)
    told: defaultdict[str, Counter[Told]] = defaultdict(Counter)
    for entry in sorted(entries, key=lambda one: (one.stream, one.seq)):
        if not entry.stream.startswith("project/"):
            continue
        board = boards[entry.stream]
        for event in entry.wire["events"]:
            _take(board, event["kind"], event["data"], entry.wire["author"])
        for person, line in _lines(board, entry, ids):
            told[person][line] += 1
    return dict(told)


def _take(board: _Board, kind: str, data: Mapping[str, Any], author: str) -> None:
    match kind:
        case "MemberAdded":
            board.members.add(data["userId"])
        case "MemberRemoved":
            board.members.discard(data["userId"])
        case "TaskCreated":
            task = data["task"]
            board.assignees[task["id"]] = list(task["assigneeIds"])
            board.watchers[task["id"]] = list(task.get("watcherIds", ()))
        case "TaskEdited":
            _change(board.assignees[data["taskId"]], data.get("assigneesAdded"), data.get("assigneesRemoved"))
        case "WatchersChanged":
            _change(board.watchers[data["taskId"]], data["added"], data["removed"])
        case "CommentAdded":
            board.comments[data["commentId"]] = (author, data["taskId"])
        case _:
            return  # changes nothing about who is told


def _change(people: list[str], added: Sequence[str] | None, removed: Sequence[str] | None) -> None:
    people[:] = [*(one for one in people if one not in (removed or ())), *(added or ())]


def _lines(board: _Board, entry: LogEntry, ids: Mapping[str, str]) -> Iterator[tuple[str, Told]]:
    author = entry.wire["author"]
    # Person and task → reasons, and the comment that the first of them was about.
    reasons: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
    about: dict[tuple[str, str | None], str | None] = {}
    for event in entry.wire["events"]:
        for person, reason, task_id, comment_id in _concerned(board, event["kind"], event["data"], ids):
            if person != author and person in board.members:
                reasons[person, task_id].add(reason)
                about.setdefault((person, task_id), comment_id)
    for (person, task_id), why in reasons.items():
        in_order, comment_id = tuple(sorted(why, key=ORDER.index)), about[person, task_id]
        yield person, Told(entry.stream, entry.seq, in_order, task_id, comment_id, author)


def _concerned(
    board: _Board, kind: str, data: Mapping[str, Any], ids: Mapping[str, str]
) -> Iterator[tuple[str, str, str | None, str | None]]:
    match kind:
        case "TaskCreated":
            yield from ((person, "assigned", data["task"]["id"], None) for person in data["task"]["assigneeIds"])
        case "TaskEdited":
            task_id = data["taskId"]
            yield from ((person, "assigned", task_id, None) for person in data.get("assigneesAdded") or ())
            yield from ((person, "watched", task_id, None) for person in board.watchers[task_id])
        case "FieldValuesSet" | "TaskDeleted" | "TaskRestored":
            yield from ((person, "watched", data["taskId"], None) for person in board.watchers[data["taskId"]])
        case "CommentAdded":
            task_id, comment_id = data["taskId"], data["commentId"]
            yield from ((person, "mentioned", task_id, comment_id) for person in _named(data["body"], ids))
            for answered in (data.get("replyTo"), data.get("threadId")):
                if answered is not None:
                    yield board.comments[answered][0], "replied", task_id, comment_id
            for person in (*board.watchers[task_id], *board.assignees[task_id]):
                yield person, "watched", task_id, comment_id
        case "CommentEdited":
            _, task_id = board.comments[data["commentId"]]
            newly = _named(data["body"], ids) - _named(data["was"], ids)
            yield from ((person, "mentioned", task_id, data["commentId"]) for person in newly)
        case _:
            return  # tells nobody


def _named(body: str, ids: Mapping[str, str]) -> set[str]:
    return {ids[name] for name in _AT.findall(body) if name in ids}


@dataclass(slots=True)
class Inbox:
    """A person's own stream, as the log has it."""

    told: Counter[Told] = field(default_factory=Counter)
    count: int = 0
    read_up_to: int = 0
    # What is wrong with the stream in itself.
    wrong: list[str] = field(default_factory=list)

    @property
    def unread(self) -> int:
        """How many are above the read marker."""
        return self.count - self.read_up_to


def inboxes(entries: Iterable[LogEntry]) -> dict[str, Inbox]:
    """User → inbox."""
    found: defaultdict[str, Inbox] = defaultdict(Inbox)
    for entry in sorted(entries, key=lambda one: (one.stream, one.seq)):
        kind, _, user_id = entry.stream.partition("/")
        if kind == "user":
            for event in entry.wire["events"]:
                _read(found[user_id], event["kind"], event["data"])
    return dict(found)


def _read(inbox: Inbox, kind: str, data: Mapping[str, Any]) -> None:
    match kind:
        case "Notified":
            one = data["notification"]
            source, subject = one["source"], one["subject"]
            if source["stream"] != f"project/{subject['projectId']}":
                inbox.wrong.append(f"the subject of {source} is in another project")
            inbox.count += 1
            if one["number"] != inbox.count:
                inbox.wrong.append(f"number {one['number']} comes as the {inbox.count}th")
            line = (tuple(one["reasons"]), subject["taskId"], subject["commentId"], one["actorId"])
            inbox.told[Told(source["stream"], source["seq"], *line)] += 1
        case "NotificationsRead":
            if not inbox.read_up_to < data["upTo"] <= inbox.count:
                inbox.wrong.append(f"the read marker goes from {inbox.read_up_to} to {data['upTo']} of {inbox.count}")
            inbox.read_up_to = data["upTo"]
        case _:
            inbox.wrong.append(f"{kind} was not asked for")


def differences(entries: Sequence[LogEntry], ids: Mapping[str, str]) -> list[str]:
    """What inboxes have too little and too much, in words; empty as it should be."""
    wanted, found = implied(entries, ids), inboxes(entries)
    wrong = []
    for user_id in sorted({*wanted, *found}):
        inbox = found.get(user_id, Inbox())
        should = wanted.get(user_id, Counter())
        wrong += [f"{user_id}: {one}" for one in inbox.wrong]
        wrong += [f"{user_id} was not told: {line}" for line in (should - inbox.told).elements()]
        wrong += [f"{user_id} was told too much: {line}" for line in (inbox.told - should).elements()]
    return wrong
