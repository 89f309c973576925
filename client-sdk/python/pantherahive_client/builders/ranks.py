"""Builders of commands: ranks.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class RankBuilders(ProjectStream):
    """Commands: ranks."""

    async def move_task(
        self,
        task_id: Uuid,
        *,
        state_id: str | Unset = UNSET,
        after: Uuid | Unset = UNSET,
        before: Uuid | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Puts a task among the others of a state: of its own, or of `state_id`, which it then enters.

        `after` and `before` name tasks that the sender sees there. The task lands right after `after`, else right
        before `before`, whatever lies unseen between them; without both it lands at the state's end. A neighbour
        that stands in another state by now, or a pair that stands the other way round, is a `conflict` with the
        reason `neighbours_moved`.
        """
        data = present(
            taskId=task_id,
            stateId=state_id,
            after=after,
            before=before,
        )
        return await self.send("MoveTask", data, **sending)
