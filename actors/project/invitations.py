"""Invitations: made, accepted, declined, taken back. Who is invited sees nothing of a private project before.

Whoever follows the project sees them all, as they see its members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice
from types import MappingProxyType

from actors.project.dating import Dating, date_other
from actors.project.grants import refuse_grant
from actors.project.limits import ProjectLimits
from actors.project.permissions import allowed, broken, missing, no_project, refusal, taken
from actors.project.projects import Outcome
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta
from protocol.base import datetime_of, instant_of
from protocol.errors import Rejection
from protocol.event import OPERATOR, Principal
from protocol.invitations import (
    AcceptInvitation,
    DeclineInvitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRevoked,
    InvitationView,
    InviteMember,
    MemberInvited,
    RevokeInvitation,
)
from protocol.members import MemberAdded

EXPIRED_PER_ENTRY_MAX = 100
VOIDED_PER_ENTRY_MAX = 1000


def decide_invite(state: ProjectState, command: InviteMember, context: Context, limits: ProjectLimits) -> Outcome:
    """Facts: `userExists` about a user; `invitationId` of what the edge has kept address and token for."""
    refused = refusal(state, context.principal, "member.add") or refuse_grant(state, context.principal, command.role)
    if refused is not None:
        return refused
    invitation_id = _id_of(command, context)
    user_id = command.user_id if "user_id" in command.model_fields_set else None
    if invitation_id in state.invitations:
        return taken("invitation")
    if user_id is not None and (refused := _refuse_invited(state, user_id, context)) is not None:
        return refused
    late = [one["id"] for one in state.invitations.values() if _is_late(one, context)]
    if len(state.invitations) - len(late) >= limits.invitations_max:
        return broken("invitations_limit", f"at most {limits.invitations_max} invitations wait for an answer")
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    invitation = _invitation(invitation_id, user_id, command, dating, limits)
    expired = [InvitationExpired(invitation_id=one) for one in late[:EXPIRED_PER_ENTRY_MAX]]
    void = [] if user_id is None else [one for one in revocations(state, user_id) if one.invitation_id not in late]
    return dating.decision([*expired, *void, MemberInvited(invitation=invitation)])


def _id_of(command: InviteMember, context: Context) -> str:
    if "invitation_id" in command.model_fields_set:
        return command.invitation_id
    known: str | None = context.facts.get("invitationId")
    return known if known is not None else context.new_id()


def _refuse_invited(state: ProjectState, user_id: str, context: Context) -> Rejection | None:
    if user_id in state.members:
        return taken("member")
    if not context.facts["userExists"]:
        return broken("unknown_user", "there is no such user")
    waiting = (one for one in state.invitations.values() if one["userId"] == user_id and not _is_late(one, context))
    return None if all(_is_void(state, one) for one in waiting) else taken("invitation")


def _invitation(
    invitation_id: str, user_id: str | None, command: InviteMember, dating: Dating, limits: ProjectLimits
) -> InvitationView:
    until = datetime_of(dating.at) + timedelta(days=limits.invitation_lifetime_days)
    return {
        "id": invitation_id,
        "role": command.role,
        "userId": user_id,
        "invitedBy": dating.author,
        "createdAt": dating.at,
        "expiresAt": instant_of(until),
    }


def decide_accept(state: ProjectState, command: AcceptInvitation, context: Context, limits: ProjectLimits) -> Outcome:
    """Facts: `tokenFits`, whether a token was shown that belongs to it; `inviterOwnerId`, whose bot invited."""
    invitation = _own(state, command, context)
    if isinstance(invitation, Rejection):
        return invitation
    user_id = context.principal.id
    if user_id in state.members:
        return taken("member")
    if _is_late(invitation, context):
        return broken("invitation_expired", "the invitation is too old; ask for another one")
    if _is_void(state, invitation, context.facts.get("inviterOwnerId")):
        return broken("invitation_void", "who invited could not do so today; ask for another invitation")
    if len(state.members) >= limits.members_max:
        return broken("members_limit", f"a project has at most {limits.members_max} members")
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    accepted = InvitationAccepted(invitation_id=command.invitation_id, user_id=user_id)
    others = [one for one in revocations(state, user_id) if one.invitation_id != command.invitation_id]
    return dating.decision([accepted, *others, MemberAdded(user_id=user_id, role=invitation["role"])])


def revocations(state: ProjectState, user_id: str) -> Sequence[InvitationRevoked]:
    """What ends with a membership's beginning and end: no older invitation of the person may bring them back."""
    waiting = [one["id"] for one in state.invitations.values() if one["userId"] == user_id]
    return [InvitationRevoked(invitation_id=invitation_id) for invitation_id in waiting]


def voided(after: ProjectState, owners: Mapping[str, str] = MappingProxyType({})) -> Sequence[InvitationRevoked]:
    """What ends with a change of members and roles, which `after` has behind it: no inviter there could make it.

    `owners` says whose the bots are that the change is about, by the bot's id. An invitation by another bot falls with
    what the bot's own role allows; what its person lost is seen when it is accepted.
    """
    void = (one["id"] for one in after.invitations.values() if _is_void(after, one, owners.get(one["invitedBy"])))
    return [InvitationRevoked(invitation_id=one) for one in islice(void, VOIDED_PER_ENTRY_MAX)]


def decide_decline(state: ProjectState, command: DeclineInvitation, context: Context) -> Outcome:
    invitation = _own(state, command, context)
    if isinstance(invitation, Rejection):
        return invitation
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    return dating.decision([InvitationDeclined(invitation_id=command.invitation_id)])


def decide_revoke(state: ProjectState, command: RevokeInvitation, context: Context) -> Outcome:
    refused = refusal(state, context.principal, "member.add")
    if refused is not None:
        return refused
    if command.invitation_id not in state.invitations:
        return missing("invitation")
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    return dating.decision([InvitationRevoked(invitation_id=command.invitation_id)])


def _own(
    state: ProjectState, command: AcceptInvitation | DeclineInvitation, context: Context
) -> InvitationView | Rejection:
    """The invitation, for whom it is for. To everybody else it is not there, and the project may not be either."""
    principal = context.principal
    is_open = state.project is not None and state.project["deletedAt"] is None
    invitation = state.invitations.get(command.invitation_id) if is_open else None
    if invitation is not None:
        if invitation["userId"] == principal.id:
            return invitation
        if invitation["userId"] is None and context.facts.get("tokenFits") is True and principal.kind == "user":
            return invitation
    return missing("invitation") if allowed(state, principal, "project.view") else no_project()


def _is_late(invitation: InvitationView, context: Context) -> bool:
    return context.now >= invitation["expiresAt"]


def _is_void(state: ProjectState, invitation: InvitationView, owner_id: str | None = None) -> bool:
    """Whether its inviter has lost what they gave: a person who was removed must not have left doors open."""
    by = invitation["invitedBy"]
    inviter = OPERATOR if by == OPERATOR.id else Principal(by, owner_id=owner_id)
    return not allowed(state, inviter, "member.add") or refuse_grant(state, inviter, invitation["role"]) is not None


def evolve_invited(state: ProjectState, event: MemberInvited, meta: EntryMeta) -> None:
    state.invitations[event.invitation["id"]] = event.invitation


def evolve_settled(
    state: ProjectState,
    event: InvitationAccepted | InvitationDeclined | InvitationRevoked | InvitationExpired,
    meta: EntryMeta,
) -> None:
    del state.invitations[event.invitation_id]


def view_inviter(state: ProjectState, principal: Principal, invitation_id: str) -> str | None:
    """Who made an invitation, for the facts of its answer; shown to nobody."""
    invitation = state.invitations.get(invitation_id)
    return None if invitation is None else invitation["invitedBy"]


def list_invitations(
    state: ProjectState, principal: Principal, now: str, after: str | None = None, limit: int = 100
) -> Sequence[InvitationView] | Rejection:
    """A page of the invitations that can still be accepted at `now`, by id, to those who see the members.

    With "" for `now`, of all that wait: of the past nobody knows what time it was there.
    """
    refused = refusal(state, principal, "member.view")
    if refused is not None:
        return refused
    ids = sorted(one for one, view in state.invitations.items() if view["expiresAt"] > now and one > (after or ""))
    return [state.invitations[invitation_id] for invitation_id in ids[:limit]]
