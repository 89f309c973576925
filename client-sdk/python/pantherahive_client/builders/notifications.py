"""Builders of commands: notifications.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import UNSET, Sending, Unset, UserStream, present
from pantherahive_client.outbox import Ack


class NotificationBuilders(UserStream):
    """Commands: notifications."""

    async def mark_read(
        self,
        *,
        up_to: int | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Moves the read marker, on all of the person's devices. Without `up_to`: everything there is now.

        The marker only moves forward; a lower `up_to` changes nothing.
        """
        data = present(
            upTo=up_to,
        )
        return await self.send_private("MarkRead", data, **sending)
