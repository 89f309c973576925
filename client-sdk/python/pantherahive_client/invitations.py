"""Commands on invitations to the project."""

from __future__ import annotations

import secrets
from typing import Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.members import Role
from pantherahive_client.outbox import Ack

TOKEN_BYTES = 32


def new_invitation_token() -> str:
    """A token that nobody can guess, for an invitation by e-mail. The server keeps its hash only."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class InvitationCommands(Commands):
    """Invite, answer, take back."""

    async def invite_member(
        self,
        role: Role,
        *,
        invitation_id: str | Unset = UNSET,
        user_id: str | Unset = UNSET,
        email: str | Unset = UNSET,
        token: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """By `user_id`, or by `email` with a token of `new_invitation_token`; `ack.result` holds `invitationId`."""
        data = present(invitationId=invitation_id, userId=user_id, email=email, token=token, role=role)
        return await self.send("InviteMember", data, **sending)

    async def accept_invitation(
        self, invitation_id: str, *, token: str | Unset = UNSET, **sending: Unpack[Sending]
    ) -> Ack:
        """Makes oneself a member; an invitation by e-mail needs its token, which works once."""
        return await self.send("AcceptInvitation", present(invitationId=invitation_id, token=token), **sending)

    async def decline_invitation(
        self, invitation_id: str, *, token: str | Unset = UNSET, **sending: Unpack[Sending]
    ) -> Ack:
        """Says no."""
        return await self.send("DeclineInvitation", present(invitationId=invitation_id, token=token), **sending)

    async def revoke_invitation(self, invitation_id: str, **sending: Unpack[Sending]) -> Ack:
        """Takes it back."""
        return await self.send("RevokeInvitation", {"invitationId": invitation_id}, **sending)
