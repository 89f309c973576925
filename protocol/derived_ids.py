"""Ids that only one account may use: UUIDv8s (RFC 9562 §5.8) whose first 48 bits are those of SHA-256 of its id.

An id that is derived from what it stands for is the same after every crash and on every node. But others can foresee
it, too, and an opId, or the id of something that is made, is gone once somebody was accepted with it. One that has an
owner is refused from everybody else as either of them.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final
from uuid import UUID

from pydantic.alias_generators import to_camel

from protocol.errors import ErrorCode, Rejection
from protocol.event import Command

_VERSION_AT: Final = 14
_OWNER_CHARACTERS: Final = 13
"""`xxxxxxxx-xxxx`: 48 bits."""


def derived_id(owner_id: str, *parts: str) -> str:
    """The owner's id for these parts: the same for the same ones only, at every time."""
    digest = hashlib.sha256("\n".join((owner_id, *parts)).encode()).digest()
    owner = hashlib.sha256(owner_id.encode()).digest()[:6]
    value = int.from_bytes(owner + digest[:10]) & ~(0xF << 76 | 0b11 << 62)
    return str(UUID(int=value | 8 << 76 | 0b10 << 62))


def refusal_of_derived(id_: str, sender_id: str, field: str) -> Rejection | None:
    """Why the sender may not use the id in this field; None for one of their own, and for what is no UUIDv8."""
    if id_[_VERSION_AT : _VERSION_AT + 1] != "8" or id_[:_OWNER_CHARACTERS] == _owner_part(sender_id):
        return None
    message = "a UUIDv8 is for the account alone whose id it begins with (SHA-256); make another one, such as a UUIDv7"
    return Rejection(ErrorCode.INVALID, f"{field}: {message}", {"errors": [{"field": field, "message": message}]})


def refusal_of_made(command: Command, sender_id: str) -> Rejection | None:
    """Why the sender may make nothing under the id that the command names for it; None where it names none."""
    field = command.makes
    if field is None or field not in command.model_fields_set:
        return None
    return refusal_of_derived(getattr(command, field), sender_id, to_camel(field))


@lru_cache(maxsize=1024)
def _owner_part(owner_id: str) -> str:
    return derived_id(owner_id)[:_OWNER_CHARACTERS]
