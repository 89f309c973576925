"""Builders of commands: preferences.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, Sending, Unset, UserStream, present
from pantherahive_client.models import QuietHours, Uuid
from pantherahive_client.outbox import Ack


class PreferenceBuilders(UserStream):
    """Commands: preferences."""

    async def set_preferences(
        self,
        *,
        channels: Mapping[str, Sequence[Literal["inbox", "email", "push"]]] | Unset = UNSET,
        quiet_hours: QuietHours | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the reasons that are named, and the quiet hours; `null` takes the quiet hours off."""
        data = present(
            channels=channels,
            quietHours=quiet_hours,
        )
        return await self.send_private("SetPreferences", data, **sending)

    async def mute_project(
        self,
        project_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """From now on the person is told of mentions alone in this project."""
        data = {"projectId": project_id}
        return await self.send_private("MuteProject", data, **sending)

    async def unmute_project(
        self,
        project_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Takes it back."""
        data = {"projectId": project_id}
        return await self.send_private("UnmuteProject", data, **sending)
