"""Commands on the fields of a project's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.models import Choice
from pantherahive_client.outbox import Ack

FieldType = Literal["text", "number", "date", "choice"]


class FieldCommands(Commands):
    """Define, edit, remove. Values are set by `edit_task(fields=…)`."""

    async def define_field(
        self,
        name: str,
        type: FieldType,  # noqa: A002 - the protocol's word
        *,
        field_id: str | Unset = UNSET,
        choices: Sequence[Choice] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Gives all tasks of the project a field; `ack.result` holds `fieldId`. Only `choice` fields have choices."""
        data = present(fieldId=field_id, name=name, type=type, choices=choices)
        return await self.send("DefineField", data, **sending)

    async def edit_field(
        self,
        field_id: str,
        *,
        name: str | Unset = UNSET,
        add_choices: Sequence[Choice] | Unset = UNSET,
        rename_choices: Sequence[Choice] | Unset = UNSET,
        retire_choices: Sequence[str] | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Renames the field; adds, renames and retires choices. To add a retired choice brings it back."""
        data = present(
            fieldId=field_id,
            name=name,
            addChoices=add_choices,
            renameChoices=rename_choices,
            retireChoices=retire_choices,
        )
        return await self.send("EditField", data, **sending)

    async def remove_field(self, field_id: str, **sending: Unpack[Sending]) -> Ack:
        """Takes the field and its values from all tasks."""
        return await self.send("RemoveField", {"fieldId": field_id}, **sending)
