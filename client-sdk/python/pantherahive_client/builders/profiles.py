"""Builders of commands: profiles.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import UNSET, ProfileStream, Sending, Unset, present
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class ProfileBuilders(ProfileStream):
    """Commands: profiles."""

    async def edit_profile(
        self,
        *,
        first_name: str | Unset | None = UNSET,
        last_name: str | Unset | None = UNSET,
        bio: str | Unset | None = UNSET,
        avatar_id: Uuid | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are present."""
        data = present(
            firstName=first_name,
            lastName=last_name,
            bio=bio,
            avatarId=avatar_id,
        )
        return await self.send_profile("EditProfile", data, **sending)
