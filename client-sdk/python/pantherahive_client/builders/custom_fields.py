"""Builders of commands: custom fields.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import Choice, Uuid
from pantherahive_client.outbox import Ack


class CustomFieldBuilders(ProjectStream):
    """Commands: custom fields."""

    async def define_field(
        self,
        name: str,
        type: Literal["text", "number", "date", "choice"],
        *,
        field_id: Uuid | Unset = UNSET,
        choices: Sequence[Choice] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Gives all tasks of the project a field; the id may come from the client. Only `choice` fields have choices.

        No other field of the project may have the name, however it is capitalised.
        """
        data = present(
            fieldId=field_id,
            name=name,
            type=type,
            choices=choices,
        )
        return await self.send("DefineField", data, **sending)

    async def edit_field(
        self,
        field_id: Uuid,
        *,
        name: str | Unset = UNSET,
        add_choices: Sequence[Choice] | Unset = UNSET,
        rename_choices: Sequence[Choice] | Unset = UNSET,
        retire_choices: Sequence[str] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Renames the field; adds, renames and retires choices. The type stays. To add a retired choice brings it
        back.
        """
        data = present(
            fieldId=field_id,
            name=name,
            addChoices=add_choices,
            renameChoices=rename_choices,
            retireChoices=retire_choices,
        )
        return await self.send("EditField", data, **sending)

    async def remove_field(
        self,
        field_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Takes the field and its values from all tasks. What they were stays in the log, and comes back with an undo.

        Refused as `field_values_limit` where the tasks have more of it than one entry can bring back: at most
        3,000,000 characters of values, of which each counts 50 beside its text.
        """
        data = {"fieldId": field_id}
        return await self.send("RemoveField", data, **sending)
