"""Builders of commands: watchers.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import ProjectStream, Sending
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class WatcherBuilders(ProjectStream):
    """Commands: watchers."""

    async def watch_task(
        self,
        task_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """The author watches the task. Every member may who may see it; others who look at a public project may not
        (`watcher_not_member`).

        Nobody watches by taking part alone. Who may edit the task can add other members (`EditTask`), and each may
        stop.

        Watchers are told when the task is edited, commented, deleted or restored, and when it is nearly due; not of
        links, nor of changes to comments.
        """
        data = {"taskId": task_id}
        return await self.send("WatchTask", data, **sending)

    async def unwatch_task(
        self,
        task_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """The author watches the task no longer."""
        data = {"taskId": task_id}
        return await self.send("UnwatchTask", data, **sending)
