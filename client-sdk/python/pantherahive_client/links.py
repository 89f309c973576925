"""Commands on links between tasks."""

from __future__ import annotations

from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.outbox import Ack

LinkType = Literal["blocks", "precedes", "relates", "duplicates"]


class LinkCommands(Commands):
    """Say how two tasks hang together, and take it back."""

    async def add_link(
        self,
        task_id: str,
        type: LinkType,  # noqa: A002 - the protocol's own word
        other_id: str,
        *,
        link_id: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """The first task blocks, precedes, relates to or duplicates the other; `ack.result` holds `linkId`.

        RuleBroken with `details["reason"] == "cycle"` names the tasks of the cycle that it would close.
        """
        data = present(taskId=task_id, type=type, otherId=other_id, linkId=link_id)
        return await self.send("AddLink", data, **sending)

    async def remove_link(self, link_id: str, **sending: Unpack[Sending]) -> Ack:
        """The tasks stay as they are."""
        return await self.send("RemoveLink", {"linkId": link_id}, **sending)
