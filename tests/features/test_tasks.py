"""Tasks: their numbers, their states and the times of closing, what an edit records, who may be assigned."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.limits import ProjectLimits
from actors.project.tasks import list_tasks, view_task
from actors.runtime.actor import Decision, restored
from protocol.errors import ErrorCode, Rejection
from protocol.event import Origin
from protocol.tasks import CreateTask, EditTask, TaskCreated, TaskEdited, TaskView
from tests.actors.given import (
    ALREADY_EXISTS,
    COMMENTER,
    FORBIDDEN,
    LATER,
    LONG_AGO,
    MATZ,
    MEMBER,
    NOT_FOUND,
    NOW,
    OTHER_TASK,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    a_task,
    a_team,
    as_imported,
    broken,
    happened,
    project_state,
    refused,
)


def test_a_task_gets_the_next_number_and_starts_in_the_first_state() -> None:
    life = a_team()
    [created] = happened(life.send(CreateTask(task_id=TASK, title="Land"), MEMBER))
    assert created.task == {
        "id": TASK,
        "key": "APOLLO-1",
        "number": 1,
        "title": "Land",
        "description": "",
        "stateId": "backlog",
        "priority": "none",
        "labels": [],
        "assigneeIds": [],
        "startDate": None,
        "dueDate": None,
        "estimate": None,
        "externalId": None,
        "parentId": None,
        "milestoneId": None,
        "watcherIds": [],
        "fields": {},
        "recurrence": None,
        "rank": "a1",
        "createdBy": MEMBER.id,
        "createdAt": NOW,
        "updatedAt": NOW,
        "closedAt": None,
        "deletedAt": None,
    }
    assert life.actor.answer([created]) == {"taskId": TASK, "key": "APOLLO-1", "number": 1}
    [second] = happened(life.send(CreateTask(title="Return"), MEMBER))
    assert (second.task["key"], second.task["number"]) == ("APOLLO-2", 2)
    assert second.task["id"] != TASK


def test_a_refused_creation_uses_up_no_number() -> None:
    life = a_task()
    assert refused(life.send(CreateTask(task_id=TASK, title="Twice"), MEMBER)) == ALREADY_EXISTS
    assert refused(life.send(CreateTask(title="Nowhere", state_id="nowhere"), MEMBER)) == NOT_FOUND
    [created] = happened(life.send(CreateTask(title="Next"), MEMBER))
    assert created.task["number"] == 2


def test_commenters_and_viewers_make_no_tasks() -> None:
    for person in (COMMENTER, VIEWER):
        assert refused(a_task().decide(CreateTask(title="x"), person)) == FORBIDDEN
        assert refused(a_task().decide(EditTask(task_id=TASK, title="x"), person)) == FORBIDDEN
    assert refused(a_task().decide(CreateTask(title="x"), STRANGER)) == NOT_FOUND


def test_an_edit_keeps_only_what_really_changes() -> None:
    life = a_task()
    edit = EditTask(
        task_id=TASK, title="Land on the moon", priority="high", add_labels=["risky", "new"], remove_labels=["old"]
    )
    [edited] = happened(life.send(edit, MEMBER, now=LATER))
    assert edited == TaskEdited(
        task_id=TASK,
        changes={"priority": "high"},
        was={"priority": "none"},
        labels_added=["risky", "new"],
    )
    task = life.state.tasks[TASK]
    assert (task["priority"], task["labels"], task["updatedAt"]) == ("high", ["risky", "new"], LATER)
    assert happened(life.decide(edit, MEMBER)) == []


def test_labels_merge_as_sets_and_adding_wins_over_removing() -> None:
    life = a_task()
    life.given((MEMBER, EditTask(task_id=TASK, add_labels=["a", "b", "c"])))
    [edited] = happened(life.send(EditTask(task_id=TASK, add_labels=["c", "d"], remove_labels=["a", "c", "x"]), MEMBER))
    assert (edited.labels_added, edited.labels_removed) == (["d"], ["a"])
    assert life.state.tasks[TASK]["labels"] == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("path", "closed_at"),
    [
        (["todo"], None),
        (["done"], NOW),
        (["done", "cancelled"], LATER),
        (["cancelled", "todo"], None),
        (["done", "todo", "done"], LATER),
    ],
)
def test_closed_at_is_when_a_task_last_entered_a_closed_state(path: list[str], closed_at: str | None) -> None:
    life = a_task()
    for number, state in enumerate(path):
        life.given((MEMBER, EditTask(task_id=TASK, state_id=state)), now=LATER if number else NOW)
    assert life.state.tasks[TASK]["closedAt"] == closed_at


def test_an_edit_says_when_it_closed_or_opened_the_task_and_else_is_silent() -> None:
    life = a_task()
    [silent] = happened(life.send(EditTask(task_id=TASK, state_id="todo"), MEMBER))
    [closing] = happened(life.send(EditTask(task_id=TASK, state_id="done"), MEMBER))
    [retitled] = happened(life.send(EditTask(task_id=TASK, title="Landed"), MEMBER))
    [opening] = happened(life.send(EditTask(task_id=TASK, state_id="todo"), MEMBER))
    given = ["closed_at" in event.model_fields_set for event in (silent, closing, retitled, opening)]
    assert given == [False, True, False, True]
    assert (closing.closed_at, opening.closed_at) == (NOW, None)


def test_a_task_may_be_made_in_a_closed_state() -> None:
    [created] = happened(a_team().decide(CreateTask(title="Was done", state_id="done"), MEMBER))
    assert created.task["closedAt"] == NOW


def test_null_clears_and_absent_keeps() -> None:
    life = a_team()
    life.given((MEMBER, CreateTask(task_id=TASK, title="x", due_date="2026-04-01", estimate=3.0)))
    [edited] = happened(life.send(EditTask(task_id=TASK, due_date=None), MEMBER))
    assert (edited.changes, edited.was) == ({"dueDate": None}, {"dueDate": "2026-04-01"})
    assert life.state.tasks[TASK]["estimate"] == 3.0


def test_what_is_not_there_is_not_found() -> None:
    life = a_task()
    assert refused(life.decide(EditTask(task_id=OTHER_TASK, title="x"), MEMBER)) == NOT_FOUND
    assert refused(life.decide(EditTask(task_id=TASK, state_id="nowhere"), MEMBER)) == NOT_FOUND


DUE_BEFORE_START = (ErrorCode.RULE_BROKEN, "due_before_start")


def test_a_task_is_not_due_before_it_starts() -> None:
    life = a_task()
    both: dict[str, Any] = {"start_date": "2026-04-02", "due_date": "2026-04-01"}
    refusal = life.decide(CreateTask(title="x", **both), MEMBER)
    assert refused(refusal) == refused(life.decide(EditTask(task_id=TASK, **both), MEMBER)) == DUE_BEFORE_START
    assert isinstance(refusal, Rejection)
    assert refusal.details["field"] == "dueDate"
    life.given((MEMBER, EditTask(task_id=TASK, start_date="2026-04-02", due_date="2026-04-02")))
    assert refused(life.decide(EditTask(task_id=TASK, due_date="2026-04-01"), MEMBER)) == DUE_BEFORE_START
    assert refused(life.decide(EditTask(task_id=TASK, start_date="2026-04-03"), MEMBER)) == DUE_BEFORE_START
    life.given(
        (MEMBER, EditTask(task_id=TASK, start_date="2026-04-03", due_date="2026-04-04")),
        (MEMBER, EditTask(task_id=TASK, due_date=None)),
        (MEMBER, EditTask(task_id=TASK, start_date="2026-04-09")),
        (MEMBER, EditTask(task_id=TASK, start_date=None, due_date="2026-04-01")),
    )


def test_history_keeps_the_days_of_its_source_and_they_block_no_other_edit() -> None:
    life = a_team()
    old = CreateTask(task_id=TASK, title="Old", start_date="2015-06-02", due_date="2015-06-01")
    happened(life.send(old, OWNER, origin=as_imported()))
    happened(life.send(EditTask(task_id=TASK, start_date="2015-06-03"), OWNER, origin=as_imported()))
    happened(life.send(EditTask(task_id=TASK, title="Old and retitled"), MEMBER))
    assert refused(life.decide(EditTask(task_id=TASK, due_date="2015-06-02"), MEMBER)) == DUE_BEFORE_START
    life.given((MEMBER, EditTask(task_id=TASK, due_date="2015-06-04")))


@pytest.mark.parametrize("origin", [None, as_imported()])
def test_one_external_id_is_one_task_of_a_project(origin: Origin | None) -> None:
    life = a_team()
    happened(life.send(CreateTask(task_id=TASK, title="x", external_id="github:a/b#1"), OWNER, origin=origin))
    twice = life.decide(CreateTask(title="y", external_id="github:a/b#1"), OWNER, origin=origin)
    assert isinstance(twice, Rejection)
    assert twice.code is ErrorCode.ALREADY_EXISTS
    assert twice.details == {"what": "task", "field": "externalId", "taskId": TASK}
    again = life.decide(CreateTask(task_id=TASK, title="x", external_id="github:a/b#1"), OWNER, origin=origin)
    assert isinstance(again, Rejection)
    assert again.details == {"what": "task"}
    for other in ("github:a/b#2", None, None):
        happened(life.send(CreateTask(title="z", external_id=other), OWNER, origin=origin))
    assert refused(life.decide(CreateTask(title="y", external_id="github:a/b#1"), STRANGER)) == NOT_FOUND


def test_an_old_log_with_one_external_id_twice_replays_to_the_first() -> None:
    life = a_team()
    [created] = happened(life.send(CreateTask(task_id=TASK, title="x", external_id="github:a/b#1"), OWNER))
    task: TaskView = created.task
    twin: TaskView = {**task, "id": OTHER_TASK, "key": "APOLLO-2", "number": 2}
    life.take(Decision([TaskCreated(task=twin)], OWNER.id, NOW))
    assert project_state(life).external_ids == {"github:a/b#1": TASK}
    assert life.replayed() == life.state == restored(life.actor, life.stream, life.actor.parts(life.state))


@pytest.mark.parametrize("person", [STRANGER.id, MATZ])
def test_only_members_are_assigned_by_live_work(person: str) -> None:
    life = a_task()
    assert refused(life.decide(CreateTask(title="x", assignee_ids=[person]), OWNER)) == broken("assignee_not_member")
    edit = EditTask(task_id=TASK, add_assignees=[person])
    assert refused(life.decide(edit, OWNER)) == broken("assignee_not_member")


def test_an_import_assigns_its_external_people() -> None:
    life = a_team()
    imported = CreateTask(title="Old", assignee_ids=[MATZ, MEMBER.id])
    [created] = happened(life.send(imported, OWNER, origin=as_imported()))
    assert created.task["assigneeIds"] == [MATZ, MEMBER.id]
    assert (created.task["createdBy"], created.task["createdAt"]) == (MATZ, LONG_AGO)


@pytest.mark.parametrize(
    ("limits", "command", "reason"),
    [
        (ProjectLimits(tasks_max=1), CreateTask(title="x"), "tasks_limit"),
        (ProjectLimits(labels_per_task_max=1), EditTask(task_id=TASK, add_labels=["a", "b"]), "labels_limit"),
        (
            ProjectLimits(assignees_per_task_max=1),
            EditTask(task_id=TASK, add_assignees=[OWNER.id, MEMBER.id]),
            "assignees_limit",
        ),
    ],
)
def test_everything_has_a_limit(limits: ProjectLimits, command: Any, reason: str) -> None:
    assert refused(a_task(limits).decide(command, MEMBER)) == broken(reason)


def test_tasks_are_listed_by_number() -> None:
    life = a_task()
    life.given(*((MEMBER, CreateTask(title=f"Task {number}")) for number in range(2, 6)))
    page = list_tasks(project_state(life), VIEWER, 2, 2)
    assert isinstance(page, list)
    assert [task["number"] for task in page] == [3, 4]
    assert list_tasks(project_state(life), VIEWER, 5, 2) == []
    assert refused(list_tasks(project_state(life), STRANGER)) == NOT_FOUND


def test_one_task_is_shown_to_members() -> None:
    state = project_state(a_task())
    assert view_task(state, VIEWER, TASK) == state.tasks[TASK]
    assert refused(view_task(state, VIEWER, OTHER_TASK)) == NOT_FOUND
    assert refused(view_task(state, STRANGER, TASK)) == NOT_FOUND
