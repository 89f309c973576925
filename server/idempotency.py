"""The header that makes a request one that may be sent again, and the refusal of another request under its key."""

from __future__ import annotations

from typing import Final

from protocol.errors import ErrorCode, Rejection

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
KEY_REUSED: Final = Rejection(ErrorCode.OP_ID_REUSED, f"this {IDEMPOTENCY_KEY} was used for another request")
