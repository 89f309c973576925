"""Members: added, given another role, removed. A project keeps an owner; nobody touches who may more."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from actors.project.dating import date_other
from actors.project.grants import refuse_grant
from actors.project.invitations import revocations, voided
from actors.project.limits import ProjectLimits
from actors.project.permissions import broken, missing, refusal, taken
from actors.project.projects import Outcome
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.invitations import InvitationRevoked
from protocol.members import (
    AddMember,
    ChangeMemberRole,
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    MemberView,
    RemoveMember,
    TransferOwnership,
)


def decide_add(state: ProjectState, command: AddMember, context: Context, limits: ProjectLimits) -> Outcome:
    """`facts["userExists"]` says whether the account is there."""
    refused = refusal(state, context.principal, "member.add")
    if refused is not None:
        return refused
    refused = refuse_grant(state, context.principal, command.role)
    if refused is not None:
        return refused
    if command.user_id in state.members:
        return taken("member")
    if not context.facts["userExists"]:
        return broken("unknown_user", "there is no such user")
    if len(state.members) >= limits.members_max:
        return broken("members_limit", f"a project has at most {limits.members_max} members")
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    added = MemberAdded(user_id=command.user_id, role=command.role)
    return dating.decision([*revocations(state, command.user_id), added])


def decide_change_role(state: ProjectState, command: ChangeMemberRole, context: Context) -> Outcome:
    """With an owner their bots stop to be owners; invitations that become void end. Fact: `botIds`, as on removal."""
    refused = refusal(state, context.principal, "member.change_role")
    if refused is not None:
        return refused
    member = state.members.get(command.user_id)
    if member is None:
        return missing("member")
    refused = refuse_grant(state, context.principal, member["role"])
    refused = refused or refuse_grant(state, context.principal, command.role)
    if refused is not None:
        return refused
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    if command.role == member["role"]:
        return dating.decision([])
    changing = [member, *_owning_bots(state, member, context)]
    if _leave_no_owner(state, changing):
        return _last_owner()
    changed = [MemberRoleChanged(user_id=one["userId"], role=command.role, was=one["role"]) for one in changing]
    return dating.decision([*_voided_by(state, changed, _owners(command.user_id, context)), *changed])


def decide_remove(state: ProjectState, command: RemoveMember, context: Context) -> Outcome:
    """Leaving needs no permission beyond being there. A person's bots go with them, and so do their invitations.

    Fact: `botIds`, of that person.
    """
    leaves = command.user_id == context.principal.id and command.user_id in state.members
    refused = None if leaves and _open(state) else refusal(state, context.principal, "member.remove")
    if refused is not None:
        return refused
    member = state.members.get(command.user_id)
    if member is None:
        return missing("member")
    going = [member, *_bots_here(state, context)]
    grants = (refuse_grant(state, context.principal, one["role"]) for one in going)
    refused = None if leaves else next((grant for grant in grants if grant is not None), None)
    if refused is not None:
        return refused
    if _leave_no_owner(state, going):
        return _last_owner()
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    invited = [event for one in going for event in revocations(state, one["userId"])]
    removed = [MemberRemoved(user_id=one["userId"], was=one["role"]) for one in going]
    void = [event for event in _voided_by(state, removed) if event not in invited]
    return dating.decision([*invited, *void, *removed])


def _voided_by(
    state: ProjectState, changes: Iterable[MemberRemoved | MemberRoleChanged], owners: Mapping[str, str] | None = None
) -> Sequence[InvitationRevoked]:
    """The invitations that end with these changes of memberships."""
    members = dict(state.members)
    for change in changes:
        member = members.pop(change.user_id)
        if isinstance(change, MemberRoleChanged):
            members[change.user_id] = {**member, "role": change.role}
    return voided(replace(state, members=members), owners or {})


def _owners(user_id: str, context: Context) -> Mapping[str, str]:
    """Whose bots they are, of the person that the facts are about."""
    return dict.fromkeys(context.facts.get("botIds", ()), user_id)


def _bots_here(state: ProjectState, context: Context) -> Sequence[MemberView]:
    return [state.members[bot_id] for bot_id in context.facts.get("botIds", ()) if bot_id in state.members]


def _owning_bots(state: ProjectState, person: MemberView, context: Context) -> Sequence[MemberView]:
    """An owner's bots that are owners as well; those of others were made owners for their own sake."""
    if person["role"] != "owner":
        return []
    return [bot for bot in _bots_here(state, context) if bot["role"] == "owner"]


def _leave_no_owner(state: ProjectState, going: Sequence[MemberView]) -> bool:
    return any(one["role"] == "owner" for one in going) and all(
        one in going for one in state.members.values() if one["role"] == "owner"
    )


def decide_transfer(state: ProjectState, command: TransferOwnership, context: Context) -> Outcome:
    """One entry: at no time is there no owner. Fact: `botIds`, of the giver, who stop to be owners as well."""
    refused = refusal(state, context.principal, "member.make_owner")
    if refused is not None:
        return refused
    giver = state.members.get(context.principal.id)
    if giver is None:
        return broken("not_owner", "only an owner has an ownership to give")
    target = state.members.get(command.user_id)
    if target is None:
        return missing("member")
    if target is giver or target in _bots_here(state, context):
        return broken("own_transfer", "an ownership is given to somebody else")
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    giving = [giver, *_owning_bots(state, giver, context)]
    changed = [MemberRoleChanged(user_id=one["userId"], role="admin", was=one["role"]) for one in giving]
    if target["role"] != "owner":
        changed.insert(0, MemberRoleChanged(user_id=command.user_id, role="owner", was=target["role"]))
    return dating.decision([*_voided_by(state, changed, _owners(giver["userId"], context)), *changed])


def _open(state: ProjectState) -> bool:
    return state.project is not None and state.project["deletedAt"] is None


def _last_owner() -> Rejection:
    return broken("last_owner", "a project always keeps an owner; make somebody else one first")


def evolve_added(state: ProjectState, event: MemberAdded, meta: EntryMeta) -> None:
    member: MemberView = {"userId": event.user_id, "role": event.role, "addedAt": meta.at}
    state.members[event.user_id] = member


def evolve_role_changed(state: ProjectState, event: MemberRoleChanged, meta: EntryMeta) -> None:
    state.members[event.user_id] = {**state.members[event.user_id], "role": event.role}


def evolve_removed(state: ProjectState, event: MemberRemoved, meta: EntryMeta) -> None:
    """What the person wrote and was assigned to stays theirs."""
    del state.members[event.user_id]


def list_members(
    state: ProjectState, principal: Principal, after: str | None = None, limit: int = 100
) -> Sequence[MemberView] | Rejection:
    """A page of members by user id, those after the user id `after`."""
    refused = refusal(state, principal, "member.view")
    if refused is not None:
        return refused
    ids = sorted(state.members)
    start = 0 if after is None else bisect_right(ids, after)
    return [state.members[user_id] for user_id in ids[start : start + limit]]
