"""Invitations to a project, by user or by e-mail: their messages and their record of state.

Whoever may look at a project sees its invitations: who invited whom to which role, in lists and in entries alike.
Neither address nor token of an invitation by e-mail is ever in the log.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import StringConstraints, model_validator, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Name, PersonId, Uuid, absent
from protocol.event import Command, Event
from protocol.members import Role

InvitationToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43,128}$")]
"""At least 32 random bytes in base64url, made by the inviter. Who shows it is who the invitation was sent to."""

InvitedAddress = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")]


@with_config(VIEW_CONFIG)
class InvitationView(TypedDict):
    """An invitation that nobody has answered. `userId` is null where it went to an address."""

    id: Uuid
    role: Role
    userId: Uuid | None
    invitedBy: PersonId
    createdAt: Instant
    expiresAt: Instant


@with_config(VIEW_CONFIG)
class OwnInvitation(InvitationView):
    """An invitation as the invited user's list shows it."""

    projectId: Uuid
    projectName: Name


class InviteMember(Command):
    """Invites a user (`userId`), or whoever gets the mail (`email` with a `token` that the inviter makes).

    Everybody who may look at the project sees whom, but not the address. Nobody gives a role that allows more than
    their own. The id may come from the client.
    """

    makes = "invitation_id"

    invitation_id: Uuid = absent()
    user_id: Uuid = absent()
    email: InvitedAddress = absent()
    token: InvitationToken = absent()
    role: Role

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        named = self.model_fields_set & {"user_id", "email", "token"}
        if named not in ({"user_id"}, {"email", "token"}):
            raise ValueError("give userId, or email and token")
        return self


class AcceptInvitation(Command):
    """Makes the invited user or bot a member, and ends what else invites them by name.

    An invitation by e-mail asks for its token, which works once, and not for bots.
    """

    invitation_id: Uuid
    token: InvitationToken = absent()


class DeclineInvitation(Command):
    """Says no; as with AcceptInvitation, by who is invited or with the token."""

    invitation_id: Uuid
    token: InvitationToken = absent()


class RevokeInvitation(Command):
    """Takes an invitation back."""

    invitation_id: Uuid


class MemberInvited(Event):
    """The whole invitation."""

    invitation: InvitationView


class InvitationAccepted(Event):
    """The membership itself is the event after it."""

    invitation_id: Uuid
    user_id: Uuid


class InvitationDeclined(Event):
    """Its entry's author said no."""

    invitation_id: Uuid


class InvitationRevoked(Event):
    """It can be accepted no more."""

    invitation_id: Uuid


class InvitationExpired(Event):
    """It was too late for it, and its place was needed."""

    invitation_id: Uuid
