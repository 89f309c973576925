"""How settings are gathered from their sources, and how a wrong one is told to a person."""

from __future__ import annotations

import difflib
import json
import os
import pwd
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

SETTINGS_FILE_BYTES_MAX = 1024 * 1024
NO_SUCH_HOME: Final = "there is no home folder for the user that ~ names"

ENVIRONMENT_PREFIX: Final = "PANTHERAHIVE_"

_MISFIT: Final = object()
"""What no setting may be; stands for a value of another type, which pydantic would have converted."""

S = TypeVar("S", bound=BaseSettings)


class SettingsError(Exception):
    """A setting is wrong or unknown. The text names it, where it stands and what is allowed; never a secret."""


class _Given(NamedTuple):
    """A value and the name under which a person wrote it."""

    value: Any
    written_as: str
    # Whether its source has types of its own (TOML); the environment and flags are text, which is read as the type.
    is_typed: bool = False


def load(model: type[S], flags: Mapping[str, Any], environ: Mapping[str, str], prefix: str) -> S:
    """Joins the sources, the strongest last, and validates once. Raises SettingsError."""
    from_environment = _of_environment(model, environ, prefix)
    from_flags = {
        name: _Given(value, flag_of(name), isinstance(value, bool | int | float))
        for name, value in flags.items()
        if value is not None
    }
    _refuse_unknown(model, from_flags)
    named_file = from_flags.get("config_file") or from_environment.get("config_file")
    file = str(named_file.value) if named_file is not None else ""
    # An empty name is refused below, by its type, with everything else that is wrong.
    from_file = _of_file(model, Path(file)) if file.strip() else {}
    given = {**from_file, **from_environment, **from_flags}
    values: dict[str, Any] = {
        name: one.value if _fits(_schema_of(model, name), one) else _MISFIT for name, one in given.items()
    }
    if "data_dir" in model.model_fields and "data_dir" not in values:
        values["data_dir"] = default_data_dir(environ)
    try:
        return model(**values)
    except ValidationError as error:
        raise SettingsError(_told(model, error, given)) from None


def flag_of(name: str) -> str:
    """The setting's flag on the command line."""
    return "--config" if name == "config_file" else f"--{name.replace('_', '-')}"


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Root: /var/lib/pantherahive. Everybody else: the XDG data home. Raises SettingsError."""
    if os.geteuid() == 0:
        return Path("/var/lib/pantherahive")
    data_home, home = environ.get("XDG_DATA_HOME", ""), environ.get("HOME", "")
    if data_home.startswith("/"):
        return Path(data_home) / "pantherahive"
    try:
        base = Path(home if home.startswith("/") else pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        raise SettingsError("There is no home folder to keep data in: set PANTHERAHIVE_DATA_DIR, or HOME.") from None
    return base / ".local/share/pantherahive"


def allowed(model: type[BaseSettings], name: str) -> str:
    """What the setting may be, in words: from its type and bounds."""
    return _in_words(_schema_of(model, name))


def _schema_of(model: type[BaseSettings], name: str) -> Mapping[str, Any]:
    """The JSON schema of what the setting may be when it is given."""
    schema = _properties(model)[name]
    options: list[Mapping[str, Any]] = schema.get("anyOf", [schema])
    return next(one for one in options if one.get("type") != "null")


@cache
def _properties(model: type[BaseSettings]) -> Mapping[str, dict[str, Any]]:
    """Making the schema takes tens of milliseconds, and the command line asks for every setting."""
    properties: dict[str, dict[str, Any]] = model.model_json_schema()["properties"]
    return properties


def is_secret(model: type[BaseSettings], name: str) -> bool:
    """Whether the setting's value must not be shown."""
    extra = model.model_fields[name].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("secret"))


def _fits(schema: Mapping[str, Any], given: _Given) -> bool:
    """Whether pydantic may judge the value: it would take a number with a point for the whole number before it."""
    if given.is_typed:
        return _has_type(schema, given.value)
    return not (schema.get("type") == "integer" and "." in str(given.value))


def _has_type(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a typed value is of the setting's type as it is; a whole number is a number, too."""
    match schema.get("type"):
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case _:
            return isinstance(value, str)


def _in_words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(one) for one in schema["enum"])
    bounds = f" from {schema.get('minimum')} to {schema.get('maximum')}" if "minimum" in schema else ""
    match schema.get("type"), schema.get("format"):
        case "integer", _:
            return f"a whole number{bounds}"
        case "number", _:
            return f"a number{bounds}"
        case "boolean", _:
            return "true or false"
        case "array", _:
            return "a list, separated by commas"
        case _, "path":
            return "a path"
        case _:
            return "text"


def _of_environment(model: type[BaseSettings], environ: Mapping[str, str], prefix: str) -> dict[str, _Given]:
    found = {
        name[len(prefix) :].lower(): _Given(value, name)
        for name, value in environ.items()
        if name.upper().startswith(prefix)
    }
    _refuse_unknown(model, found)
    return found


def _of_file(model: type[BaseSettings], path: Path) -> dict[str, _Given]:
    try:
        with path.expanduser().open("rb") as file:
            text = file.read(SETTINGS_FILE_BYTES_MAX + 1)
        if len(text) > SETTINGS_FILE_BYTES_MAX:
            raise SettingsError(f"The settings file {path} is larger than {SETTINGS_FILE_BYTES_MAX} bytes.")
        content = tomllib.loads(text.decode())
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except RuntimeError:
        raise SettingsError(f"The settings file {path} cannot be read: {NO_SUCH_HOME}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"The settings file {path} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}.") from None
    found = {name: _Given(value, f"{name} in {path}", is_typed=True) for name, value in content.items()}
    if "config_file" in found:
        raise SettingsError(f"config_file cannot stand in the settings file itself ({path}).")
    _refuse_unknown(model, found)
    return found


def _refuse_unknown(model: type[BaseSettings], given: Mapping[str, _Given]) -> None:
    for name, one in given.items():
        if name not in model.model_fields:
            raise SettingsError(f"There is no setting {one.written_as}. {_hint(model, name, one)}")


def _hint(model: type[BaseSettings], name: str, given: _Given) -> str:
    """What was meant, as far as that can be told: nothing is named that is not like it."""
    if isinstance(given.value, Mapping):
        return (
            "The file has no tables: every setting stands on a line of its own at the top level, such as port = 8080."
        )
    plain = name.lower().replace("-", "_").removeprefix(ENVIRONMENT_PREFIX.lower())
    if plain in model.model_fields:
        return f"It is written {_like(given, name, plain)}."
    near = difflib.get_close_matches(plain, model.model_fields, n=1)
    return f"The nearest is {_like(given, name, near[0])}." if near else "docs/configuration.md names all settings."


def _like(given: _Given, wrong: str, right: str) -> str:
    """The right name, written the way the wrong one was."""
    for written, change in ((wrong, right), (wrong.upper(), right.upper())):
        if written in given.written_as:
            return given.written_as.replace(written, change, 1)
    return given.written_as.replace(wrong.replace("_", "-"), right.replace("_", "-"), 1)


def _told(model: type[BaseSettings], error: ValidationError, given: Mapping[str, _Given]) -> str:
    lines: list[str] = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        said = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            lines.append(f"{_as_written(model, said, given)}.")
            continue
        name = str(problem["loc"][0])
        one = given.get(name, _Given("", name))
        shown = "" if is_secret(model, name) else f" = {_shown(one)}"
        words = allowed(model, name)
        if one.is_typed:
            words = words.replace("a list, separated by commas", "a list of texts")
        # A value of another type never came to be judged: what was said is about the stand-in.
        why = "" if one.is_typed and not _has_type(_schema_of(model, name), one.value) else f" ({said})"
        lines.append(f"{one.written_as}{shown} is wrong. Allowed is {words}{why}.")
    return "\n".join(dict.fromkeys(lines))


def _as_written(model: type[BaseSettings], text: str, given: Mapping[str, _Given]) -> str:
    """The text with each setting's name as the person wrote it, and with the value that it has."""

    def described(match: re.Match[str]) -> str:
        name = match[0]
        if name not in model.model_fields:
            return name
        one = given.get(name)
        if one is None:
            return f"{name} (not given, so {model.model_fields[name].default})"
        return one.written_as if is_secret(model, name) else f"{one.written_as} = {_shown(one)}"

    return re.sub(r"\w+", described, text)


def _shown(given: _Given) -> str:
    """The value as it was written, and not longer than a line; typed ones show their type."""
    return json.dumps(given.value, default=str)[:100] if given.is_typed else repr(str(given.value)[:100])
