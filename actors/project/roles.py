"""Roles of the project's own: defined, edited, removed. Nobody gives a permission that they do not have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from actors.project.dating import date_other
from actors.project.grants import refuse_more, refuse_permissions
from actors.project.invitations import voided
from actors.project.limits import ProjectLimits
from actors.project.permissions import LOOKING, ROLES, broken, missing, refusal, taken
from actors.project.projects import Outcome
from actors.project.state import ProjectState, put_in_order
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.roles import (
    DefineRole,
    EditRole,
    RemoveRole,
    RoleChanges,
    RoleDefined,
    RoleEdited,
    RoleRemoved,
    RoleView,
)


def decide_define(state: ProjectState, command: DefineRole, context: Context, limits: ProjectLimits) -> Outcome:
    refused = refusal(state, context.principal, "role.manage")
    if refused is not None:
        return refused
    if "role_id" in command.model_fields_set and command.role_id in state.roles:
        return taken("role")
    refused = refuse_permissions(state, context.principal, command.permissions) or _refuse_name(state, command.name)
    if refused is not None:
        return refused
    if len(state.roles) >= limits.roles_max:
        return broken("roles_limit", f"a project has at most {limits.roles_max} roles of its own")
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    role: RoleView = {
        "id": command.role_id if "role_id" in command.model_fields_set else context.new_id(),
        "name": command.name,
        "permissions": _whole(command.permissions),
        "createdAt": dating.at,
        "updatedAt": dating.at,
    }
    return dating.decision([RoleDefined(role=role)])


def decide_edit(state: ProjectState, command: EditRole, context: Context) -> Outcome:
    """Who edits a role needs what it gave before and what it gives then. Invitations that become void with it end."""
    role = _managed(state, command.role_id, context.principal)
    if isinstance(role, Rejection):
        return role
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    wished: dict[str, Any] = {name: getattr(command, name) for name in command.model_fields_set - {"role_id"}}
    if "permissions" in wished:
        refused = refuse_permissions(state, context.principal, command.permissions)
        if refused is not None:
            return refused
        wished["permissions"] = _whole(command.permissions)
    changed = [name for name in sorted(wished) if wished[name] != role[name]]  # type: ignore[literal-required]
    if not changed:
        return dating.decision([])
    if "name" in changed and (refused := _refuse_name(state, command.name, command.role_id)) is not None:
        return refused
    changes: RoleChanges = {name: wished[name] for name in changed}  # type: ignore[assignment]
    was: RoleChanges = {name: role[name] for name in changed}  # type: ignore[assignment, literal-required]
    after = replace(state, roles={**state.roles, command.role_id: {**role, **changes}})
    return dating.decision([*voided(after), RoleEdited(role_id=command.role_id, changes=changes, was=was)])


def decide_remove(state: ProjectState, command: RemoveRole, context: Context) -> Outcome:
    role = _managed(state, command.role_id, context.principal)
    if isinstance(role, Rejection):
        return role
    if any(member["role"] == command.role_id for member in state.members.values()):
        return broken("role_in_use", "members have this role; give them another one first")
    waiting = (one for one in state.invitations.values() if one["expiresAt"] > context.now)
    if any(invitation["role"] == command.role_id for invitation in waiting):
        return broken("role_in_use", "somebody is invited to this role; take the invitation back first")
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    return dating.decision([RoleRemoved(role_id=command.role_id, was=role)])


def _managed(state: ProjectState, role_id: str, principal: Principal) -> RoleView | Rejection:
    refused = refusal(state, principal, "role.manage")
    if refused is not None:
        return refused
    role = state.roles.get(role_id)
    if role is None:
        return missing("role")
    return refuse_more(state, principal, role["permissions"]) or role


def _refuse_name(state: ProjectState, name: str, own_id: str | None = None) -> Rejection | None:
    """Two roles of one name could not be told apart by people."""
    names = {role["name"].casefold() for role in state.roles.values() if role["id"] != own_id}
    if name.casefold() in names | set(ROLES):
        return broken("role_name_taken", "another role has this name")
    return None


def _whole(names: Collection[str]) -> list[str]:
    return sorted({*names, *LOOKING})


def evolve_defined(state: ProjectState, event: RoleDefined, meta: EntryMeta) -> None:
    put_in_order(state.roles, event.role)


def evolve_edited(state: ProjectState, event: RoleEdited, meta: EntryMeta) -> None:
    state.roles[event.role_id] = {**state.roles[event.role_id], **event.changes, "updatedAt": meta.at}


def evolve_removed(state: ProjectState, event: RoleRemoved, meta: EntryMeta) -> None:
    del state.roles[event.role_id]


def list_roles(state: ProjectState, principal: Principal) -> Sequence[dict[str, Any]] | Rejection:
    """All roles that members can have, the built-in ones first; `builtIn` tells them apart. Their number is bounded."""
    refused = refusal(state, principal, "member.view")
    if refused is not None:
        return refused
    built_in = [{"id": name, "name": name, "permissions": sorted(ROLES[name]), "builtIn": True} for name in ROLES]
    return [*built_in, *({**role, "builtIn": False} for role in state.roles.values())]
