"""Writes what is derived from the protocol's models, or says that it is out of date.

    .venv/bin/python scripts/generate_sdk_models.py            writes all files
    .venv/bin/python scripts/generate_sdk_models.py --check    exit 1 and a word on what differs

docs/schema/protocol.json                          the published schema (protocol/schema.py)
client-sdk/python/pantherahive_client/models.py    TypedDicts and Literals, made from that schema alone
client-sdk/python/pantherahive_client/builders/    a method for every command, made from that schema alone
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts.schema_types import RECORDS, type_of  # noqa: E402 - found by the path above
from scripts.sdk_builders import builder_files  # noqa: E402

SCHEMA_FILE = ROOT / "docs" / "schema" / "protocol.json"
MODELS_FILE = ROOT / "client-sdk" / "python" / "pantherahive_client" / "models.py"
BUILDERS_FOLDER = ROOT / "client-sdk" / "python" / "pantherahive_client" / "builders"
LINE_MAX = 110
HEADER = '''\
"""The protocol's messages and records as plain JSON objects.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NotRequired, TypeAlias, TypedDict

Uuid: TypeAlias = str
"""Lower-case text with hyphens (RFC 9562)."""

Instant: TypeAlias = str
"""RFC 3339; what the server sends is UTC with milliseconds and `Z`, so that text order is time order."""

Day: TypeAlias = str
"""`YYYY-MM-DD`."""
'''


def schema_text() -> str:
    """The published schema as it is committed."""
    from protocol.schema import published_schema

    return json.dumps(published_schema(), indent=2, ensure_ascii=False) + "\n"


def models_text(schema: Mapping[str, Any]) -> str:
    """The Python source of the client's models."""
    definitions = schema["$defs"]
    blocks = [HEADER, *_constants(schema)]
    blocks += [_definition(name, definitions[name]) for name in _by_need(definitions)]
    return "\n".join(blocks)


def _constants(schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"PROTOCOL_VERSION: Final = {schema['version']}\n"
    retryable = [code for code, facts in schema["errors"].items() if facts["retryable"]]
    yield from _mapping("ERROR_RETRYABLE", {code: code in retryable for code in schema["errors"]}, "bool")
    yield from _mapping("EVENT_VERSIONS", {k: f["version"] for k, f in schema["events"].items()}, "int")


def _mapping(name: str, content: Mapping[str, Any], value: str) -> Iterator[str]:
    lines = [f'    "{key}": {entry!r},' for key, entry in content.items()]
    yield f"{name}: Final[Mapping[str, {value}]] = {{\n" + "\n".join(lines) + "\n}\n"


def _by_need(definitions: Mapping[str, Any]) -> list[str]:
    """Names in such an order that an alias stands before the classes that use it."""
    return sorted(definitions, key=lambda name: (definitions[name].get("type") == "object", name))


def _definition(name: str, schema: Mapping[str, Any]) -> str:
    described = list(_docstring(schema.get("description", "")))
    if schema.get("type") != "object":
        return "\n".join([_field(f"{name}: TypeAlias = ", type_of(schema, RECORDS), ""), *described]) + "\n"
    total = bool(schema.get("required")) or not schema.get("properties")
    head = f"\nclass {name}(TypedDict{'' if total else ', total=False'}):"
    fields = [
        _field(f"    {field}: ", _optional(type_of(part, RECORDS), not total or field in schema["required"]), "    ")
        for field, part in schema.get("properties", {}).items()
    ]
    lines = [head, *(f"    {line}" if line else "" for line in described)]
    return "\n".join([*lines, *(["", *fields] if fields and described else fields)]) + "\n"


def _docstring(text: str) -> Iterator[str]:
    """The description, wrapped; paragraphs stay paragraphs."""
    if not text:
        return
    paragraphs = [textwrap.wrap(part, LINE_MAX - 8) for part in text.split("\n\n")]
    lines = [line for number, part in enumerate(paragraphs) for line in ([""] if number else []) + part]
    if len(lines) == 1:
        yield f'"""{lines[0]}"""'
        return
    yield f'"""{lines[0]}'
    yield from lines[1:]
    yield '"""'


def _optional(text: str, required: bool) -> str:
    return text if required else f"NotRequired[{text}]"


def _field(start: str, text: str, indent: str) -> str:
    """One line, or the values of a long Literal below each other."""
    line = f"{start}{text}"
    if len(line) <= LINE_MAX or "Literal[" not in text:
        return line
    before, _, rest = text.partition("Literal[")
    values, _, after = rest.partition("]")
    inner = "".join(f"{indent}    {value.strip()},\n" for value in values.split(","))
    return f"{start}{before}Literal[\n{inner}{indent}]{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks. Returns the exit code."""
    parser = argparse.ArgumentParser(description="The published schema and the Python client's models.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    options = parser.parse_args(arguments)
    wanted = _wanted(schema_text())
    unwanted = [path for path in BUILDERS_FOLDER.glob("*.py") if path not in wanted]
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in (*stale, *unwanted):
        if options.check:
            print(f"{path.relative_to(ROOT)} is out of date: run python scripts/generate_sdk_models.py")
        elif path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
        else:
            path.unlink()
            print(f"removed {path.relative_to(ROOT)}")
    return 1 if (stale or unwanted) and options.check else 0


def _wanted(schema: str) -> dict[Path, str]:
    """File → what has to be in it."""
    parsed = json.loads(schema)
    builders = {BUILDERS_FOLDER / name: text for name, text in builder_files(parsed).items()}
    return {SCHEMA_FILE: schema, MODELS_FILE: models_text(parsed), **builders}


if __name__ == "__main__":
    sys.exit(main())
