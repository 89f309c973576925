"""What a server can be sent: checked before it leaves, because a server ends the connection over what is no JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pantherahive_client.errors import Invalid

NUMBER_MAX = 2**53 - 1
"""Beyond it numbers change on their way (RFC 8259 §6), and the server refuses them."""

_ENVELOPE_BYTES = len('42["command",]') + 15  # an ack id has at most 15 digits


def packet_bytes(frame: Mapping[str, Any]) -> int:
    """The largest packet that a command's frame may become. Raises Invalid for what no server takes."""
    try:
        size = len(json.dumps(frame, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
    except (TypeError, ValueError, RecursionError) as error:  # a lone surrogate is a ValueError too
        raise Invalid(f"this cannot be sent as JSON: {error}") from error
    _check_numbers(frame)
    return size + _ENVELOPE_BYTES


def check_size(size_bytes: int, limit_bytes: int | None) -> None:
    """Raises Invalid when the server would not take a packet of this size; None: it has named no limit."""
    if limit_bytes is not None and size_bytes > limit_bytes:
        raise Invalid(f"the command takes {size_bytes} bytes, and the server takes packets of {limit_bytes}")


def _check_numbers(frame: Mapping[str, Any]) -> None:
    # Values still to be looked at.
    waiting: list[Any] = [frame]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        elif isinstance(value, int | float) and abs(value) > NUMBER_MAX:
            raise Invalid("this cannot be sent as JSON: a number is beyond 2^53")
