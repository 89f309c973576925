"""Commands on one's own watching."""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import Commands, Sending
from pantherahive_client.outbox import Ack


class WatcherCommands(Commands):
    """For oneself; others are added by `edit_task(add_watchers=…)`."""

    async def watch_task(self, task_id: str, **sending: Unpack[Sending]) -> Ack:
        """The author watches the task from now on."""
        return await self.send("WatchTask", {"taskId": task_id}, **sending)

    async def unwatch_task(self, task_id: str, **sending: Unpack[Sending]) -> Ack:
        """The author watches the task no longer."""
        return await self.send("UnwatchTask", {"taskId": task_id}, **sending)
