"""JSON values that are valid and still do harm: what every parser of client input refuses before validation."""

from __future__ import annotations

import math
import re
from typing import Any

from protocol.base import INTEGER_MAX

DEPTH_MAX = 32
NODES_MAX = 8_000
"""Values at all depths, keys not counted: the largest commands, an `EditField` with three times a thousand choices and
an `EditTasks` that uses all that it may, have some 7,000. What holds more is refused before it is validated, since to
say what is wrong with a flood costs ten times as much as to read it.
"""
LONE_SURROGATE = "lone surrogates are not allowed"
_HOLDERS = (dict, list)
# A number that may be beyond 2^53: with 16 digits, or with an exponent. Within a text it is a false alarm.
_GREAT_NUMBER = re.compile(r"[\[:,\s]-?(?:\d{16}|[\d.]+[eE])")


def find_poison(value: Any, depth_max: int = DEPTH_MAX, nodes_max: int = NODES_MAX) -> str | None:
    """What is poisonous in a decoded JSON value, in words and without the value; None when nothing is.

    NaN and infinity break `JSON.parse` in browsers, numbers past 2^53 change on their way (RFC 8259 §6), lone
    surrogates have no UTF-8, NUL has no place in Postgres' text, deep nesting and floods of tiny nodes cost stack and
    memory. Keys count as text too.
    """
    # The lists and objects of one depth; a list instead of recursion, so depth costs no stack.
    level: list[Any] = [[value]]
    depth = nodes = 0
    while level:
        if depth > depth_max:
            return f"JSON may be nested {depth_max} deep"
        deeper: list[Any] = []
        for holder in level:
            if not holder:
                continue
            nodes += len(holder)
            if nodes > nodes_max:
                return too_many_values(nodes_max)
            found = None
            children = holder
            # Every command of every client comes through here, so harmless keys and texts are told in place.
            if isinstance(holder, dict):
                try:
                    keys = "".join(holder)
                except TypeError:
                    return "keys are text"
                if "\0" in keys or not keys.isascii():
                    found = _poison_of_text(keys)
                children = holder.values()
            for child in children:
                if isinstance(child, str):
                    if "\0" in child or not child.isascii():
                        found = found or _poison_of_text(child)
                elif isinstance(child, _HOLDERS):
                    deeper.append(child)
                elif child is not None:
                    found = found or _poison_of_number(child)
            if found is not None:
                return found
        level = deeper
        depth += 1
    return None


def too_many_values(nodes_max: int = NODES_MAX) -> str:
    """What is wrong with a flood of values."""
    return f"JSON may hold {nodes_max} values"


def may_hold_poison(text: str, depth_max: int = DEPTH_MAX, nodes_max: int = NODES_MAX) -> bool:
    """Whether a JSON list or object has to be searched once it is decoded; nearly all commands have not.

    For text that a strict parser takes (RFC 8259): it knows no NaN, and NUL and surrogates are there as `\\u…` alone.
    """
    holders = text.count("[") + text.count("{")
    return (
        "\\u" in text
        or holders > depth_max
        # Of values there are, with the whole, at most one more than commas and holders; long texts have commas, too.
        or (len(text) > nodes_max and text.count(",") + holders >= nodes_max)
        or _GREAT_NUMBER.search(text) is not None
    )


def _poison_of_text(text: str) -> str | None:
    if "\0" in text:
        return "NUL characters are not allowed"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return LONE_SURROGATE
    return None


def _poison_of_number(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    if not isinstance(value, (int, float)):
        return "only JSON values are allowed"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN and infinity are not allowed"
    if abs(value) > INTEGER_MAX:
        return "numbers beyond 2^53 are not allowed"
    return None
