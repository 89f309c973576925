"""JSON Schema's types in the words of Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

TEXT_FORMATS: Final = {"uuid": "Uuid", "date-time": "Instant", "date": "Day"}
_PLAIN: Final = {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class Spelling(NamedTuple):
    """What lists and objects without fields of their own are called."""

    array: str
    mapping: str


RECORDS: Final = Spelling("list", "dict")
ARGUMENTS: Final = Spelling("Sequence", "Mapping")
"""A caller may give any sequence for a list, and any mapping for an object."""


def type_of(schema: Mapping[str, Any], spelling: Spelling) -> str:
    """The annotation for a value. Raises ValueError for what has none."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return "Literal[" + ", ".join(json.dumps(value) for value in schema["enum"]) + "]"
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(part, spelling) for part in schema["anyOf"]))
    match schema.get("type"):
        case "string":
            return TEXT_FORMATS.get(schema.get("format", ""), "str")
        case "array":
            return f"{spelling.array}[{type_of(schema['items'], spelling)}]"
        case "object":
            return f"{spelling.mapping}[str, {_value_type(schema, spelling)}]"
        case str(name) if name in _PLAIN:
            return _PLAIN[name]
        case None if not schema:
            return "Any"
        case other:
            raise ValueError(f"there is no Python type for {other!r}: {schema}")


def _value_type(schema: Mapping[str, Any], spelling: Spelling) -> str:
    rest = schema.get("additionalProperties")
    values = [*schema.get("patternProperties", {}).values(), *([rest] if isinstance(rest, dict) else [])]
    return " | ".join(dict.fromkeys(type_of(part, spelling) for part in values)) or "Any"
