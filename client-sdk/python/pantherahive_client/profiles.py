"""Commands on one's own profile."""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.outbox import Ack


class ProfileCommands(Commands):
    """A profile is opened by registering; here it is edited."""

    async def edit_profile(
        self,
        *,
        first_name: str | Unset | None = UNSET,
        last_name: str | Unset | None = UNSET,
        bio: str | Unset | None = UNSET,
        avatar_id: str | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are given; None clears."""
        data = present(firstName=first_name, lastName=last_name, bio=bio, avatarId=avatar_id)
        return await self.send("EditProfile", data, **sending)
