"""Commands on the roles that a project defines itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.outbox import Ack


class RoleCommands(Commands):
    """Named sets of permissions such as `task.edit`; nobody can give more than they have."""

    async def define_role(
        self, name: str, permissions: Sequence[str], *, role_id: str | Unset = UNSET, **sending: Unpack[Sending]
    ) -> Ack:
        """Names a set of permissions; `ack.result["roleId"]` is what members are given as their role."""
        data = present(roleId=role_id, name=name, permissions=list(permissions))
        return await self.send("DefineRole", data, **sending)

    async def edit_role(
        self,
        role_id: str,
        *,
        name: str | Unset = UNSET,
        permissions: Sequence[str] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Sets the fields that are given; it counts at once for everybody who has the role."""
        data = present(roleId=role_id, name=name, permissions=permissions)
        return await self.send("EditRole", data, **sending)

    async def remove_role(self, role_id: str, **sending: Unpack[Sending]) -> Ack:
        """Removes a role that nobody has."""
        return await self.send("RemoveRole", {"roleId": role_id}, **sending)
