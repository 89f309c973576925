"""Random commands on who belongs to a project and as what, and lives in which they meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol.event import Command
from protocol.invitations import AcceptInvitation, DeclineInvitation, InviteMember, RevokeInvitation
from protocol.members import ChangeMemberRole
from protocol.roles import DefineRole, EditRole, RemoveRole
from tests.actors.given import MEMBER, OWNER, STRANGER, uuid
from tests.laws.steps import Step

INVITATION_IDS = [uuid(0x600 + n) for n in range(2)]
TOKEN = "t" * 43
ROLE_IDS = [uuid(0x500 + n) for n in range(2)]
INVITATION_COMMANDS: tuple[type[Command], ...] = (InviteMember, AcceptInvitation, DeclineInvitation, RevokeInvitation)
ROLE_COMMANDS: tuple[type[Command], ...] = (DefineRole, EditRole, RemoveRole)

Commands = Mapping[type[Command], SearchStrategy[Command]]

_invitation_ids = st.sampled_from(INVITATION_IDS)
_role_ids = st.sampled_from(ROLE_IDS)
_permissions = st.lists(
    st.sampled_from(["task.edit", "task.add", "comment.add", "member.add", "role.manage", "project.delete"]), max_size=4
)
_Fields = SearchStrategy[dict[str, Any]]


def team_commands(user_ids: SearchStrategy[str], roles: SearchStrategy[Any]) -> Commands:
    """Command → strategy."""
    named: _Fields = st.fixed_dictionaries({"role": roles}, optional={"invitation_id": _invitation_ids})
    addressed: _Fields = st.one_of(
        st.fixed_dictionaries({"user_id": user_ids}), st.just({"email": "eve@example.org", "token": TOKEN})
    )
    answer: _Fields = st.fixed_dictionaries({"invitation_id": _invitation_ids}, optional={"token": st.just(TOKEN)})
    new_role: _Fields = st.fixed_dictionaries(
        {"role_id": _role_ids, "name": st.sampled_from(["A", "B"]), "permissions": _permissions}
    )
    edit: _Fields = st.fixed_dictionaries(
        {"role_id": _role_ids}, optional={"name": st.sampled_from(["A", "B", "C"]), "permissions": _permissions}
    )
    return {
        InviteMember: st.tuples(named, addressed).map(lambda both: InviteMember(**both[0], **both[1])),
        AcceptInvitation: answer.map(lambda fields: AcceptInvitation(**fields)),
        DeclineInvitation: answer.map(lambda fields: DeclineInvitation(**fields)),
        RevokeInvitation: _invitation_ids.map(lambda one: RevokeInvitation(invitation_id=one)),
        DefineRole: new_role.map(lambda fields: DefineRole(**fields)),
        EditRole: edit.map(lambda fields: EditRole(**fields)),
        RemoveRole: _role_ids.map(lambda one: RemoveRole(role_id=one)),
    }


def _by_owner(command: Command) -> Step:
    return Step("go on", command, OWNER, 0, None)


def team_lives(live: SearchStrategy[Step], turns: SearchStrategy[Any]) -> Sequence[SearchStrategy[list[Step]]]:
    """What is rare by chance, with any step in between."""
    answered = st.tuples(live, turns, turns, st.sampled_from([0, 0, 0, 28])).map(
        lambda drawn: [
            _by_owner(InviteMember(invitation_id=INVITATION_IDS[0], user_id=STRANGER.id, role="viewer")),
            Step(drawn[1], DeclineInvitation(invitation_id=INVITATION_IDS[0]), STRANGER, 0, None),
            _by_owner(InviteMember(invitation_id=INVITATION_IDS[0], user_id=STRANGER.id, role="viewer")),
            drawn[0],
            Step(drawn[2], AcceptInvitation(invitation_id=INVITATION_IDS[0]), STRANGER, drawn[3], None),
        ]
    )
    too_late = st.tuples(live, turns).map(
        lambda drawn: [
            _by_owner(InviteMember(invitation_id=INVITATION_IDS[0], user_id=STRANGER.id, role="viewer")),
            drawn[0],
            Step(drawn[1], _other_invitation(), OWNER, 20, None),
            _by_owner(RevokeInvitation(invitation_id=INVITATION_IDS[1])),
        ]
    )
    given_and_taken = st.tuples(_role_ids, live, turns, live, st.booleans()).map(
        lambda drawn: [
            _by_owner(DefineRole(role_id=drawn[0], name="A", permissions=["task.add"])),
            _by_owner(ChangeMemberRole(user_id=MEMBER.id, role=drawn[0])),
            drawn[1],
            Step(drawn[2], EditRole(role_id=drawn[0], permissions=["task.edit"]), OWNER, 1, None),
            drawn[3],
            _by_owner(ChangeMemberRole(user_id=MEMBER.id, role="member")),
            *([_by_owner(RemoveRole(role_id=drawn[0]))] if drawn[4] else []),
        ]
    )
    return [answered, too_late, given_and_taken]


def _other_invitation() -> InviteMember:
    return InviteMember(invitation_id=INVITATION_IDS[1], user_id=uuid(0x700), role="viewer")
