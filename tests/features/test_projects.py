"""Projects: what is decided when they are created, edited, archived, deleted and restored."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.decider import ProjectActor
from actors.project.projects import view_project
from protocol.event import OPERATOR
from protocol.members import MemberAdded
from protocol.projects import (
    DEFAULT_STATES,
    CreateProject,
    DeleteProject,
    EditProject,
    ProjectDeleted,
    ProjectRestored,
    RestoreProject,
    WorkflowState,
)
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import (
    ADMIN,
    ALREADY_EXISTS,
    COMMENTER,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
    NOW,
    OWNER,
    PROJECT_ID,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_project,
    a_task,
    a_team,
    broken,
    happened,
    project_state,
    refused,
)


def nothing() -> Life:
    return Life(ProjectActor(), f"project/{PROJECT_ID}")


def test_who_creates_a_project_becomes_its_owner() -> None:
    life = nothing()
    created, added = happened(life.send(CreateProject(name="Apollo", description="To the moon"), OWNER))
    assert created.project == {
        "id": PROJECT_ID,
        "key": "APOLLO",
        "name": "Apollo",
        "description": "To the moon",
        "status": "Active",
        "states": list(DEFAULT_STATES),
        "createdAt": NOW,
        "updatedAt": NOW,
        "deletedAt": None,
    }
    assert added == MemberAdded(user_id=OWNER.id, role="owner")
    assert life.actor.answer([created, added]) == {"projectId": PROJECT_ID, "key": "APOLLO"}


def test_the_operator_names_another_owner_and_has_to() -> None:
    _, added = happened(nothing().decide(CreateProject(name="A", owner_id=MEMBER.id), OPERATOR))
    assert added.user_id == MEMBER.id
    assert refused(nothing().decide(CreateProject(name="A"), OPERATOR)) == broken("owner_required")
    unknown = {"projectKey": "A", "userExists": False}
    outcome = nothing().decide(CreateProject(name="A", owner_id=MEMBER.id), OPERATOR, facts=unknown)
    assert refused(outcome) == broken("unknown_user")


def test_a_user_cannot_make_somebody_else_an_owner_by_creating() -> None:
    assert refused(nothing().decide(CreateProject(name="A", owner_id=MEMBER.id), OWNER)) == FORBIDDEN


def test_a_project_is_created_once_and_strangers_learn_nothing_from_trying() -> None:
    again = CreateProject(name="Again")
    assert refused(a_team().decide(again, VIEWER)) == ALREADY_EXISTS
    assert a_team().decide(again, STRANGER) == a_team().decide(EditProject(name="x"), STRANGER)
    assert a_team().decide(EditProject(name="x"), STRANGER) == nothing().decide(EditProject(name="x"), OWNER)


def test_an_edit_records_what_changed_and_what_was() -> None:
    life = a_team()
    [edited] = happened(life.send(EditProject(name="Apollo", status="OnHold"), ADMIN, now=LATER))
    assert (edited.changes, edited.was) == ({"status": "OnHold"}, {"status": "Active"})
    project = view_project(project_state(life), VIEWER)
    assert isinstance(project, dict)
    assert (project["status"], project["updatedAt"]) == ("OnHold", LATER)


def test_an_edit_that_changes_nothing_is_accepted_without_an_event() -> None:
    assert happened(a_team().decide(EditProject(name="Apollo"), OWNER)) == []


def test_members_cannot_edit_the_project_and_strangers_do_not_see_it() -> None:
    assert refused(a_team().decide(EditProject(name="Mine"), MEMBER)) == FORBIDDEN
    assert refused(a_team().decide(EditProject(name="Mine"), STRANGER)) == NOT_FOUND
    assert refused(view_project(project_state(a_team()), STRANGER)) == NOT_FOUND


WITHOUT_BACKLOG = list(DEFAULT_STATES[1:])
BACKLOG_CLOSES: list[WorkflowState] = [
    {"id": "backlog", "name": "Backlog", "group": "cancelled", "waiting": True},
    *DEFAULT_STATES[1:],
]


@pytest.mark.parametrize(
    ("states", "reason"), [(WITHOUT_BACKLOG, "state_in_use"), (BACKLOG_CLOSES, "state_group_in_use")]
)
def test_a_state_that_tasks_are_in_stays_what_it_is(states: Any, reason: str) -> None:
    life = a_task()
    assert refused(life.decide(EditProject(states=states), OWNER)) == broken(reason)
    life.given((OWNER, EditTask(task_id=TASK, state_id="todo")))
    assert len(happened(life.decide(EditProject(states=states), OWNER))) == 1


def test_an_archived_project_takes_no_content_until_its_status_is_back() -> None:
    life = a_task()
    life.given((OWNER, EditProject(status="Archived")))
    assert refused(life.decide(CreateTask(title="More"), MEMBER)) == broken("project_archived")
    assert refused(life.decide(EditTask(task_id=TASK, title="More"), MEMBER)) == broken("project_archived")
    assert refused(life.decide(EditProject(name="New"), OWNER)) == broken("project_archived")
    life.given((OWNER, EditProject(status="Active", name="New")), (MEMBER, CreateTask(title="More")))


def test_only_owners_delete_and_only_they_see_what_is_deleted() -> None:
    life = a_task()
    assert refused(life.decide(DeleteProject(), ADMIN)) == FORBIDDEN
    assert happened(life.send(DeleteProject(), OWNER)) == [ProjectDeleted()]
    assert refused(life.decide(RestoreProject(), ADMIN)) == NOT_FOUND
    assert refused(life.decide(EditTask(task_id=TASK, title="x"), MEMBER)) == NOT_FOUND
    assert refused(life.decide(EditTask(task_id=TASK, title="x"), OWNER)) == broken("project_deleted")
    assert refused(life.decide(DeleteProject(), OPERATOR)) == broken("project_deleted")
    assert life.actor.audience(life.state) == frozenset({OWNER.id})
    assert isinstance(view_project(project_state(life), OWNER), dict)


def test_a_deletion_is_taken_back_with_everything() -> None:
    life = a_task()
    life.given((OWNER, DeleteProject()), now=LATER)
    assert happened(life.send(RestoreProject(), OPERATOR, now=LATER)) == [ProjectRestored()]
    assert TASK in life.state.tasks
    everybody = (OWNER, ADMIN, MEMBER, COMMENTER, VIEWER)
    assert life.actor.audience(life.state) == frozenset(person.id for person in everybody)
    assert refused(life.decide(RestoreProject(), OWNER)) == broken("project_not_deleted")


def test_a_project_without_anybody_has_no_audience() -> None:
    assert nothing().actor.audience(nothing().state) == frozenset()
    assert a_project().actor.audience(a_project().state) == frozenset({OWNER.id})
