"""Projects: what is decided when they are created, edited, archived, deleted and restored."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.decider import ProjectActor
from actors.project.members import list_members
from actors.project.permissions import LOOKING, Permission, allowed
from actors.project.projects import view_project
from protocol.comments import AddComment
from protocol.event import OPERATOR
from protocol.members import ChangeMemberRole, MemberAdded, RemoveMember
from protocol.projects import (
    DEFAULT_STATES,
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    ProjectDeleted,
    ProjectRestored,
    RestoreProject,
    UnarchiveProject,
    WorkflowState,
)
from protocol.roles import DefineRole
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
    uuid,
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
        "visibility": "private",
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


def test_a_project_is_archived_and_taken_back_by_commands_of_their_own() -> None:
    life = a_task()
    assert refused(life.decide(ArchiveProject(), MEMBER)) == FORBIDDEN
    assert refused(life.decide(ArchiveProject(), STRANGER)) == NOT_FOUND
    assert refused(life.decide(UnarchiveProject(), ADMIN)) == broken("project_not_archived")
    [archived] = happened(life.send(ArchiveProject(), ADMIN))
    assert (archived.changes, archived.was) == ({"status": "Archived"}, {"status": "Active"})
    assert happened(life.decide(ArchiveProject(), ADMIN)) == []
    assert refused(life.decide(EditTask(task_id=TASK, title="More"), OWNER)) == broken("project_archived")
    assert refused(life.decide(UnarchiveProject(), MEMBER)) == FORBIDDEN
    [back] = happened(life.decide(UnarchiveProject(status="Completed"), OWNER))
    assert back.changes == {"status": "Completed"}
    life.given((OWNER, UnarchiveProject()), (MEMBER, EditTask(task_id=TASK, title="More")))
    life.given((OWNER, DeleteProject()))
    assert refused(life.decide(ArchiveProject(), OWNER)) == broken("project_deleted")
    assert refused(life.decide(UnarchiveProject(), OWNER)) == broken("project_deleted")


def test_everybody_looks_at_a_public_project_and_nobody_else_changes_it() -> None:
    life = a_task()
    assert refused(life.decide(EditProject(visibility="public"), MEMBER)) == FORBIDDEN
    [published] = happened(life.send(EditProject(visibility="public"), ADMIN))
    assert (published.changes, published.was) == ({"visibility": "public"}, {"visibility": "private"})
    assert life.actor.changes_audience(published)
    assert life.actor.audience(life.state) is None
    state = project_state(life)
    assert isinstance(view_project(state, STRANGER), dict)
    assert isinstance(list_members(state, STRANGER), list)
    assert {permission for permission in LOOKING if allowed(state, STRANGER, permission)} == LOOKING
    for command in (
        AddComment(task_id=TASK, body="Nice"),
        EditTask(task_id=TASK, title="Mine"),
        EditProject(visibility="private"),
        RemoveMember(user_id=STRANGER.id),
        DeleteProject(),
    ):
        assert refused(life.decide(command, STRANGER)) == FORBIDDEN
    life.given((OWNER, EditProject(visibility="private")))
    assert refused(view_project(state, STRANGER)) == NOT_FOUND
    audience = life.actor.audience(life.state)
    assert audience is not None
    assert STRANGER.id not in audience


def test_to_publish_takes_a_permission_of_its_own() -> None:
    life = a_team()
    editor: list[Permission] = ["project.edit"]
    life.given((OWNER, DefineRole(role_id=uuid(0x501), name="Editor", permissions=[*editor])))
    life.given((OWNER, ChangeMemberRole(user_id=VIEWER.id, role=uuid(0x501))))
    assert len(happened(life.decide(EditProject(name="x"), VIEWER))) == 1
    assert refused(life.decide(EditProject(name="x", visibility="public"), VIEWER)) == FORBIDDEN


def test_a_deleted_public_project_is_for_its_owners_alone() -> None:
    life = Life(ProjectActor(), f"project/{PROJECT_ID}")
    life.given((OWNER, CreateProject(name="Apollo", visibility="public")))
    assert life.actor.audience(life.state) is None
    life.given((OWNER, DeleteProject()))
    assert refused(view_project(project_state(life), STRANGER)) == NOT_FOUND
    assert life.actor.audience(life.state) == frozenset({OWNER.id})
    life.given((OWNER, RestoreProject()))
    assert life.actor.audience(life.state) is None


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
