"""Builders of commands: roles.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class RoleBuilders(ProjectStream):
    """Commands: roles."""

    async def define_role(
        self,
        name: str,
        permissions: Sequence[str],
        *,
        role_id: Uuid | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Names a set of permissions, which members can then be given by the role's id. Nobody gives more than they
        have.

        Looking at the project belongs to every role and need not be named. The id may come from the client.
        """
        data = present(
            roleId=role_id,
            name=name,
            permissions=permissions,
        )
        return await self.send("DefineRole", data, **sending)

    async def edit_role(
        self,
        role_id: Uuid,
        *,
        name: str | Unset = UNSET,
        permissions: Sequence[str] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are present; members who have the role may at once what it says then.

        Invitations that their inviter could not make any more end.
        """
        data = present(
            roleId=role_id,
            name=name,
            permissions=permissions,
        )
        return await self.send("EditRole", data, **sending)

    async def remove_role(
        self,
        role_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Refused (`role_in_use`) while anybody has the role."""
        data = {"roleId": role_id}
        return await self.send("RemoveRole", data, **sending)
