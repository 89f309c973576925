"""Invitations: who may invite whom to what, who may answer, and what ends an invitation."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from actors.project.invitations import VOIDED_PER_ENTRY_MAX, list_invitations
from actors.project.limits import ProjectLimits
from actors.runtime.actor import Decision
from protocol.event import OPERATOR, Command, Principal
from protocol.invitations import (
    AcceptInvitation,
    DeclineInvitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationExpired,
    InvitationRevoked,
    InviteMember,
    MemberInvited,
    RevokeInvitation,
)
from protocol.members import (
    AddMember,
    ChangeMemberRole,
    MemberAdded,
    MemberRemoved,
    RemoveMember,
    TransferOwnership,
)
from protocol.projects import DeleteProject, EditProject
from protocol.roles import DefineRole, EditRole, RemoveRole, RoleEdited
from tests.actors.given import (
    ADMIN,
    ALREADY_EXISTS,
    FORBIDDEN,
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

INVITATION, OTHER_INVITATION, ROLE = uuid(0x601), uuid(0x602), uuid(0x501)
TOKEN = "t" * 43
SOMEBODY = Principal(uuid(0x777))
JUST_IN_TIME, TOO_LATE = "2026-03-15T11:59:59.999Z", "2026-03-15T12:00:00.000Z"
ACCEPT = AcceptInvitation(invitation_id=INVITATION)
SHOWN = AcceptInvitation(invitation_id=INVITATION, token=TOKEN)
FITS, FITS_NOT = {"tokenFits": True}, {"tokenFits": False}


def an_invited(role: str = "member", limits: ProjectLimits | None = None) -> Life:
    """A team that has invited STRANGER."""
    life = a_team(limits)
    life.given((ADMIN, InviteMember(invitation_id=INVITATION, user_id=STRANGER.id, role=role)))
    return life


def an_addressed() -> Life:
    """A team that has invited whoever gets the mail."""
    life = a_team()
    life.given((ADMIN, InviteMember(invitation_id=INVITATION, email="eve@example.org", token=TOKEN, role="member")))
    return life


def test_an_invitation_names_a_user_or_has_address_and_token_outside_the_log() -> None:
    [invited] = happened(a_team().decide(InviteMember(user_id=STRANGER.id, role="member"), ADMIN))
    assert isinstance(invited, MemberInvited)
    assert (invited.invitation["userId"], invited.invitation["invitedBy"]) == (STRANGER.id, ADMIN.id)
    assert (invited.invitation["createdAt"], invited.invitation["expiresAt"]) == (NOW, TOO_LATE)
    life = an_addressed()
    assert life.state.invitations[INVITATION]["userId"] is None
    assert b"eve@" not in life.entries[-1].payload
    assert TOKEN.encode() not in life.entries[-1].payload
    by_mail = InviteMember(email="eve@example.org", token=TOKEN, role="member")
    [invited] = happened(a_team().decide(by_mail, ADMIN, facts={"invitationId": OTHER_INVITATION}))
    assert invited.invitation["id"] == OTHER_INVITATION


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"userId": STRANGER.id, "email": "eve@example.org", "token": TOKEN},
        {"email": "eve@example.org"},
        {"token": TOKEN},
        {"email": "eve@example.org", "token": "short"},
        {"email": "not an address", "token": TOKEN},
    ],
)
def test_an_invitation_goes_one_way(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        InviteMember.model_validate({"role": "member", **fields})


def test_who_is_invited_becomes_a_member_with_that_role_and_saw_nothing_before() -> None:
    life = an_invited()
    assert STRANGER.id not in (life.actor.audience(life.state) or ())
    assert happened(life.send(ACCEPT, STRANGER, now=JUST_IN_TIME)) == [
        InvitationAccepted(invitation_id=INVITATION, user_id=STRANGER.id),
        MemberAdded(user_id=STRANGER.id, role="member"),
    ]
    assert life.state.members[STRANGER.id]["role"] == "member"
    assert life.state.invitations == {}
    assert refused(life.decide(ACCEPT, STRANGER)) == NOT_FOUND


def test_a_token_works_once_and_for_nobody_without_it() -> None:
    life = an_addressed()
    assert refused(life.decide(ACCEPT, STRANGER, facts={})) == NOT_FOUND
    assert refused(life.decide(SHOWN, STRANGER, facts=FITS_NOT)) == NOT_FOUND
    assert refused(life.decide(SHOWN, OPERATOR, facts=FITS)) == NOT_FOUND
    assert len(happened(life.send(SHOWN, STRANGER, facts=FITS))) == 2
    assert refused(life.decide(SHOWN, VIEWER, facts=FITS)) == NOT_FOUND


def test_a_token_opens_no_invitation_of_a_user() -> None:
    assert refused(an_invited().decide(SHOWN, SOMEBODY, facts=FITS)) == NOT_FOUND
    assert refused(an_invited().decide(SHOWN, MEMBER, facts=FITS)) == NOT_FOUND


def test_strangers_cannot_tell_an_invitation_from_none() -> None:
    life, somebody = an_invited(), SOMEBODY
    for command in (ACCEPT, DeclineInvitation(invitation_id=INVITATION)):
        there = life.decide(command, somebody, facts={})
        assert there == a_team().decide(command, somebody, facts={})
        assert there == life.decide(EditProject(name="x"), somebody)


def test_too_late_is_too_late() -> None:
    assert refused(an_invited().decide(ACCEPT, STRANGER, now=TOO_LATE)) == broken("invitation_expired")


@pytest.mark.parametrize("fall", [RemoveMember(user_id=ADMIN.id), ChangeMemberRole(user_id=ADMIN.id, role="member")])
@pytest.mark.parametrize("by", [OWNER, ADMIN])
def test_an_invitation_falls_with_the_power_of_who_made_it(fall: Command, by: Principal) -> None:
    life = an_invited()
    life.given((OWNER, InviteMember(invitation_id=OTHER_INVITATION, user_id=SOMEBODY.id, role="viewer")))
    assert happened(life.send(fall, by))[0] == InvitationRevoked(invitation_id=INVITATION)
    assert list(life.state.invitations) == [OTHER_INVITATION]
    assert refused(life.decide(ACCEPT, STRANGER)) == NOT_FOUND
    assert happened(life.decide(InviteMember(user_id=STRANGER.id, role="viewer"), OWNER))


def test_an_invitation_of_who_goes_and_by_them_ends_once() -> None:
    life = an_invited()
    own = InviteMember(invitation_id=OTHER_INVITATION, user_id=SOMEBODY.id, role="viewer")
    life.take(Decision([MemberAdded(user_id=STRANGER.id, role="admin")], OWNER.id, NOW))
    life.given((STRANGER, own))
    life.given((OWNER, RemoveMember(user_id=STRANGER.id)))
    assert life.state.invitations == {}


def test_an_owner_who_gives_the_project_away_leaves_no_invitation_to_ownership() -> None:
    life = a_team()
    life.given(
        (OWNER, InviteMember(invitation_id=INVITATION, user_id=STRANGER.id, role="owner")),
        (OWNER, InviteMember(invitation_id=OTHER_INVITATION, user_id=SOMEBODY.id, role="admin")),
        (OWNER, TransferOwnership(user_id=MEMBER.id)),
    )
    assert list(life.state.invitations) == [OTHER_INVITATION]


def test_an_edited_role_ends_what_its_members_could_not_offer_any_more() -> None:
    life = a_team()
    life.given(
        (OWNER, DefineRole(role_id=ROLE, name="Host", permissions=["task.add", "member.add"])),
        (OWNER, ChangeMemberRole(user_id=MEMBER.id, role=ROLE)),
        (MEMBER, InviteMember(invitation_id=INVITATION, user_id=STRANGER.id, role="viewer")),
        (OWNER, InviteMember(invitation_id=OTHER_INVITATION, user_id=SOMEBODY.id, role=ROLE)),
        (OWNER, EditRole(role_id=ROLE, name="Hostess")),
    )
    assert list(life.state.invitations) == [INVITATION, OTHER_INVITATION]
    edited = happened(life.send(EditRole(role_id=ROLE, permissions=["task.add"]), OWNER))
    assert [type(event) for event in edited] == [InvitationRevoked, RoleEdited]
    assert list(life.state.invitations) == [OTHER_INVITATION]


def test_an_invitation_by_the_operator_stands() -> None:
    life = a_team()
    life.given((OPERATOR, InviteMember(invitation_id=INVITATION, user_id=STRANGER.id, role="owner")))
    life.given((OWNER, RemoveMember(user_id=ADMIN.id)))
    assert len(happened(life.decide(ACCEPT, STRANGER))) == 2


def test_no_entry_ends_more_than_a_thousand_invitations_and_none_of_the_rest_is_accepted() -> None:
    life = a_team(ProjectLimits(invitations_max=VOIDED_PER_ENTRY_MAX + 1))
    invited = [Principal(uuid(0x10000 + n)) for n in range(VOIDED_PER_ENTRY_MAX + 1)]
    life.given(*((ADMIN, InviteMember(user_id=one.id, role="viewer")) for one in invited))
    life.given((OWNER, RemoveMember(user_id=ADMIN.id)))
    [left] = life.state.invitations.values()
    answer = AcceptInvitation(invitation_id=left["id"])
    assert refused(life.decide(answer, Principal(str(left["userId"])))) == broken("invitation_void")
    again = happened(life.decide(InviteMember(user_id=str(left["userId"]), role="viewer"), OWNER))
    assert [type(event) for event in again] == [InvitationRevoked, MemberInvited]


def test_a_bot_answers_an_invitation_by_name_and_shows_no_token() -> None:
    bot = Principal(STRANGER.id, "bot", owner_id=OWNER.id)
    assert len(happened(an_invited().decide(ACCEPT, bot))) == 2
    assert len(happened(an_invited().decide(DeclineInvitation(invitation_id=INVITATION), bot))) == 1
    assert refused(an_addressed().decide(SHOWN, bot, facts=FITS)) == NOT_FOUND


def test_nobody_invites_to_more_than_they_have_or_without_permission() -> None:
    life = a_team()
    assert refused(life.decide(InviteMember(user_id=STRANGER.id, role="owner"), ADMIN)) == FORBIDDEN
    assert refused(life.decide(InviteMember(user_id=STRANGER.id, role="viewer"), MEMBER)) == FORBIDDEN
    assert refused(life.decide(InviteMember(user_id=STRANGER.id, role="viewer"), STRANGER)) == NOT_FOUND
    assert refused(life.decide(InviteMember(user_id=STRANGER.id, role=ROLE), OWNER)) == NOT_FOUND
    assert refused(life.decide(InviteMember(user_id=MEMBER.id, role="viewer"), ADMIN)) == ALREADY_EXISTS
    unknown = life.decide(InviteMember(user_id=uuid(0x777), role="viewer"), ADMIN, facts={"userExists": False})
    assert refused(unknown) == broken("unknown_user")


def test_one_invitation_waits_per_user_and_few_per_project() -> None:
    life = an_invited(limits=ProjectLimits(invitations_max=2))
    again = InviteMember(user_id=STRANGER.id, role="viewer")
    assert refused(life.decide(again, ADMIN)) == ALREADY_EXISTS
    same_id = InviteMember(invitation_id=INVITATION, user_id=uuid(0x777), role="viewer")
    assert refused(life.decide(same_id, ADMIN)) == ALREADY_EXISTS
    life.given((ADMIN, InviteMember(user_id=uuid(0x777), role="viewer")))
    third = InviteMember(user_id=uuid(0x778), role="viewer")
    assert refused(life.decide(third, ADMIN)) == broken("invitations_limit")
    expired = happened(life.send(again, ADMIN, now=TOO_LATE))
    assert expired[0] == InvitationExpired(invitation_id=INVITATION)
    assert [type(event) for event in expired] == [InvitationExpired, InvitationExpired, MemberInvited]
    assert len(life.state.invitations) == 1


def test_a_member_needs_no_invitation() -> None:
    life = an_invited()
    life.take(Decision([MemberAdded(user_id=STRANGER.id, role="viewer")], OWNER.id, NOW))
    assert refused(life.decide(ACCEPT, STRANGER)) == ALREADY_EXISTS


def test_an_invitation_is_declined_by_its_person_and_revoked_by_who_may_invite() -> None:
    life = an_invited()
    decline, revoke = DeclineInvitation(invitation_id=INVITATION), RevokeInvitation(invitation_id=INVITATION)
    assert refused(life.decide(decline, MEMBER)) == NOT_FOUND
    assert happened(life.decide(decline, STRANGER)) == [InvitationDeclined(invitation_id=INVITATION)]
    assert refused(life.decide(revoke, MEMBER)) == FORBIDDEN
    assert refused(life.decide(revoke, STRANGER)) == NOT_FOUND
    assert happened(life.send(revoke, OWNER)) == [InvitationRevoked(invitation_id=INVITATION)]
    assert refused(life.decide(revoke, OWNER)) == NOT_FOUND
    assert refused(life.decide(ACCEPT, STRANGER)) == NOT_FOUND


def test_a_deleted_project_invites_nobody() -> None:
    life = an_invited()
    life.given((OWNER, DeleteProject()))
    assert refused(life.decide(ACCEPT, STRANGER)) == NOT_FOUND
    assert refused(life.decide(InviteMember(user_id=uuid(0x777), role="viewer"), OWNER)) == broken("project_deleted")


def test_a_role_that_somebody_is_invited_to_stays() -> None:
    life = a_team()
    life.given(
        (OWNER, DefineRole(role_id=ROLE, name="Cook", permissions=["task.add"])),
        (OWNER, InviteMember(invitation_id=INVITATION, user_id=STRANGER.id, role=ROLE)),
    )
    assert refused(life.decide(RemoveRole(role_id=ROLE), OWNER)) == broken("role_in_use")
    life.given((OWNER, RemoveRole(role_id=ROLE)), now=TOO_LATE)
    assert refused(life.decide(ACCEPT, STRANGER, now=TOO_LATE)) == broken("invitation_expired")


def test_a_full_project_takes_nobody_in() -> None:
    life = an_invited(limits=ProjectLimits(members_max=5))
    assert refused(life.decide(ACCEPT, STRANGER)) == broken("members_limit")


def test_waiting_invitations_are_listed_to_who_may_invite() -> None:
    life = an_invited()
    life.given((ADMIN, InviteMember(invitation_id=OTHER_INVITATION, user_id=uuid(0x777), role="viewer")))
    state = project_state(life)
    listed = list_invitations(state, ADMIN, NOW, None, 1)
    assert isinstance(listed, list)
    assert [one["id"] for one in listed] == [INVITATION]
    assert list_invitations(state, ADMIN, NOW, INVITATION) == [state.invitations[OTHER_INVITATION]]
    assert list_invitations(state, ADMIN, TOO_LATE) == []
    assert list_invitations(state, VIEWER, NOW) == list_invitations(state, ADMIN, NOW)
    assert refused(list_invitations(state, STRANGER, NOW)) == NOT_FOUND


def test_becoming_a_member_in_any_way_ends_the_persons_other_invitations() -> None:
    life = an_invited("admin")
    add = AddMember(user_id=STRANGER.id, role="viewer")
    assert happened(life.send(add, OWNER)) == [
        InvitationRevoked(invitation_id=INVITATION),
        MemberAdded(user_id=STRANGER.id, role="viewer"),
    ]
    life.given((OWNER, RemoveMember(user_id=STRANGER.id)))
    assert refused(life.decide(ACCEPT, STRANGER)) == NOT_FOUND
    life = an_invited("admin")
    mail = InviteMember(invitation_id=OTHER_INVITATION, email="eve@example.org", token=TOKEN, role="viewer")
    life.given((ADMIN, mail))
    by_mail = AcceptInvitation(invitation_id=OTHER_INVITATION, token=TOKEN)
    assert happened(life.send(by_mail, STRANGER, facts=FITS)) == [
        InvitationAccepted(invitation_id=OTHER_INVITATION, user_id=STRANGER.id),
        InvitationRevoked(invitation_id=INVITATION),
        MemberAdded(user_id=STRANGER.id, role="viewer"),
    ]
    assert life.state.invitations == {}


def test_a_removal_takes_back_what_an_older_log_has_left_open() -> None:
    life = an_invited("admin")
    life.take(Decision([MemberAdded(user_id=STRANGER.id, role="viewer")], OWNER.id, NOW))
    assert happened(life.send(RemoveMember(user_id=STRANGER.id), OWNER)) == [
        InvitationRevoked(invitation_id=INVITATION),
        MemberRemoved(user_id=STRANGER.id, was="viewer"),
    ]


def test_a_bots_invitation_falls_with_the_power_of_its_person() -> None:
    life, facts = an_invited("member"), {"inviterOwnerId": MEMBER.id}
    assert refused(life.decide(ACCEPT, STRANGER, facts=facts)) == broken("invitation_void")
    assert happened(life.decide(ACCEPT, STRANGER, facts={"inviterOwnerId": OWNER.id}))
    life.given((OWNER, ChangeMemberRole(user_id=MEMBER.id, role="admin")))
    down = life.decide(ChangeMemberRole(user_id=MEMBER.id, role="viewer"), OWNER, facts={"botIds": [ADMIN.id]})
    assert happened(down)[0] == InvitationRevoked(invitation_id=INVITATION)
