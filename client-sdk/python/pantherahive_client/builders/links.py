"""Builders of commands: links.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class LinkBuilders(ProjectStream):
    """Commands: links."""

    async def add_link(
        self,
        task_id: Uuid,
        type: Literal["blocks", "precedes", "relates", "duplicates"],
        other_id: Uuid,
        *,
        link_id: Uuid | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Links two tasks of the project. The id may come from the client.

        Two tasks have at most one link of each type and direction; `relates` has none. `already_exists` names the
        one that is there (`link_id`). Blocking, preceding and subtasks together never close a cycle: the refusal
        has the reason `cycle` and names the tasks on it.
        """
        data = present(
            linkId=link_id,
            taskId=task_id,
            type=type,
            otherId=other_id,
        )
        return await self.send("AddLink", data, **sending)

    async def remove_link(
        self,
        link_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Takes a link away, also one that is hidden because a task of it is deleted."""
        data = {"linkId": link_id}
        return await self.send("RemoveLink", data, **sending)
