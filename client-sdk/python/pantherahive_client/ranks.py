"""Commands on the order of tasks."""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.outbox import Ack


class RankCommands(Commands):
    """Put a task where it belongs on the board."""

    async def move_task(
        self,
        task_id: str,
        *,
        state_id: str | Unset = UNSET,
        after: str | Unset = UNSET,
        before: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Right after the task `after`, else right before `before`, else at the end: of `state_id` or its own state.

        Raises Conflict (reason `neighbours_moved`) when a neighbour stands elsewhere by now.
        """
        data = present(taskId=task_id, stateId=state_id, after=after, before=before)
        return await self.send("MoveTask", data, **sending)
