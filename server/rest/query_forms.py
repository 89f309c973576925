"""Numbers and truth values in a query have one form each, that of JSON: `10` and `true`, not `1_0`, `+10` or `yes`.

What the model reads would else be more than what is published, and a proxy or a cache might read it differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, get_args

from protocol.base import Message

_FORMS: Final[Mapping[type, re.Pattern[str]]] = {
    int: re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII),
    bool: re.compile(r"true|false"),
}
_WORDS: Final[Mapping[type, str]] = {int: "a whole number in plain digits", bool: "true or false"}


def odd_form(model: type[Message], values: Mapping[str, str]) -> tuple[str, str] | None:
    """The first parameter that has another form than its type, and what it takes; None when there is none."""
    kinds = _kinds_of(model)
    for name, text in values.items():
        kind = kinds.get(name)
        if kind is not None and _FORMS[kind].fullmatch(text) is None:
            return name, _WORDS[kind]
    return None


@cache
def _kinds_of(model: type[Message]) -> Mapping[str, type]:
    """Name in the query → `int` or `bool`, where it can be nothing else."""
    found: dict[str, type] = {}
    for name, field in model.model_fields.items():
        kinds = {kind for kind in _plain(field.annotation) if kind is not type(None)}
        if len(kinds) == 1 and (kind := kinds.pop()) in _FORMS:
            found[field.alias or name] = kind
    return found


def _plain(annotation: Any) -> Iterator[Any]:
    """The types that an annotation consists of, without what is said about them."""
    if hasattr(annotation, "__metadata__"):
        yield from _plain(annotation.__origin__)
    elif inner := get_args(annotation):
        for one in inner:
            yield from _plain(one)
    else:
        yield annotation
