"""Milestones: their names, their status, their tasks, and what their deletion says."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.limits import ProjectLimits
from actors.project.milestones import list_milestones, view_milestone
from actors.project.state import place_of
from protocol.errors import ErrorCode, Rejection
from protocol.milestones import (
    CreateMilestone,
    DeleteMilestone,
    EditMilestone,
    MilestoneCreated,
    MilestoneDeleted,
    MilestoneEdited,
)
from protocol.projects import DeleteProject, EditProject
from protocol.tasks import CreateTask, EditTask, TaskEdited
from tests.actors.given import (
    ADMIN,
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
    Life,
    a_task,
    a_team,
    as_imported,
    broken,
    happened,
    project_state,
    refused,
    uuid,
)

BETA, RELEASE = uuid(0x501), uuid(0x502)
DUE_BEFORE_START = (ErrorCode.RULE_BROKEN, "due_before_start")


def a_milestone(limits: ProjectLimits | None = None) -> Life:
    life = a_task(limits)
    life.given((MEMBER, CreateMilestone(milestone_id=BETA, name="Beta")))
    return life


def test_a_milestone_is_open_from_the_beginning() -> None:
    life = a_team()
    made = CreateMilestone(milestone_id=BETA, name="Beta", description="For friends.", due_date="2026-05-01")
    [created] = happened(life.send(made, MEMBER))
    assert created == MilestoneCreated(
        milestone={
            "id": BETA,
            "name": "Beta",
            "description": "For friends.",
            "status": "Open",
            "startDate": None,
            "dueDate": "2026-05-01",
            "createdBy": MEMBER.id,
            "createdAt": NOW,
            "updatedAt": NOW,
            "closedAt": None,
        }
    )
    assert life.actor.answer([created]) == {"milestoneId": BETA}
    [other] = happened(life.send(CreateMilestone(name="Release"), MEMBER))
    assert other.milestone["id"] not in (BETA, None)


@pytest.mark.parametrize("name", ["Beta", "BETA", "  beta ", "bｅta"])
def test_a_name_is_there_once_however_it_is_written(name: str) -> None:
    life = a_milestone()
    life.given((MEMBER, CreateMilestone(milestone_id=RELEASE, name="Release")))
    twice = life.decide(CreateMilestone(name=name), MEMBER)
    assert isinstance(twice, Rejection)
    assert (twice.code, twice.details) == (ErrorCode.ALREADY_EXISTS, {"what": "milestone", "field": "name"})
    assert refused(life.decide(EditMilestone(milestone_id=RELEASE, name=name), MEMBER)) == ALREADY_EXISTS
    happened(life.decide(EditMilestone(milestone_id=BETA, name=name), MEMBER))


def test_the_id_is_there_once_until_its_milestone_is_deleted() -> None:
    life = a_milestone()
    again = CreateMilestone(milestone_id=BETA, name="Other")
    assert refused(life.decide(again, MEMBER)) == ALREADY_EXISTS
    life.given((ADMIN, DeleteMilestone(milestone_id=BETA)), (MEMBER, again))


def test_who_may_do_what() -> None:
    wishes: list[tuple[Any, list[Any]]] = [
        (CreateMilestone(name="x"), [OWNER, ADMIN, MEMBER]),
        (EditMilestone(milestone_id=BETA, name="x"), [OWNER, ADMIN, MEMBER]),
        (DeleteMilestone(milestone_id=BETA), [OWNER, ADMIN]),
    ]
    life = a_milestone()
    for command, people in wishes:
        for person in (OWNER, ADMIN, MEMBER, COMMENTER, VIEWER):
            outcome = life.decide(command, person)
            assert (refused(outcome) == FORBIDDEN) if person not in people else happened(outcome)
        assert refused(life.decide(command, STRANGER)) == NOT_FOUND


def test_an_edit_keeps_only_what_really_changes() -> None:
    life = a_milestone()
    edit = EditMilestone(milestone_id=BETA, name="Beta", due_date="2026-05-01")
    [edited] = happened(life.send(edit, MEMBER, now=LATER))
    assert edited == MilestoneEdited(milestone_id=BETA, changes={"dueDate": "2026-05-01"}, was={"dueDate": None})
    assert project_state(life).milestones[BETA]["updatedAt"] == LATER
    assert happened(life.decide(edit, MEMBER)) == []


def test_closing_and_opening_say_when() -> None:
    life = a_milestone()
    close = EditMilestone(milestone_id=BETA, status="Closed")
    [closed] = happened(life.send(close, MEMBER, now=LATER))
    assert (closed.changes, closed.was, closed.closed_at) == ({"status": "Closed"}, {"status": "Open"}, LATER)
    assert happened(life.send(close, MEMBER)) == []
    [renamed] = happened(life.send(EditMilestone(milestone_id=BETA, name="Old beta"), MEMBER))
    assert "closed_at" not in renamed.model_fields_set
    assert project_state(life).milestones[BETA]["closedAt"] == LATER
    happened(life.send(CreateTask(title="late", milestone_id=BETA), MEMBER))
    [opened] = happened(life.send(EditMilestone(milestone_id=BETA, status="Open"), MEMBER))
    assert ("closed_at" in opened.model_fields_set, opened.closed_at) == (True, None)
    assert project_state(life).milestones[BETA]["closedAt"] is None


def test_a_milestone_is_not_due_before_it_starts() -> None:
    life = a_milestone()
    both: dict[str, Any] = {"start_date": "2026-04-02", "due_date": "2026-04-01"}
    assert refused(life.decide(CreateMilestone(name="x", **both), MEMBER)) == DUE_BEFORE_START
    assert refused(life.decide(EditMilestone(milestone_id=BETA, **both), MEMBER)) == DUE_BEFORE_START
    life.given((MEMBER, EditMilestone(milestone_id=BETA, start_date="2026-04-02", due_date="2026-04-02")))
    late = EditMilestone(milestone_id=BETA, start_date="2026-04-03")
    assert refused(life.decide(late, MEMBER)) == DUE_BEFORE_START


def test_tasks_come_to_a_milestone_and_leave_it() -> None:
    life = a_milestone()
    [edited] = happened(life.send(EditTask(task_id=TASK, milestone_id=BETA), MEMBER))
    assert edited == TaskEdited(task_id=TASK, changes={"milestoneId": BETA}, was={"milestoneId": None})
    [created] = happened(life.send(CreateTask(task_id=OTHER_TASK, title="x", milestone_id=BETA), MEMBER))
    assert created.task["milestoneId"] == BETA
    assert project_state(life).milestone_tasks == {BETA: {TASK, OTHER_TASK}}
    life.given((MEMBER, EditTask(task_id=TASK, milestone_id=None)))
    assert project_state(life).milestone_tasks == {BETA: {OTHER_TASK}}
    assert refused(life.decide(EditTask(task_id=TASK, milestone_id=RELEASE), MEMBER)) == NOT_FOUND
    assert refused(life.decide(CreateTask(title="x", milestone_id=RELEASE), MEMBER)) == NOT_FOUND


def test_its_deletion_edits_its_tasks_first_and_keeps_what_it_was() -> None:
    life = a_milestone()
    life.given(
        (MEMBER, CreateTask(task_id=OTHER_TASK, title="second", milestone_id=BETA)),
        (MEMBER, EditTask(task_id=TASK, milestone_id=BETA)),
    )
    milestone = project_state(life).milestones[BETA]
    events = happened(life.send(DeleteMilestone(milestone_id=BETA), ADMIN, now=LATER))
    without: dict[str, Any] = {"changes": {"milestoneId": None}, "was": {"milestoneId": BETA}}
    assert list(events) == [
        TaskEdited(task_id=TASK, **without),
        TaskEdited(task_id=OTHER_TASK, **without),
        MilestoneDeleted(milestone_id=BETA, was=milestone),
    ]
    state = project_state(life)
    assert (state.milestones, state.milestone_tasks) == ({}, {})
    assert [task["milestoneId"] for task in state.tasks.values()] == [None, None]
    assert refused(life.decide(DeleteMilestone(milestone_id=BETA), ADMIN)) == NOT_FOUND
    assert refused(life.decide(EditMilestone(milestone_id=BETA, name="x"), ADMIN)) == NOT_FOUND


def test_archived_and_deleted_projects_take_no_changes() -> None:
    life = a_milestone()
    life.given((OWNER, EditProject(status="Archived")))
    wishes = (
        CreateMilestone(name="x"),
        EditMilestone(milestone_id=BETA, name="x"),
        DeleteMilestone(milestone_id=BETA),
    )
    for command in wishes:
        assert refused(life.decide(command, OWNER)) == broken("project_archived")
    assert happened(life.decide(EditMilestone(milestone_id=BETA, name="Beta"), OWNER)) == []
    life.given((OWNER, DeleteProject()))
    for command in wishes:
        assert refused(life.decide(command, OWNER)) == broken("project_deleted")
        assert refused(life.decide(command, MEMBER)) == NOT_FOUND


@pytest.mark.parametrize(
    ("limits", "command", "reason"),
    [
        (ProjectLimits(milestones_max=1), CreateMilestone(name="x"), "milestones_limit"),
        (ProjectLimits(tasks_per_milestone_max=1), EditTask(task_id=TASK, milestone_id=BETA), "milestone_tasks_limit"),
        (ProjectLimits(tasks_per_milestone_max=1), CreateTask(title="x", milestone_id=BETA), "milestone_tasks_limit"),
    ],
)
def test_everything_has_a_limit(limits: ProjectLimits, command: Any, reason: str) -> None:
    life = a_milestone(limits)
    life.given((MEMBER, CreateTask(title="first", milestone_id=BETA)))
    assert refused(life.decide(command, MEMBER)) == broken(reason)


def test_history_brings_its_milestones() -> None:
    life = a_team()
    old = CreateMilestone(milestone_id=BETA, name="1.0", start_date="2015-06-02", due_date="2015-06-01")
    [created] = happened(life.send(old, OWNER, origin=as_imported()))
    assert (created.milestone["createdBy"], created.milestone["createdAt"]) == (MATZ, LONG_AGO)
    happened(life.send(CreateTask(title="old", milestone_id=BETA), OWNER, origin=as_imported()))
    assert refused(life.decide(old, MEMBER, origin=as_imported())) == ALREADY_EXISTS


def test_they_are_listed_in_the_order_they_were_made() -> None:
    life = a_milestone()
    life.given((MEMBER, CreateMilestone(milestone_id=RELEASE, name="Release")))
    state = project_state(life)
    page = list_milestones(state, VIEWER)
    assert not isinstance(page, Rejection)
    assert [milestone["name"] for milestone in page] == ["Beta", "Release"]
    assert list_milestones(state, VIEWER, place_of(state.milestones[BETA]), 5) == [state.milestones[RELEASE]]
    assert refused(list_milestones(state, STRANGER)) == NOT_FOUND
    assert view_milestone(state, VIEWER, BETA) == state.milestones[BETA]
    assert refused(view_milestone(state, VIEWER, TASK)) == NOT_FOUND
    assert refused(view_milestone(state, STRANGER, BETA)) == NOT_FOUND
