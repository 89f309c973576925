"""What one wants to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from pantherahive_client.commands import UNSET, Sending, Unset, present
from pantherahive_client.models import QuietHours
from pantherahive_client.outbox import Ack
from pantherahive_client.private import PrivateCommands


class PreferenceCommands(PrivateCommands):
    """By reason and channel, by project, and when."""

    async def set_preferences(
        self,
        *,
        channels: Mapping[str, Sequence[str]] | Unset = UNSET,
        quiet_hours: QuietHours | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the reasons that are named, and the quiet hours; None takes the quiet hours off."""
        data = present(channels=channels, quietHours=quiet_hours)
        return await self.send_private("SetPreferences", data, **sending)

    async def mute_project(self, project_id: str, **sending: Unpack[Sending]) -> Ack:
        """From now on only mentions in this project are told."""
        return await self.send_private("MuteProject", {"projectId": project_id}, **sending)

    async def unmute_project(self, project_id: str, **sending: Unpack[Sending]) -> Ack:
        """Takes it back."""
        return await self.send_private("UnmuteProject", {"projectId": project_id}, **sending)

    async def preferences(self) -> dict[str, Any]:
        """What holds now."""
        answer: dict[str, Any] = await self.get(f"/v1/users/{self.user_id}/preferences")
        return answer
