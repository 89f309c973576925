"""Builders of commands: projects.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import WorkflowState
from pantherahive_client.outbox import Ack


class ProjectBuilders(ProjectStream):
    """Commands: projects."""

    async def edit_project(
        self,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        status: Literal["Active", "Completed", "OnHold", "Archived"] | Unset = UNSET,
        visibility: Literal["private", "public"] | Unset = UNSET,
        states: Sequence[WorkflowState] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are present. What was public and becomes private is cut off from all but its members."""
        data = present(
            name=name,
            description=description,
            status=status,
            visibility=visibility,
            states=states,
        )
        return await self.send("EditProject", data, **sending)

    async def archive_project(
        self,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the status to Archived: everything stays readable, and its content cannot be changed."""
        return await self.send("ArchiveProject", {}, **sending)

    async def unarchive_project(
        self,
        *,
        status: Literal["Active", "Completed", "OnHold"] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the status of an archived project back."""
        data = present(
            status=status,
        )
        return await self.send("UnarchiveProject", data, **sending)

    async def delete_project(
        self,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Hides the project. Its owners find it with `deleted=true`, and can restore it until it is purged."""
        return await self.send("DeleteProject", {}, **sending)

    async def restore_project(
        self,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Takes a deletion back."""
        return await self.send("RestoreProject", {}, **sending)

    async def purge_project(
        self,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Ends a deleted project for good. A timer sends it some time after the deletion; an owner may be faster.

        Its key stays taken. Its entries stay in the log, without what was in them.
        """
        return await self.send("PurgeProject", {}, **sending)
