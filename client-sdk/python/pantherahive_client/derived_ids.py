"""Identifiers that are made of what they stand for: whoever makes them again makes the same ones."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from pantherahive_client.ids import uuid_of_bits

OPERATOR_ID: Final = "system"
"""Whose the operator's ids are."""


def derived_id(owner_id: str | None, *parts: str | int) -> str:
    """An `opId`, or the id of something that a command makes, from whose it is and what it stands for.

    A bot that derives its `opId`s from what it answers, such as (its name, the stream, the seq, "welcome"), may send
    the same command after every crash: it takes effect once. `owner_id` is the account that sends it
    (`Client.user_id`; None: the operator). It is a UUIDv8 (RFC 9562 §5.8) that begins with 48 bits of SHA-256 of the
    owner's id, and the server takes it from no other account: whoever foresees it cannot use it up.
    """
    owner = owner_id if owner_id is not None else OPERATOR_ID
    text = json.dumps((owner, *parts), ensure_ascii=False, separators=(",", ":"))
    first, others = hashlib.sha256(owner.encode()).digest()[:6], hashlib.sha256(text.encode()).digest()[:10]
    return uuid_of_bits(int.from_bytes(first), int.from_bytes(others) >> 6, 8)
