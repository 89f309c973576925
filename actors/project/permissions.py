"""Who may do what in a project. `allowed` decides everything; the rest of this file words its refusals.

A role is a named set of permissions: built in, or of the project's own. The operator stands above the roles. A bot may
what its role and that of the person it belongs to both allow; where that person is no member, its own role decides. One
that is an owner acts as one, so that a project always has an owner who may act.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, cast, get_args

from actors.project.state import ProjectState
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.members import MemberView, Role

Permission = Literal[
    "project.view",
    "project.edit",
    "project.change_visibility",
    "project.delete",
    "project.restore",
    "project.purge",
    "project.import",
    "member.view",
    "member.add",
    "member.change_role",
    "member.remove",
    "member.make_owner",
    "role.manage",
    "task.view",
    "task.add",
    "task.edit",
    "task.delete",
    "link.view",
    "link.add",
    "link.remove",
    "milestone.view",
    "milestone.add",
    "milestone.edit",
    "milestone.delete",
    "field.define",
    "comment.view",
    "comment.add",
    "comment.edit_own",
    "comment.edit_any",
    "comment.delete_own",
    "comment.delete_any",
    "comment.react",
]

EVERYTHING: Final[frozenset[Permission]] = frozenset(get_args(Permission))
LOOKING: Final[frozenset[Permission]] = frozenset(
    {"project.view", "member.view", "task.view", "link.view", "milestone.view", "comment.view"}
)
"""Whoever follows a project sees all of it, so these belong to every role."""
_VIEWER: frozenset[Permission] = LOOKING
_COMMENTER: frozenset[Permission] = _VIEWER | {"comment.add", "comment.edit_own", "comment.delete_own", "comment.react"}
_MEMBER: frozenset[Permission] = _COMMENTER | {
    "task.add",
    "task.edit",
    "task.delete",
    "link.add",
    "link.remove",
    "milestone.add",
    "milestone.edit",
}
_ADMIN: frozenset[Permission] = _MEMBER | {
    "project.edit",
    "project.change_visibility",
    "project.import",
    "member.add",
    "member.change_role",
    "member.remove",
    "role.manage",
    "milestone.delete",
    "field.define",
    "comment.edit_any",
    "comment.delete_any",
}

ROLES: Mapping[str, frozenset[Permission]] = MappingProxyType(
    {
        "owner": EVERYTHING,
        "admin": _ADMIN,
        "member": _MEMBER,
        "commenter": _COMMENTER,
        "viewer": _VIEWER,
    }
)

FOR_OWNERS_ALONE: Final[frozenset[Permission]] = frozenset({"member.make_owner", "project.restore", "project.purge"})
"""No role of a project's own can have these: who makes owners has everything, and a deletion is seen by them alone."""

WHILE_DELETED: Final[frozenset[Permission]] = _VIEWER | {"project.restore", "project.purge"}
"""What is left to owners and to the operator; nothing is left to anybody else."""


def allowed(state: ProjectState, principal: Principal, permission: Permission) -> bool:
    """Whether the principal has the permission in this project now."""
    if state.project is None:
        return False
    if state.project["deletedAt"] is not None and permission not in WHILE_DELETED:
        return False
    if principal.is_operator:
        return True
    member = state.members.get(principal.id)
    if member is None:
        return is_public(state) and permission in LOOKING
    person = state.members.get(principal.owner_id) if principal.owner_id is not None else None
    return _grants(state, member, permission) and (
        person is None or member["role"] == "owner" or _grants(state, person, permission)
    )


def _grants(state: ProjectState, member: MemberView, permission: Permission) -> bool:
    """Whether a membership has it; a deleted project is left to its owners."""
    if state.project is not None and state.project["deletedAt"] is not None and member["role"] != "owner":
        return False
    return permission in permissions_of(state, member["role"])


def is_public(state: ProjectState) -> bool:
    """Whether everybody may look."""
    project = state.project
    return project is not None and project["visibility"] == "public" and project["deletedAt"] is None


def permissions_of(state: ProjectState, role: Role) -> frozenset[Permission]:
    """What a role allows. Raises KeyError for one that the project does not have."""
    if role in ROLES:
        return ROLES[role]
    named = cast("frozenset[Permission]", frozenset(state.roles[role]["permissions"]))
    return LOOKING | (named - FOR_OWNERS_ALONE)


def refusal(state: ProjectState, principal: Principal, permission: Permission) -> Rejection | None:
    """None when the permission is there; else a refusal. Strangers do not learn that there is a project."""
    if allowed(state, principal, permission):
        return None
    if not allowed(state, principal, "project.view"):
        return no_project()
    if state.project is not None and state.project["deletedAt"] is not None:
        return deleted()
    return forbidden(permission)


def deleted() -> Rejection:
    """For those who still see the project."""
    return broken("project_deleted", "the project is deleted; it has to be restored first")


def no_project() -> Rejection:
    """The answer to everybody who may not see the project, the same when there is none."""
    return Rejection(ErrorCode.NOT_FOUND, "no such project")


def forbidden(permission: Permission) -> Rejection:
    """A member asked for more than their role allows."""
    return Rejection(ErrorCode.FORBIDDEN, "your role in this project does not allow it", {"permission": permission})


def missing(what: str) -> Rejection:
    """Something inside a visible project is not there."""
    return Rejection(ErrorCode.NOT_FOUND, f"no such {what} in this project", {"what": what})


def taken(what: str) -> Rejection:
    """Something with this id is there already."""
    return Rejection(ErrorCode.ALREADY_EXISTS, f"this {what} exists already", {"what": what})


def broken(reason: str, message: str) -> Rejection:
    """A rule of the domain forbids it. `reason` is stable; programs may compare it."""
    return Rejection(ErrorCode.RULE_BROKEN, message, {"reason": reason})
