"""Builders of commands: milestones.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import Day, Uuid
from pantherahive_client.outbox import Ack


class MilestoneBuilders(ProjectStream):
    """Commands: milestones."""

    async def create_milestone(
        self,
        name: str,
        *,
        milestone_id: Uuid | Unset = UNSET,
        description: str | Unset = UNSET,
        start_date: Day | Unset | None = UNSET,
        due_date: Day | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Adds an open milestone; the id may come from the client.

        No other milestone of the project may have the name, however it is capitalised. `due_date` must not lie
        before `start_date`.
        """
        data = present(
            milestoneId=milestone_id,
            name=name,
            description=description,
            startDate=start_date,
            dueDate=due_date,
        )
        return await self.send("CreateMilestone", data, **sending)

    async def edit_milestone(
        self,
        milestone_id: Uuid,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        status: Literal["Open", "Closed"] | Unset = UNSET,
        start_date: Day | Unset | None = UNSET,
        due_date: Day | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are present; `status` closes it and opens it again. A closed one still takes tasks."""
        data = present(
            milestoneId=milestone_id,
            name=name,
            description=description,
            status=status,
            startDate=start_date,
            dueDate=due_date,
        )
        return await self.send("EditMilestone", data, **sending)

    async def delete_milestone(
        self,
        milestone_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Removes the milestone. Its tasks go on without one."""
        data = {"milestoneId": milestone_id}
        return await self.send("DeleteMilestone", data, **sending)
