"""Commands on reactions."""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import Commands, Sending
from pantherahive_client.outbox import Ack


class ReactionCommands(Commands):
    """React to a comment with one emoji, or take it back. Doing it twice changes nothing."""

    async def add_reaction(self, comment_id: str, emoji: str, **sending: Unpack[Sending]) -> Ack:
        """`emoji` is one emoji, such as `👍`."""
        return await self.send("AddReaction", {"commentId": comment_id, "emoji": emoji}, **sending)

    async def remove_reaction(self, comment_id: str, emoji: str, **sending: Unpack[Sending]) -> Ack:
        """Takes back one's own."""
        return await self.send("RemoveReaction", {"commentId": comment_id, "emoji": emoji}, **sending)
