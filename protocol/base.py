"""The base of every message and the field types that messages share.

Values are JSON all the way: ids, instants and days are canonical strings, so that a state record is its own view, a
snapshot and a wire object without conversion, and instants of one length compare as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function, no_info_before_validator_function

INTEGER_MAX = 2**53 - 1
"""The largest integer that every JSON parser keeps exact (RFC 8259 §6)."""

VIEW_CONFIG = ConfigDict(extra="forbid")
"""For the TypedDicts that are records of state: a record has these fields and no others."""


class Message(BaseModel):
    """A frozen value of the protocol: snake_case in Python, camelCase in JSON, unknown fields refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        ser_json_inf_nan="null",
        hide_input_in_errors=True,
    )

    @classmethod
    def from_client(cls, value: Any) -> Self:
        """The message that a client sent as JSON: its fields have their names of the JSON and no others.

        Raises ValidationError.
        """
        return cls.model_validate(value, by_alias=True, by_name=False)

    def as_json(self) -> dict[str, Any]:
        """The JSON object of this message, as the sender may write it: fields that were not set stay absent."""
        json: dict[str, Any] = self.__pydantic_serializer__.to_python(self, by_alias=True, exclude_unset=True)
        return json


def _without_default(schema: JsonDict) -> None:
    schema.pop("default", None)


def absent() -> Any:
    """A field that may be left out, which means "unchanged". `null` is a value of its own: the type has to allow it."""
    return Field(default=None, json_schema_extra=_without_default)


def canonical_instant(text: str) -> str:
    """RFC 3339 text in any offset → UTC with milliseconds and `Z`. Raises ValueError without an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset, such as 2026-01-31T12:00:00Z")
    return instant_of(moment)


def day_begins(day: str) -> str:
    """The first moment of a day in UTC, for whoever gives a day where a time belongs. Raises ValueError."""
    return canonical_instant(f"{day}T00:00:00Z")


def instant_of(moment: datetime) -> str:
    """The canonical text of an aware datetime; 24 characters, so that text order is time order."""
    try:
        utc = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the instant is out of range") from error
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


@lru_cache(maxsize=1024)
def datetime_of(instant: str) -> datetime:
    """The aware datetime of a canonical instant."""
    return datetime.fromisoformat(instant)


def _canonical_day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_BREAK = re.compile(r"[\t\n\r]")


def _printable(text: str) -> str:
    """Markdown keeps tabs and line ends; every other control character is refused, NUL first of all (Postgres text)."""
    if not text.isprintable() and _CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    if _LINE_BREAK.search(text):
        raise ValueError("line breaks and tabs are not allowed")
    return _printable(text)


@dataclass(frozen=True, slots=True)
class AtMost:
    """Refuses a longer object before its values are looked at; `max_length` counts those that are good, at the end."""

    entries: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "maxProperties": self.entries}

    def _checked(self, value: Any) -> Any:
        if isinstance(value, dict) and len(value) > self.entries:
            raise ValueError(f"at most {self.entries} entries are allowed")
        return value


def no_duplicates(values: list[str]) -> list[str]:
    """The values. Raises ValueError when one of them stands there twice."""
    if len(values) > 1 and len(set(values)) != len(values):
        raise ValueError("the same value stands there twice")
    return values


@dataclass(frozen=True, slots=True)
class Unique:
    """Refuses a list in which one value stands twice, and says so in the schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(no_duplicates, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "uniqueItems": True}


@dataclass(frozen=True, slots=True)
class _Format:
    """Adds JSON Schema's `format` to a type. One that says it all stands there instead of the pattern."""

    name: str
    says_it_all: bool = False

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = {**handler(core), "format": self.name}
        if self.says_it_all:
            schema.pop("pattern", None)
        return schema


_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


Uuid = Annotated[
    str,
    StringConstraints(to_lower=True, pattern=f"^{_UUID.replace('a-f', 'a-fA-F')}$"),
    _Format("uuid", says_it_all=True),
]
"""A UUID (RFC 9562) as lower-case text with hyphens."""

Instant = Annotated[
    str,
    StringConstraints(min_length=17, max_length=40, pattern=r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d"),
    AfterValidator(canonical_instant),
    _Format("date-time"),
]
"""A point in time (RFC 3339), kept as UTC with milliseconds."""

Day = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$"),
    AfterValidator(_canonical_day),
    _Format("date"),
]
"""A calendar day, `YYYY-MM-DD`."""

MARKDOWN_CHARACTERS_MAX: Final = 100_000

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_one_line)]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(_one_line)
]
ShortText = Annotated[str, StringConstraints(max_length=100), AfterValidator(_one_line)]
Markdown = Annotated[str, StringConstraints(max_length=MARKDOWN_CHARACTERS_MAX), AfterValidator(_printable)]
"""CommonMark text as its author wrote it. It is never rendered here."""

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(_one_line)]
Labels = Annotated[list[Label], Field(max_length=100), Unique()]

PersonId = Annotated[
    str,
    StringConstraints(
        max_length=200,
        pattern=rf"^({_UUID}|external:[a-z0-9-]{{1,30}}:[^\s:\x00-\x1f\x7f]{{1,100}}|system|unknown)$",
    ),
]
"""Who did something: a user's id, `external:<source>:<name>` in an import, `system` (the operator) or `unknown`."""

AssigneeId = Annotated[
    str,
    StringConstraints(max_length=200, pattern=rf"^({_UUID}|external:[a-z0-9-]{{1,30}}:[^\s:\x00-\x1f\x7f]{{1,100}})$"),
]
AssigneeIds = Annotated[list[AssigneeId], Field(max_length=100), Unique()]

Integer = Annotated[int, Strict(), Field(ge=-INTEGER_MAX, le=INTEGER_MAX)]
Seq = Annotated[int, Strict(), Field(ge=0, le=INTEGER_MAX)]

STREAM_NAME = rf"^(project|profile|user|circle)/{_UUID}$"
StreamName = Annotated[str, StringConstraints(pattern=STREAM_NAME)]
"""`<kind>/<uuid>`; the kind says which type of actor answers for the stream."""
