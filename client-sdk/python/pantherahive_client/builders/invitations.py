"""Builders of commands: invitations.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class InvitationBuilders(ProjectStream):
    """Commands: invitations."""

    async def invite_member(
        self,
        role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid,
        *,
        invitation_id: Uuid | Unset = UNSET,
        user_id: Uuid | Unset = UNSET,
        email: str | Unset = UNSET,
        token: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Invites a user (`user_id`), or whoever gets the mail (`email` with a `token` that the inviter makes).

        Everybody who may look at the project sees whom, but not the address. Nobody gives a role that allows more
        than their own. The id may come from the client.
        """
        data = present(
            invitationId=invitation_id,
            userId=user_id,
            email=email,
            token=token,
            role=role,
        )
        return await self.send("InviteMember", data, **sending)

    async def accept_invitation(
        self,
        invitation_id: Uuid,
        *,
        token: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Makes the invited user or bot a member, and ends what else invites them by name.

        An invitation by e-mail asks for its token, which works once, and not for bots.
        """
        data = present(
            invitationId=invitation_id,
            token=token,
        )
        return await self.send("AcceptInvitation", data, **sending)

    async def decline_invitation(
        self,
        invitation_id: Uuid,
        *,
        token: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Says no; as with AcceptInvitation, by who is invited or with the token."""
        data = present(
            invitationId=invitation_id,
            token=token,
        )
        return await self.send("DeclineInvitation", data, **sending)

    async def revoke_invitation(
        self,
        invitation_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Takes an invitation back."""
        data = {"invitationId": invitation_id}
        return await self.send("RevokeInvitation", data, **sending)
