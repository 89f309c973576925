"""Which entries are about what, found by looking for every id that the log has ever given to something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgpack

from protocol.log import Entry

_BOOKKEEPING = {"TasksReranked", "TaskEditsJudged"}
_UUID = re.compile(r"[0-9a-f-]{36}")


def naive_activity(log: Sequence[Entry]) -> tuple[set[tuple[str, str, int]], set[tuple[str, str, str, int]]]:
    """(project, object, seq) and (author, at, project, seq) of a project's log; nothing of other streams."""
    kind, project_id = log[0].stream.split("/")
    if kind != "project":
        return set(), set()
    events = [(entry, event) for entry in log for event in msgpack.unpackb(entry.payload)["events"]]
    if any(event["kind"] == "ProjectPurged" for _, event in events):
        return set(), set()
    told = [(entry, event) for entry, event in events if event["kind"] not in _BOOKKEEPING]
    things, people, tasks = _things(told), _people(told), _tasks_of_comments(told)
    objects: set[tuple[str, str, int]] = set()
    for entry, event in told:
        named = {text for name, text in _strings(event["data"]) if text in things and name not in ("role", "was")}
        named |= {text for name, text in _strings(event["data"]) if text in people and name == "userId"}
        named |= {tasks[comment] for comment in (event["data"].get("commentId"),) if comment is not None}
        objects |= {(project_id, name, entry.seq) for name in named}
    authors = {(entry.author, entry.at, project_id, entry.seq) for entry, _ in told if _UUID.fullmatch(entry.author)}
    return objects, authors


def _things(told: Sequence[tuple[Entry, Any]]) -> set[str]:
    records = ("task", "link", "milestone", "field", "role", "invitation")
    made = {
        event["data"][name]["id"] for _, event in told for name in records if isinstance(event["data"].get(name), dict)
    }
    return made | {event["data"]["commentId"] for _, event in told if event["kind"] == "CommentAdded"}


def _people(told: Sequence[tuple[Entry, Any]]) -> set[str]:
    return {text for _, event in told for name, text in _strings(event["data"]) if name == "userId"}


def _tasks_of_comments(told: Sequence[tuple[Entry, Any]]) -> dict[str, str]:
    return {e["data"]["commentId"]: e["data"]["taskId"] for _, e in told if e["kind"] == "CommentAdded"}


def _strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _strings(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one, name)
