"""Inboxes are what the log implies, also when the server is killed among mentions; and a wrong inbox would be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chaos.history import LogEntry
from tests.chaos.inboxes import differences
from tests.chaos.notifications import Plan, Run

IDS = {"ada1": "ada", "bob2": "bob", "eve3": "eve"}


def entry(stream: str, seq: int, *events: tuple[str, dict[str, Any]], author: str = "ada") -> LogEntry:
    wire = {"seq": seq, "author": author, "events": [{"kind": kind, "data": data} for kind, data in events]}
    return LogEntry(0, seq, stream, seq, 1, "op", wire)


def notified(number: int, seq: int, *reasons: str, task_id: str = "t", comment_id: str | None = None) -> LogEntry:
    source, subject = (
        {"stream": "project/p", "seq": seq},
        {"projectId": "p", "taskId": task_id, "commentId": comment_id},
    )
    told = {"number": number, "source": source, "subject": subject, "reasons": [*reasons], "actorId": "ada"}
    return entry("user/bob", number, ("Notified", {"notification": told}), author="system")


PROJECT = [
    entry("project/p", 1, *(("MemberAdded", {"userId": one}) for one in ("ada", "bob"))),
    entry("project/p", 2, ("TaskCreated", {"task": {"id": "t", "assigneeIds": ["bob"], "watcherIds": []}})),
    entry("project/p", 3, ("CommentAdded", {"commentId": "c", "taskId": "t", "body": "@bob2 and @eve3"})),
    entry("project/p", 4, ("TaskCreated", {"task": {"id": "u", "assigneeIds": [], "watcherIds": ["bob"]}})),
    entry(
        "project/p",
        5,
        ("TaskEdited", {"taskId": "u"}),
        ("TaskEdited", {"taskId": "t", "assigneesRemoved": ["bob"]}),
        ("TaskEdited", {"taskId": "t", "assigneesAdded": ["bob"]}),
    ),
]
"""Eve is named and is no member."""

TOLD = [
    notified(1, 2, "assigned"),
    notified(2, 3, "mentioned", "watched", comment_id="c"),
    notified(3, 5, "watched", task_id="u"),
    notified(4, 5, "assigned"),
]


def test_an_inbox_as_it_should_be_has_no_differences() -> None:
    assert differences([*PROJECT, *TOLD], IDS) == []


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (TOLD[:1], "bob was not told"),
        ([*TOLD, notified(5, 3, "mentioned", "watched", comment_id="c")], "bob was told too much"),
        ([TOLD[0], notified(2, 3, "mentioned", comment_id="c")], "bob was told too much"),
        ([TOLD[0], notified(3, 3, "mentioned", "watched", comment_id="c")], "number 3 comes as the 2th"),
        ([*TOLD, entry("user/bob", 5, ("NotificationsRead", {"upTo": 5, "was": 0}))], "the read marker goes"),
        (TOLD[:3], "bob was not told"),
        ([*TOLD[:2], notified(3, 5, "assigned", "watched", task_id="u")], "bob was told too much"),
    ],
)
def test_a_planted_mistake_is_seen(told: list[LogEntry], wrong: str) -> None:
    assert any(wrong in one for one in differences([*PROJECT, *told], IDS))


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("chaos")
async def test_nobody_is_told_twice_or_not_at_all_though_the_server_is_killed(tmp_path: Path) -> None:
    result = await Run(Plan(kills=2, clients=6, projects=2, seed=5, between_kills=40), tmp_path).run()
    print("\n".join(result.lines()))
    assert result.wrong == []
    assert result.told == result.implied > 0
    assert len(result.ready_after_s) == 2
