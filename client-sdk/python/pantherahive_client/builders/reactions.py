"""Builders of commands: reactions.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import ProjectStream, Sending
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class ReactionBuilders(ProjectStream):
    """Commands: reactions."""

    async def add_reaction(
        self,
        comment_id: Uuid,
        emoji: str,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Reacts to a comment. Needs the permission to; an emoji that one has given already changes nothing."""
        data = {"commentId": comment_id, "emoji": emoji}
        return await self.send("AddReaction", data, **sending)

    async def remove_reaction(
        self,
        comment_id: Uuid,
        emoji: str,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Takes one's own reaction back; nothing changes where there is none."""
        data = {"commentId": comment_id, "emoji": emoji}
        return await self.send("RemoveReaction", data, **sending)
