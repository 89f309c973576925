"""What a server can be sent: checked before it leaves, because a server ends the connection over what is no JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgpack

from pantherahive_client.errors import Invalid, TooLarge

NUMBER_MAX = 2**53 - 1
"""Beyond it numbers change on their way (RFC 8259 §6), and the server refuses them."""

VALUES_MAX = 8_000
"""A packet may hold so many values at all depths, keys not counted (the server's `NODES_MAX`)."""

_ENVELOPE_VALUES = 3
"""Of them: the list of an event's arguments, the name and the payload."""

_ENVELOPE_BYTES = len(msgpack.packb({"type": 2, "data": ["awareness"], "nsp": "/", "id": NUMBER_MAX}))
"""Around the payload of the event with the longest name."""


def packet_bytes(frame: Mapping[str, Any]) -> int:
    """The largest packet that an event's payload may become. Raises Invalid for what no server takes, and TooLarge for
    more values than any takes."""
    try:
        size = len(msgpack.packb(frame))
    except (TypeError, ValueError, OverflowError) as error:  # a lone surrogate and a circle are ValueErrors
        raise Invalid(f"this cannot be sent: {error}") from error
    _check_values(frame)
    return size + _ENVELOPE_BYTES


def check_size(size_bytes: int, limit_bytes: int | None) -> None:
    """Raises TooLarge when the server would not take a packet of this size; None: it has named no limit."""
    if limit_bytes is not None and size_bytes > limit_bytes:
        raise TooLarge(f"this takes {size_bytes} bytes, and the server takes packets of {limit_bytes}")


def _check_values(frame: Mapping[str, Any]) -> None:
    """Only what JSON can say travels, and not too much of it."""
    # Values still to be looked at, and how many there are at least.
    waiting: list[Any] = [frame]
    values = _ENVELOPE_VALUES
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list | tuple):
            values += len(value)
            if values > VALUES_MAX:
                raise TooLarge(f"this holds more values than the {VALUES_MAX} that a packet may hold")
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise Invalid("this cannot be sent: keys are text")
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        elif isinstance(value, int | float):
            if not math.isfinite(value) or abs(value) > NUMBER_MAX:
                raise Invalid("this cannot be sent: a number is beyond 2^53, or is none")
        elif value is not None and not isinstance(value, str):
            raise Invalid(f"this cannot be sent: {type(value).__name__} is no value of JSON")
