"""Fields of a project's own: their messages and their record of state. A task holds the values under their ids."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Name, Unique, Uuid, absent, no_duplicates
from protocol.event import Command, Event
from protocol.tasks import ValueChanges

FieldType = Literal["text", "number", "date", "choice"]
ChoiceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
ChoiceIds = Annotated[list[ChoiceId], Field(max_length=1000), Unique()]


@with_config(VIEW_CONFIG)
class Choice(TypedDict):
    """One of the values that a field of type `choice` can have."""

    id: ChoiceId
    name: Name


def _distinct(choices: list[Choice]) -> list[Choice]:
    no_duplicates([choice["id"] for choice in choices])
    return choices


Choices = Annotated[list[Choice], Field(max_length=1000), AfterValidator(_distinct)]


@with_config(VIEW_CONFIG)
class ChoiceView(TypedDict):
    """A choice of a field. Tasks keep a retired one that they have; none is set to it any more."""

    id: ChoiceId
    name: Name
    retired: bool


@with_config(VIEW_CONFIG)
class FieldView(TypedDict):
    """A field of the project's own. Values are text, a number, a day `YYYY-MM-DD`, or the id of a choice."""

    id: Uuid
    name: Name
    type: FieldType
    choices: list[ChoiceView]
    createdAt: Instant
    updatedAt: Instant


@with_config(VIEW_CONFIG)
class FieldChanges(TypedDict, total=False):
    """What an edit can set. `choices` is the whole list."""

    name: Name
    choices: list[ChoiceView]


class DefineField(Command):
    """Gives all tasks of the project a field; the id may come from the client. Only `choice` fields have choices.

    No other field of the project may have the name, however it is capitalised.
    """

    makes = "field_id"

    field_id: Uuid = absent()
    name: Name
    type: FieldType
    choices: Choices = Field(default_factory=list)


class EditField(Command):
    """Renames the field; adds, renames and retires choices. The type stays. To add a retired choice brings it back."""

    field_id: Uuid
    name: Name = absent()
    add_choices: Choices = Field(default_factory=list)
    rename_choices: Choices = Field(default_factory=list)
    retire_choices: ChoiceIds = Field(default_factory=list)


class RemoveField(Command):
    """Takes the field and its values from all tasks. What they were stays in the log, and comes back with an undo.

    Refused as `field_values_limit` where the tasks have more of it than one entry can bring back: at most 3,000,000
    characters of values, of which each counts 50 beside its text.
    """

    field_id: Uuid


class FieldDefined(Event):
    """The whole field as it was defined."""

    field: FieldView


class FieldEdited(Event):
    """`changes` holds the new values, `was` the previous ones of the same fields."""

    field_id: Uuid
    changes: FieldChanges
    was: FieldChanges


class FieldRemoved(Event):
    """The field is gone from the project, and its value from every task. `was` is the field as it was."""

    field_id: Uuid
    was: FieldView


class FieldValuesSet(Event):
    """A task has other values: by the fields' ids the new ones and, in `was`, those before. `null` is no value."""

    task_id: Uuid
    values: ValueChanges
    was: ValueChanges
