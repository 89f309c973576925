"""Builders of commands: members.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Literal, Unpack

from pantherahive_client.commands import ProjectStream, Sending
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class MemberBuilders(ProjectStream):
    """Commands: members."""

    async def add_member(
        self,
        user_id: Uuid,
        role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Makes an existing user a member; what invited them ends. Nobody gives a role that allows more than their
        own.
        """
        data = {"userId": user_id, "role": role}
        return await self.send("AddMember", data, **sending)

    async def change_member_role(
        self,
        user_id: Uuid,
        role: Literal["owner", "admin", "member", "commenter", "viewer"] | Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Gives a member another role, beyond which their bots may nothing either.

        A bot that is an owner acts as one until its person stops to be one. A project always keeps an owner.
        Invitations that their inviter could not make any more end.
        """
        data = {"userId": user_id, "role": role}
        return await self.send("ChangeMemberRole", data, **sending)

    async def remove_member(
        self,
        user_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Ends a membership, those of the person's bots, and the invitations of and by them; whoever names themself
        leaves.

        It takes effect on every open socket.
        """
        data = {"userId": user_id}
        return await self.send("RemoveMember", data, **sending)

    async def transfer_ownership(
        self,
        user_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Makes another member an owner; the owner who gives becomes an admin, and so do their bots that are owners."""
        data = {"userId": user_id}
        return await self.send("TransferOwnership", data, **sending)
