"""The one function that decides, over all roles and permissions."""

from __future__ import annotations

from typing import get_args

import pytest

from actors.project.permissions import EVERYTHING, ROLES, WHILE_DELETED, Permission, allowed, refusal
from protocol.event import OPERATOR, SYSTEM, Principal
from protocol.members import BuiltInRole
from protocol.projects import DeleteProject
from tests.actors.given import (
    ADMIN,
    COMMENTER,
    FORBIDDEN,
    MEMBER,
    NOT_FOUND,
    OWNER,
    STRANGER,
    VIEWER,
    a_team,
    broken,
    project_state,
    refused,
)

HOLDERS: dict[Permission, list[Principal]] = {
    "project.view": [OWNER, ADMIN, MEMBER, COMMENTER, VIEWER],
    "project.edit": [OWNER, ADMIN],
    "project.change_visibility": [OWNER, ADMIN],
    "project.delete": [OWNER],
    "project.restore": [OWNER],
    "project.purge": [OWNER],
    "project.import": [OWNER, ADMIN],
    "member.view": [OWNER, ADMIN, MEMBER, COMMENTER, VIEWER],
    "member.add": [OWNER, ADMIN],
    "member.change_role": [OWNER, ADMIN],
    "member.remove": [OWNER, ADMIN],
    "member.make_owner": [OWNER],
    "role.manage": [OWNER, ADMIN],
    "task.view": [OWNER, ADMIN, MEMBER, COMMENTER, VIEWER],
    "task.add": [OWNER, ADMIN, MEMBER],
    "task.edit": [OWNER, ADMIN, MEMBER],
    "task.delete": [OWNER, ADMIN, MEMBER],
    "link.view": [OWNER, ADMIN, MEMBER, COMMENTER, VIEWER],
    "link.add": [OWNER, ADMIN, MEMBER],
    "link.remove": [OWNER, ADMIN, MEMBER],
    "milestone.view": [OWNER, ADMIN, MEMBER, COMMENTER, VIEWER],
    "milestone.add": [OWNER, ADMIN, MEMBER],
    "milestone.edit": [OWNER, ADMIN, MEMBER],
    "milestone.delete": [OWNER, ADMIN],
    "field.define": [OWNER, ADMIN],
    "comment.view": [OWNER, ADMIN, MEMBER, COMMENTER, VIEWER],
    "comment.add": [OWNER, ADMIN, MEMBER, COMMENTER],
    "comment.edit_own": [OWNER, ADMIN, MEMBER, COMMENTER],
    "comment.edit_any": [OWNER, ADMIN],
    "comment.delete_own": [OWNER, ADMIN, MEMBER, COMMENTER],
    "comment.delete_any": [OWNER, ADMIN],
    "comment.react": [OWNER, ADMIN, MEMBER, COMMENTER],
}
PEOPLE = [OWNER, ADMIN, MEMBER, COMMENTER, VIEWER, STRANGER]


@pytest.mark.parametrize("permission", sorted(EVERYTHING))
def test_roles_are_named_sets_of_permissions(permission: Permission) -> None:
    state = project_state(a_team())
    assert [person for person in PEOPLE if allowed(state, person, permission)] == HOLDERS[permission]
    assert allowed(state, OPERATOR, permission)
    assert allowed(state, SYSTEM, permission)


def test_every_role_and_permission_is_named() -> None:
    assert set(ROLES) == set(get_args(BuiltInRole))
    assert set(HOLDERS) == EVERYTHING
    assert ROLES["viewer"] < ROLES["commenter"] < ROLES["member"] < ROLES["admin"] < ROLES["owner"]


@pytest.mark.parametrize("permission", sorted(EVERYTHING))
def test_a_deleted_project_is_for_owners_and_operators_to_look_at_and_restore(permission: Permission) -> None:
    life = a_team()
    life.given((OWNER, DeleteProject()))
    state = project_state(life)
    holders = [person for person in PEOPLE if allowed(state, person, permission)]
    assert holders == ([OWNER] if permission in WHILE_DELETED else [])
    assert allowed(state, OPERATOR, permission) == (permission in WHILE_DELETED)


def test_a_refusal_tells_members_more_than_strangers() -> None:
    life = a_team()
    state = project_state(life)
    assert refusal(state, OWNER, "project.edit") is None
    assert refused(refusal(state, VIEWER, "project.edit")) == FORBIDDEN
    assert refused(refusal(state, STRANGER, "project.edit")) == NOT_FOUND
    life.given((OWNER, DeleteProject()))
    assert refused(refusal(state, VIEWER, "project.edit")) == NOT_FOUND
    assert refused(refusal(state, OWNER, "project.edit")) == broken("project_deleted")


def test_nobody_may_anything_where_nothing_is() -> None:
    empty = a_team().actor.initial("project/none")
    assert not any(allowed(empty, person, "project.view") for person in (OWNER, OPERATOR))
