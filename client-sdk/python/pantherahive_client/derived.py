"""Identifiers that are made of what they stand for: whoever makes them again makes the same ones."""

from __future__ import annotations

import json
from typing import Final
from uuid import UUID, uuid5

_NAMESPACE: Final = UUID("b5d0f2c4-94f0-5a39-8a0e-3a8f2f7d2c61")


def derived_id(*parts: str | int) -> str:
    """A UUIDv5 (RFC 9562 §5.5) of the parts, as an `opId` or as the id of something that a command makes.

    A bot that derives its `opId`s from what it answers, such as (its name, the stream, the seq, "welcome"), may send
    the same command after every crash: it takes effect once.
    """
    return str(uuid5(_NAMESPACE, json.dumps(parts, ensure_ascii=False, separators=(",", ":"))))
