"""Commands on the project itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.models import WorkflowState
from pantherahive_client.outbox import Ack

ProjectStatus = Literal["Active", "Completed", "OnHold", "Archived"]
Visibility = Literal["private", "public"]


class ProjectCommands(Commands):
    """Edit, archive, delete, restore; creating one is `Client.create_project`."""

    async def edit_project(
        self,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        status: ProjectStatus | Unset = UNSET,
        visibility: Visibility | Unset = UNSET,
        states: Sequence[WorkflowState] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are given."""
        data = present(name=name, description=description, status=status, visibility=visibility, states=states)
        return await self.send("EditProject", data, **sending)

    async def archive_project(self, **sending: Unpack[Sending]) -> Ack:
        """Everything stays readable, and its content cannot be changed."""
        return await self.send("ArchiveProject", {}, **sending)

    async def unarchive_project(
        self, *, status: Literal["Active", "Completed", "OnHold"] | Unset = UNSET, **sending: Unpack[Sending]
    ) -> Ack:
        """Work goes on; without `status` the project is active."""
        return await self.send("UnarchiveProject", present(status=status), **sending)

    async def delete_project(self, **sending: Unpack[Sending]) -> Ack:
        """Hides the project from everybody but its owners."""
        return await self.send("DeleteProject", {}, **sending)

    async def restore_project(self, **sending: Unpack[Sending]) -> Ack:
        """Takes a deletion back."""
        return await self.send("RestoreProject", {}, **sending)
