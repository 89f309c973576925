"""What can be said about an import's options before anything is read or sent."""

from __future__ import annotations

import math
import re
from typing import Any

from pydantic import TypeAdapter, ValidationError

from protocol.accounts import Username
from protocol.base import Name
from protocol.projects import ProjectKey
from server.importing.failure import ImportFailed
from server.importing.options import ImportOptions

IN_FLIGHT_MAX = 64

_KEY: TypeAdapter[str] = TypeAdapter(ProjectKey)
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_USERNAME: TypeAdapter[str] = TypeAdapter(Username)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_uuid(text: str) -> bool:
    """Whether it is an id, in any case."""
    return _UUID.fullmatch(text.lower()) is not None


def check(options: ImportOptions) -> None:
    """Raises ImportFailed with what is allowed."""
    if not 1 <= options.in_flight <= IN_FLIGHT_MAX:
        raise ImportFailed(f"--in-flight has to be between 1 and {IN_FLIGHT_MAX}")
    if not options.patience_s > 0 or math.isinf(options.patience_s):
        raise ImportFailed("--patience has to be more than 0 seconds")
    if options.owner is not None and not is_uuid(options.owner) and not _fits(_USERNAME, options.owner):
        wrong = f"is {options.owner!r}" if options.owner else "must not be empty"
        raise ImportFailed(
            f"--owner {wrong}; it is a user's id, or a user name of 3 to 30 letters, digits, dots and underscores"
        )
    if options.project is not None and not is_uuid(options.project):
        raise ImportFailed("--project is a project's id, such as 0190c42e-0000-7000-8000-000000000000")
    if options.key is not None and not _fits(_KEY, options.key):
        raise ImportFailed("--key is a capital letter and one to nine more capital letters or digits, such as HTTP")
    if options.name is not None and not _fits(_NAME, options.name):
        raise ImportFailed("--name is one line of 1 to 200 characters")


def _fits(what: TypeAdapter[Any], text: str) -> bool:
    try:
        what.validate_python(text)
    except ValidationError:
        return False
    return True
