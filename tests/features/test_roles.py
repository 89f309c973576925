"""Roles of a project's own: what they allow, and that nobody gives away more than they have."""

from __future__ import annotations

from actors.project.limits import ProjectLimits
from actors.project.permissions import LOOKING, ROLES, Permission
from actors.project.roles import list_roles
from protocol.event import OPERATOR
from protocol.members import AddMember, ChangeMemberRole, RemoveMember
from protocol.projects import DeleteProject, EditProject, RestoreProject
from protocol.roles import DefineRole, EditRole, RemoveRole, RoleDefined, RoleEdited, RoleRemoved
from protocol.tasks import CreateTask
from tests.actors.given import (
    ADMIN,
    ALREADY_EXISTS,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
    NOW,
    OWNER,
    STRANGER,
    VIEWER,
    Life,
    a_team,
    broken,
    happened,
    project_state,
    refused,
    uuid,
)

ROLE, OTHER_ROLE = uuid(0x501), uuid(0x502)


def a_recruiter() -> Life:
    """A team in which STRANGER has a role of the project's own: may bring people in and manage roles."""
    life = a_team()
    recruiter = DefineRole(
        role_id=ROLE, name="Recruiter", permissions=["member.add", "member.change_role", "member.remove", "role.manage"]
    )
    life.given((OWNER, recruiter), (OWNER, AddMember(user_id=STRANGER.id, role=ROLE)))
    return life


def test_a_role_is_a_named_set_of_permissions_and_always_looks() -> None:
    life = a_team()
    [defined] = happened(life.send(DefineRole(role_id=ROLE, name="Cook", permissions=["task.add"]), OWNER))
    permissions = sorted([*LOOKING, "task.add"])
    role = {"id": ROLE, "name": "Cook", "permissions": permissions, "createdAt": NOW, "updatedAt": NOW}
    assert defined == RoleDefined(role=role)  # type: ignore[arg-type]
    assert life.actor.answer([defined]) == {"roleId": ROLE}
    life.given((OWNER, ChangeMemberRole(user_id=VIEWER.id, role=ROLE)), (VIEWER, CreateTask(title="Soup")))
    assert refused(life.decide(EditProject(name="Kitchen"), VIEWER)) == FORBIDDEN
    assert list_roles(project_state(life), VIEWER) == [
        *({"id": name, "name": name, "permissions": sorted(ROLES[name]), "builtIn": True} for name in ROLES),
        {**role, "builtIn": False},
    ]
    assert refused(list_roles(project_state(life), STRANGER)) == NOT_FOUND


def test_an_edit_counts_at_once_and_says_what_was() -> None:
    life = a_recruiter()
    life.given((OWNER, EditRole(role_id=ROLE, permissions=["task.add", "task.add"])), (STRANGER, CreateTask(title="x")))
    assert refused(life.decide(AddMember(user_id=uuid(0x600), role="viewer"), STRANGER)) == FORBIDDEN
    [edited] = happened(life.send(EditRole(role_id=ROLE, name="Cook", permissions=["task.add"]), OWNER, now=LATER))
    assert edited == RoleEdited(role_id=ROLE, changes={"name": "Cook"}, was={"name": "Recruiter"})
    assert (life.state.roles[ROLE]["name"], life.state.roles[ROLE]["updatedAt"]) == ("Cook", LATER)
    assert happened(life.decide(EditRole(role_id=ROLE, name="Cook"), OWNER)) == []


def test_nobody_gives_more_than_they_have() -> None:
    life = a_recruiter()
    newcomer = uuid(0x600)
    assert len(happened(life.decide(AddMember(user_id=newcomer, role="viewer"), STRANGER))) == 1
    assert len(happened(life.decide(AddMember(user_id=newcomer, role=ROLE), STRANGER))) == 1
    for role in ("commenter", "member", "admin", "owner"):
        assert refused(life.decide(AddMember(user_id=newcomer, role=role), STRANGER)) == FORBIDDEN
        assert refused(life.decide(ChangeMemberRole(user_id=VIEWER.id, role=role), STRANGER)) == FORBIDDEN
    assert refused(life.decide(DefineRole(name="Mole", permissions=["task.edit"]), STRANGER)) == FORBIDDEN
    assert refused(life.decide(EditRole(role_id=ROLE, permissions=["task.edit"]), STRANGER)) == FORBIDDEN
    assert refused(life.decide(DefineRole(name="Killer", permissions=["project.delete"]), ADMIN)) == FORBIDDEN
    assert len(happened(life.decide(DefineRole(name="Killer", permissions=["project.delete"]), OWNER))) == 1
    assert len(happened(life.decide(DefineRole(name="Killer", permissions=["project.delete"]), OPERATOR))) == 1


def test_nobody_touches_who_may_more_than_they() -> None:
    life = a_recruiter()
    assert refused(life.decide(RemoveMember(user_id=ADMIN.id), STRANGER)) == FORBIDDEN
    assert refused(life.decide(ChangeMemberRole(user_id=MEMBER.id, role="viewer"), STRANGER)) == FORBIDDEN
    assert len(happened(life.decide(RemoveMember(user_id=VIEWER.id), STRANGER))) == 1
    life.given((OWNER, DefineRole(role_id=OTHER_ROLE, name="Killer", permissions=["project.delete"])))
    assert refused(life.decide(EditRole(role_id=OTHER_ROLE, name="Cat"), ADMIN)) == FORBIDDEN
    assert refused(life.decide(RemoveRole(role_id=OTHER_ROLE), ADMIN)) == FORBIDDEN
    assert len(happened(life.decide(RemoveRole(role_id=OTHER_ROLE), OWNER))) == 1


def test_what_is_for_owners_stays_with_them() -> None:
    life = a_team()
    for name in ("member.make_owner", "project.restore"):
        reserved = DefineRole(name="Heir", permissions=[name])
        assert refused(life.decide(reserved, OWNER)) == broken("permission_reserved")
    permissions: list[str] = ["project.delete"]
    life.given(
        (OWNER, DefineRole(role_id=ROLE, name="Killer", permissions=permissions)),
        (OWNER, ChangeMemberRole(user_id=ADMIN.id, role=ROLE)),
        (ADMIN, DeleteProject()),
    )
    assert refused(life.decide(RestoreProject(), ADMIN)) == NOT_FOUND
    assert len(happened(life.decide(RestoreProject(), OWNER))) == 1


def test_a_role_that_somebody_has_stays() -> None:
    life = a_recruiter()
    assert refused(life.decide(RemoveRole(role_id=ROLE), OWNER)) == broken("role_in_use")
    was = life.state.roles[ROLE]
    life.given((OWNER, RemoveMember(user_id=STRANGER.id)))
    assert happened(life.send(RemoveRole(role_id=ROLE), OWNER)) == [RoleRemoved(role_id=ROLE, was=was)]
    for command in (
        RemoveRole(role_id=ROLE),
        EditRole(role_id=ROLE, name="x"),
        AddMember(user_id=VIEWER.id, role=ROLE),
    ):
        assert refused(life.decide(command, OWNER)) == NOT_FOUND


def test_names_and_ids_are_distinct_permissions_known_and_roles_few() -> None:
    life = a_team(ProjectLimits(roles_max=2))
    life.given((ADMIN, DefineRole(role_id=ROLE, name="Cook", permissions=[])))
    assert refused(life.decide(DefineRole(role_id=ROLE, name="Baker", permissions=[]), OWNER)) == ALREADY_EXISTS
    for name in ("cook", "Owner"):
        again = DefineRole(name=name, permissions=[])
        assert refused(life.decide(again, OWNER)) == broken("role_name_taken")
    unknown = DefineRole(name="Singer", permissions=["task.sing"])
    assert refused(life.decide(unknown, OWNER)) == broken("unknown_permission")
    life.given((OWNER, DefineRole(role_id=OTHER_ROLE, name="Baker", permissions=[])))
    assert refused(life.decide(EditRole(role_id=OTHER_ROLE, name="COOK"), OWNER)) == broken("role_name_taken")
    assert len(happened(life.decide(EditRole(role_id=OTHER_ROLE, name="BAKER"), OWNER))) == 1
    assert refused(life.decide(DefineRole(name="Third", permissions=[]), OWNER)) == broken("roles_limit")


def test_only_who_manages_roles_does_and_strangers_learn_nothing() -> None:
    life = a_team()
    role = DefineRole(name="Cook", permissions=[])
    assert refused(life.decide(role, MEMBER)) == FORBIDDEN
    assert refused(life.decide(role, STRANGER)) == NOT_FOUND
    life.given((OWNER, DeleteProject()))
    assert refused(life.decide(role, OWNER)) == broken("project_deleted")


def test_a_permission_that_no_version_knows_any_more_allows_nothing() -> None:
    life = a_recruiter()
    role = life.state.roles[ROLE]
    life.state.roles[ROLE] = {**role, "permissions": ["task.sing", "member.make_owner"]}
    wishes: list[Permission] = ["member.make_owner", "task.add"]
    assert all(wish not in ROLES["viewer"] for wish in wishes)
    assert refused(life.decide(AddMember(user_id=uuid(0x600), role="viewer"), STRANGER)) == FORBIDDEN
    assert refused(life.decide(CreateTask(title="x"), STRANGER)) == FORBIDDEN
