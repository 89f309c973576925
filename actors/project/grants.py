"""What nobody gives: a permission that they do not have, by a role, by an edit of one or by an invitation."""

from __future__ import annotations

from collections.abc import Collection

from actors.project.permissions import (
    EVERYTHING,
    FOR_OWNERS_ALONE,
    ROLES,
    allowed,
    broken,
    forbidden,
    missing,
    permissions_of,
)
from actors.project.state import ProjectState
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.members import Role


def refuse_grant(state: ProjectState, principal: Principal, role: Role) -> Rejection | None:
    """Why the principal cannot give a role, or take it from somebody: it is not there, or stronger than their own."""
    if role not in ROLES and role not in state.roles:
        return missing("role")
    if role == "owner" and not allowed(state, principal, "member.make_owner"):
        return forbidden("member.make_owner")
    return refuse_more(state, principal, permissions_of(state, role))


def refuse_permissions(state: ProjectState, principal: Principal, names: Collection[str]) -> Rejection | None:
    """Why the principal cannot put these permissions into a role."""
    if unknown := sorted(set(names) - EVERYTHING):
        return broken("unknown_permission", f"there is no permission {unknown[0]}")
    if reserved := sorted(set(names) & FOR_OWNERS_ALONE):
        return broken("permission_reserved", f"{reserved[0]} belongs to owners alone")
    return refuse_more(state, principal, names)


def refuse_more(state: ProjectState, principal: Principal, names: Collection[str]) -> Rejection | None:
    """Why the principal cannot give these permissions, or take them: the first that they lack."""
    lacking = [name for name in sorted(EVERYTHING) if name in names and not allowed(state, principal, name)]
    return forbidden(lacking[0]) if lacking else None
