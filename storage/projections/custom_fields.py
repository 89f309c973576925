"""Fields of projects' own: their values in the rows of tasks. The fields are read from their project's actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from typing_extensions import TypedDict

from protocol.custom_fields import FieldChanges, FieldView
from protocol.log import Entry
from protocol.tasks import ValueChanges
from storage.projections.fact import Fact
from storage.projections.table import Row

if TYPE_CHECKING:
    from storage.postgres.pool import Connection

_SWEEP: Final = """
UPDATE tasks SET fields = fields - $2::text, seq = $3
 WHERE project_id = $1 AND fields ? $2
"""


class FieldDefinedData(TypedDict):
    """See `protocol.custom_fields.FieldDefined`."""

    field: FieldView


class FieldEditedData(TypedDict):
    """See `protocol.custom_fields.FieldEdited`."""

    fieldId: str
    changes: FieldChanges
    was: FieldChanges


class FieldRemovedData(TypedDict):
    """See `protocol.custom_fields.FieldRemoved`."""

    fieldId: str
    was: FieldView


class FieldValuesSetData(TypedDict):
    """See `protocol.custom_fields.FieldValuesSet`."""

    taskId: str
    values: ValueChanges
    was: ValueChanges


FieldFact = (
    Fact[Literal["FieldDefined"], FieldDefinedData]
    | Fact[Literal["FieldEdited"], FieldEditedData]
    | Fact[Literal["FieldRemoved"], FieldRemovedData]
)
FieldValuesFact = Fact[Literal["FieldValuesSet"], FieldValuesSetData]


class Removal(NamedTuple):
    """A field that is gone: every task of the project loses its value by the entry `seq`."""

    project_id: str
    field_id: str
    seq: int

    async def sweep(self, connection: Connection) -> None:
        """Takes the value out of the rows of the table."""
        await connection.execute(_SWEEP, self.project_id, self.field_id, self.seq)

    def swept(self, row: Row) -> Row:
        """The row of a task without the value; the same one when it has none."""
        if row["projectId"] != self.project_id or self.field_id not in row["fields"]:
            return row
        fields = {field_id: value for field_id, value in row["fields"].items() if field_id != self.field_id}
        return {**row, "fields": fields, "seq": self.seq}


def fold_values(row: Row | None, fact: FieldValuesFact, entry: Entry) -> Row:
    """The task's row after the event. Raises KeyError before the task."""
    if row is None:
        raise KeyError(fact["data"]["taskId"])
    merged = {**row["fields"], **fact["data"]["values"]}
    fields = {field_id: value for field_id, value in merged.items() if value is not None}
    return {**row, "fields": fields, "updatedAt": entry.at, "seq": entry.seq}
