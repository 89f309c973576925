"""Every event of a project is told in words that a person understands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pantherahive_client import ProjectEvent, ProjectState
from pantherahive_client.project_state import from_parts
from protocol.messages import EVENTS
from server.commands.phrases import people_in, task_of, words
from tests.architecture.inventory import events_of

FIXTURES = Path(__file__).parents[2] / "fixtures" / "events"
ADA, BOB = "0192f0c0-0000-7000-8000-000000000001", "0192f0c0-0000-7000-8000-000000000002"
TASK, OTHER, COMMENT = (f"0192f0c0-0000-7000-8000-00000000{number}" for number in ("0101", "0102", "0201"))
ROLE, MILESTONE, FIELD = (f"0192f0c0-0000-7000-8000-00000000{number}" for number in ("0d01", "0501", "0601"))
NAMES = {ADA: "ada", BOB: "bob"}


def state() -> ProjectState:
    """As much of a project as sentences name."""
    part: dict[str, Any] = {
        "project": {"states": [{"id": "todo", "name": "Todo"}, {"id": "done", "name": "Done"}]},
        "tasks": [{"id": TASK, "key": "APOLLO-1"}, {"id": OTHER, "key": "APOLLO-2"}],
        "comments": [{"id": COMMENT, "taskId": TASK}],
        "roles": [{"id": ROLE, "name": "Recruiter"}],
        "milestones": [{"id": MILESTONE, "name": "Beta"}],
        "fields": [{"id": FIELD, "name": "Colour", "choices": [{"id": "red", "name": "Crimson"}]}],
    }
    return from_parts([part])


def event(kind: str, author: str = ADA, **data: Any) -> ProjectEvent:
    return ProjectEvent(kind, data, 1, 7, 0, "op", author, "2026-01-31T12:00:00.000Z", "", None, "7.1", True)


def said(kind: str, author: str = ADA, **data: Any) -> str:
    return words(event(kind, author, **data), state(), lambda person: NAMES.get(person, person))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_every_form_there_ever_was_is_one_line(path: Path) -> None:
    fixture = json.loads(path.read_text("utf-8"))
    for data in fixture["forms"].values():
        told = said(fixture["kind"], **data)
        assert told
        assert "\n" not in told
        assert set(map(type, people_in(data))) <= {str}


def test_kinds_of_projects_have_words_of_their_own() -> None:
    for kind in events_of("project"):
        [path, *_] = sorted(FIXTURES.glob(f"{kind}.v*.json"), reverse=True)
        form = next(iter(json.loads(path.read_text("utf-8"))["forms"].values()))
        assert said(kind, **form)
    assert said("TaskFrozen", taskId=TASK) == "task frozen"
    assert "TaskFrozen" not in EVENTS


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        (
            "TaskCreated",
            {"task": {"id": TASK, "title": "Land\x1b[2J", "stateId": "todo", "assigneeIds": [BOB]}},
            "created “Land\ufffd[2J” in Todo, for bob",
        ),
        (
            "TaskEdited",
            {
                "taskId": TASK,
                "changes": {"stateId": "done", "rank": "a8", "dueDate": None, "priority": "low", "description": "x"},
                "was": {"stateId": "todo"},
                "labelsAdded": ["a", "b"],
                "assigneesRemoved": [BOB],
            },
            (
                "moved it from Todo to Done; cleared the due date; set the priority to low; changed the description; "
                "labelled it a, b; unassigned bob"
            ),
        ),
        ("TaskEdited", {"taskId": TASK, "changes": {"rank": "a8"}, "was": {"rank": "a1"}}, "changed its place"),
        (
            "TaskEdited",
            {"taskId": TASK, "changes": {"parentId": OTHER, "milestoneId": MILESTONE, "estimate": 2.5}, "was": {}},
            "made it a part of APOLLO-2; put it into the milestone “Beta”; set the estimate to 2.5",
        ),
        (
            "TaskEdited",
            {"taskId": TASK, "changes": {"parentId": None, "milestoneId": None, "title": "New"}, "was": {}},
            "made it a task of its own; took it out of its milestone; renamed it to “New”",
        ),
        ("LinkAdded", {"link": {"type": "blocks", "taskId": TASK, "otherId": OTHER}}, "linked it: it blocks APOLLO-2"),
        (
            "LinkRemoved",
            {"linkId": "x", "was": {"type": "relates", "taskId": TASK, "otherId": OTHER}},
            "linked it: it no longer relates to APOLLO-2",
        ),
        ("CommentAdded", {"taskId": TASK, "body": "One\nstep", "replyTo": None}, "commented “One step”"),
        ("CommentAdded", {"taskId": TASK, "body": "Yes", "replyTo": COMMENT}, "answered “Yes”"),
        ("MemberAdded", {"userId": BOB, "role": "member"}, "added bob as member"),
        ("MemberAdded", {"userId": ADA, "role": ROLE}, "joined as Recruiter"),
        ("MemberRemoved", {"userId": BOB}, "removed bob"),
        ("MemberRemoved", {"userId": ADA}, "left"),
        ("MemberRoleChanged", {"userId": BOB, "role": "admin", "was": ROLE}, "made bob admin, who was Recruiter"),
        ("MemberInvited", {"invitation": {"userId": None, "role": "viewer"}}, "invited somebody by e-mail as viewer"),
        ("FieldValuesSet", {"taskId": TASK, "values": {FIELD: "red"}}, "set “Colour” to Crimson"),
        ("FieldValuesSet", {"taskId": TASK, "values": {FIELD: None}}, "cleared “Colour”"),
        (
            "RoleEdited",
            {"roleId": ROLE, "changes": {"name": "Greeter"}},
            "edited the role “Recruiter”: set the name to Greeter",
        ),
        ("ReactionAdded", {"commentId": COMMENT, "emoji": "🚀"}, "reacted to a comment with 🚀"),
        ("TaskEditsJudged", {"items": [{}, {}, {"error": {}}]}, "edited 2 tasks at once; 1 edit refused"),
        ("TaskEditsJudged", {"items": [{}]}, "edited 1 task at once"),
        ("TaskRestoredTo", {"taskId": TASK, "seq": 7}, "made it what it was as of entry 7"),
        ("ProjectRestoredTo", {"seq": 7, "remaining": 0}, "made the project what it was as of entry 7"),
        (
            "ProjectRestoredTo",
            {"seq": 7, "remaining": 2},
            "made the project what it was as of entry 7; 2 pieces still to come",
        ),
        ("CommandUndone", {"opId": TASK, "seq": 7}, "took back entry 7"),
        ("CommandRedone", {"opId": TASK, "seq": 7}, "did entry 7 again"),
        (
            "TaskEdited",
            {"taskId": TASK, "changes": {"milestoneId": ADA}, "was": {}},
            "put it into a milestone that is gone by now",
        ),
        (
            "MilestoneEdited",
            {"milestoneId": ADA, "changes": {"name": "Gamma"}, "was": {}},
            "edited a milestone that is gone by now: set the name to Gamma",
        ),
        ("FieldValuesSet", {"taskId": TASK, "values": {ADA: 5.0}}, "set a field that is gone by now to 5"),
        ("FieldValuesSet", {"taskId": TASK, "values": {ADA: None}}, "cleared a field that is gone by now"),
        ("FieldValuesSet", {"taskId": TASK, "values": {FIELD: 2.5}}, "set “Colour” to 2.5"),
        ("WatchersChanged", {"taskId": TASK, "added": [BOB], "removed": []}, "let it be watched by bob"),
        ("DueDateNeared", {"taskId": TASK, "dueDate": "2026-03-04"}, "said that it is due on 2026-03-04"),
    ],
)
def test_what_happened_is_told_in_a_sentence(kind: str, data: dict[str, Any], sentence: str) -> None:
    assert said(kind, **data) == sentence


@pytest.mark.parametrize(
    ("kind", "data", "task_id"),
    [
        ("TaskCreated", {"task": {"id": TASK}}, TASK),
        ("TaskEdited", {"taskId": OTHER}, OTHER),
        ("LinkAdded", {"link": {"id": "x", "taskId": TASK}}, TASK),
        ("LinkRemoved", {"linkId": "x", "was": {"id": "x", "taskId": TASK}}, TASK),
        ("ReactionAdded", {"commentId": COMMENT}, TASK),
        ("ReactionAdded", {"commentId": "gone"}, None),
        ("MemberRemoved", {"userId": BOB, "was": "member"}, None),
        ("RoleRemoved", {"roleId": ROLE, "was": {"id": ROLE, "name": "x"}}, None),
        ("ProjectDeleted", {}, None),
    ],
)
def test_the_task_is_named_where_there_is_one(kind: str, data: dict[str, Any], task_id: str | None) -> None:
    assert task_of(event(kind, **data), state()) == task_id
