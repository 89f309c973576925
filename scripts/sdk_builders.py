"""The Python client's builders: a method for every command, its fields as typed arguments, made from the schema."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scripts.schema_types import ARGUMENTS, type_of

NOT_BUILT: Final[Mapping[str, str]] = {
    "CreateProject": "`Client.create_project` names the stream too",
    "CreateProfile": "sent once, by registration",
    "Notify": "only the server sends it",
    "RemindOfDueDate": "only the server sends it",
}
"""Commands without a builder, and why."""

STREAMS: Final[Mapping[str, tuple[str, str]]] = {
    "project": ("ProjectStream", "send"),
    "profile": ("ProfileStream", "send_profile"),
    "user": ("UserStream", "send_private"),
}
"""Kind of stream → the base class of its builders (`commands.py`), and its method that sends."""

SENDING: Final = frozenset({"op_id", "base", "origin", "deadline_s", "retry"})
"""The names of `commands.Sending`: a field of the same name can be given by its position alone."""

_WIDTH: Final = 108
_HEAD: Final = '''\
"""{about}

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

'''


def builder_files(schema: Mapping[str, Any]) -> dict[str, str]:
    """File name → source of everything in `pantherahive_client/builders`."""
    files = {"__init__.py": _formatted(_package(schema["features"]))}
    for feature, facts in schema["features"].items():
        if names := _built(facts):
            files[f"{feature}.py"] = _formatted(_module(feature, facts["stream"], names, schema["$defs"]))
    return files


def method_of(command: str) -> str:
    """The builder's name: `CreateTask` → `create_task`, `UndoCommand` → `undo`."""
    return snake(command.removesuffix("Command"))


def snake(name: str) -> str:
    """`dueDate` → `due_date`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _built(facts: Mapping[str, Any]) -> list[str]:
    return [name for name in facts["commands"] if name not in NOT_BUILT]


def _class_of(feature: str) -> str:
    return "".join(word.capitalize() for word in feature.removesuffix("s").split("_")) + "Builders"


def _package(features: Mapping[str, Any]) -> str:
    lines = [_HEAD.format(about="One method per command, with its fields as typed arguments: a module per feature.")]
    built = {feature: facts["stream"] for feature, facts in features.items() if _built(facts)}
    lines += [f"from pantherahive_client.builders.{feature} import {_class_of(feature)}\n" for feature in sorted(built)]
    for kind in STREAMS:
        bases = ", ".join(_class_of(feature) for feature, stream in built.items() if stream == kind)
        name = f"{kind.capitalize()}StreamBuilders"
        lines.append(f'\n\nclass {name}({bases}):\n    """All commands to `{kind}/<id>`."""\n')
    return "".join(lines)


def _module(feature: str, kind: str, names: Sequence[str], definitions: Mapping[str, Any]) -> str:
    base, send = STREAMS[kind]
    words = feature.replace("_", " ")
    body = "\n".join(_method(name, definitions[name], send) for name in names)
    head = _HEAD.format(about=f"Builders of commands: {words}.") + _imports(base, [definitions[name] for name in names])
    return f'{head}\n\nclass {_class_of(feature)}({base}):\n    """Commands: {words}."""\n\n{body}'


def _imports(base: str, definitions: Sequence[Mapping[str, Any]]) -> str:
    """What the methods of these commands use."""
    types = [type_of(field, ARGUMENTS) for one in definitions for field in one.get("properties", {}).values()]
    named = {name for text in types for name in re.findall(r"\b[A-Z]\w*", re.sub(r'"[^"]*"', "", text))}
    has_optional = any(one.get("properties", {}).keys() - set(one.get("required", ())) for one in definitions)
    collections = sorted(named & {"Mapping", "Sequence"})
    typing = [*sorted(named & {"Any", "Literal"}), "Unpack"]
    commands = sorted([base, "Sending", *(["Unset"] if has_optional else [])])
    commands = ["UNSET", *commands, "present"] if has_optional else commands
    models = sorted(named - {"Any", "Literal", "Mapping", "None", "Sequence"})
    return "".join(
        [
            f"from collections.abc import {', '.join(collections)}\n" if collections else "",
            f"from typing import {', '.join(typing)}\n\n",
            f"from pantherahive_client.commands import {', '.join(commands)}\n",
            f"from pantherahive_client.models import {', '.join(models)}\n" if models else "",
            "from pantherahive_client.outbox import Ack\n",
        ]
    )


def _method(command: str, definition: Mapping[str, Any], send: str) -> str:
    properties: Mapping[str, Any] = definition.get("properties", {})
    required = [name for name in properties if name in definition.get("required", ())]
    optional = [name for name in properties if name not in required]
    arguments = [f"{snake(name)}: {type_of(properties[name], ARGUMENTS)}" for name in required]
    arguments += ["/"] * any(snake(name) in SENDING for name in required)
    arguments += ["*"] * bool(optional)
    arguments += [f"{snake(name)}: {_or_unset(type_of(properties[name], ARGUMENTS))} = UNSET" for name in optional]
    head = "".join(f"        {argument},\n" for argument in ["self", *arguments, "**sending: Unpack[Sending]"])
    described = "".join(_docstring(definition.get("description", ""), properties))
    given = "".join(
        f"            {name}={snake(name)},\n" if optional else f'            "{name}": {snake(name)}, '
        for name in properties
    )
    data = f"present(\n{given}        )" if optional else f"{{{given.strip().removesuffix(',')}}}"
    call = f'        data = {data}\n        return await self.{send}("{command}", data, **sending)\n'
    if not properties:
        call = f'        return await self.{send}("{command}", {{}}, **sending)\n'
    return f"    async def {method_of(command)}(\n{head}    ) -> Ack:\n{described}{call}"


def _or_unset(text: str) -> str:
    """The type of an argument that may be left out; None comes last."""
    return f"{text.removesuffix(' | None')} | Unset" + (" | None" if text.endswith(" | None") else "")


def _docstring(text: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """The description with the fields named as the arguments are."""
    for name in properties:
        text = text.replace(f"`{name}`", f"`{snake(name)}`")
    paragraphs = ["\n".join(textwrap.wrap(part, _WIDTH)) for part in text.split("\n\n")]
    closing = "\n" if len(paragraphs) > 1 or "\n" in paragraphs[0] else ""
    yield textwrap.indent('"""' + "\n\n".join(paragraphs) + closing + '"""', " " * 8, lambda line: bool(line.strip()))
    yield "\n"


def _formatted(source: str) -> str:
    """As the formatter writes it."""
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", "builders.py", "-"]
    return subprocess.run(command, input=source, text=True, check=True, capture_output=True).stdout
