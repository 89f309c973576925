"""Commands on milestones."""

from __future__ import annotations

from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.outbox import Ack

MilestoneStatus = Literal["Open", "Closed"]


class MilestoneCommands(Commands):
    """Create, edit, delete. Days are `YYYY-MM-DD`; a task is put into a milestone by `edit_task(milestone_id=…)`."""

    async def create_milestone(
        self,
        name: str,
        *,
        milestone_id: str | Unset = UNSET,
        description: str | Unset = UNSET,
        start_date: str | Unset | None = UNSET,
        due_date: str | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """`ack.result` holds `milestoneId`. No other milestone of the project may have the name."""
        data = present(
            milestoneId=milestone_id, name=name, description=description, startDate=start_date, dueDate=due_date
        )
        return await self.send("CreateMilestone", data, **sending)

    async def edit_milestone(
        self,
        milestone_id: str,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        status: MilestoneStatus | Unset = UNSET,
        start_date: str | Unset | None = UNSET,
        due_date: str | Unset | None = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are given (None clears); `status` closes the milestone and opens it again."""
        data = present(
            milestoneId=milestone_id,
            name=name,
            description=description,
            status=status,
            startDate=start_date,
            dueDate=due_date,
        )
        return await self.send("EditMilestone", data, **sending)

    async def delete_milestone(self, milestone_id: str, **sending: Unpack[Sending]) -> Ack:
        """Its tasks go on without one."""
        return await self.send("DeleteMilestone", {"milestoneId": milestone_id}, **sending)
