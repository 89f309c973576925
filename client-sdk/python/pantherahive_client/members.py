"""Commands on a project's members."""

from __future__ import annotations

from typing import Literal, TypeAlias, Unpack

from pantherahive_client.commands import Commands, Sending
from pantherahive_client.outbox import Ack

Role: TypeAlias = Literal["owner", "admin", "member", "commenter", "viewer"] | str
"""A built-in role, or the id of one that the project has defined."""


class MemberCommands(Commands):
    """Who belongs to the project, and as what."""

    async def add_member(self, user_id: str, role: Role, **sending: Unpack[Sending]) -> Ack:
        """Makes an existing user a member."""
        return await self.send("AddMember", {"userId": user_id, "role": role}, **sending)

    async def change_member_role(self, user_id: str, role: Role, **sending: Unpack[Sending]) -> Ack:
        """Gives a member another role."""
        return await self.send("ChangeMemberRole", {"userId": user_id, "role": role}, **sending)

    async def remove_member(self, user_id: str, **sending: Unpack[Sending]) -> Ack:
        """Ends a membership; one's own: leaves."""
        return await self.send("RemoveMember", {"userId": user_id}, **sending)

    async def transfer_ownership(self, user_id: str, **sending: Unpack[Sending]) -> Ack:
        """Makes another member an owner in one's own place; one becomes an admin."""
        return await self.send("TransferOwnership", {"userId": user_id}, **sending)
