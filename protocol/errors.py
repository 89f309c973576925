"""Errors as the protocol knows them: one closed list of stable codes, the same on the socket and over REST (RFC 9457).

A `Rejection` is an expected outcome and travels as a value. A defect is an exception and is answered as `internal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import Field

from protocol.base import Message


class ErrorCode(StrEnum):
    """What went wrong. Codes are never renamed; new ones may be added."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a secret
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    ALREADY_EXISTS = "already_exists"
    OP_ID_REUSED = "op_id_reused"
    PRECONDITION_FAILED = "precondition_failed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RULE_BROKEN = "rule_broken"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    STREAM_HALTED = "stream_halted"
    INTERNAL = "internal"


HTTP_STATUS: Mapping[ErrorCode, int] = MappingProxyType(
    {
        ErrorCode.INVALID: 400,
        ErrorCode.UNAUTHENTICATED: 401,
        ErrorCode.TOKEN_EXPIRED: 401,
        ErrorCode.FORBIDDEN: 403,
        ErrorCode.NOT_FOUND: 404,
        ErrorCode.METHOD_NOT_ALLOWED: 405,
        ErrorCode.CONFLICT: 409,
        ErrorCode.ALREADY_EXISTS: 409,
        ErrorCode.OP_ID_REUSED: 409,
        ErrorCode.PRECONDITION_FAILED: 412,
        ErrorCode.TOO_LARGE: 413,
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
        ErrorCode.RULE_BROKEN: 422,
        ErrorCode.RATE_LIMITED: 429,
        ErrorCode.OVERLOADED: 503,
        ErrorCode.UNAVAILABLE: 503,
        ErrorCode.TIMEOUT: 504,
        ErrorCode.STREAM_HALTED: 503,
        ErrorCode.INTERNAL: 500,
    }
)

RETRYABLE = frozenset(
    {
        ErrorCode.RATE_LIMITED,
        ErrorCode.OVERLOADED,
        ErrorCode.UNAVAILABLE,
        ErrorCode.TIMEOUT,
        ErrorCode.INTERNAL,
    }
)
"""Send the same command again with the same opId, after `details.retryAfterS` where it is given."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refusal as a value. `details` holds structured fields, never secrets and nothing the caller may not see."""

    code: ErrorCode
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later without a change."""
        return self.code in RETRYABLE

    def as_json(self) -> dict[str, Any]:
        """The `error` object of an ack."""
        return {
            "code": self.code.value,
            "message": self.message,
            "retryable": self.retryable,
            "details": dict(self.details),
        }


class Rejected(Exception):
    """Carries a rejection through code that cannot return one, such as a REST handler's parser."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(f"{rejection.code.value}: {rejection.message}")
        self.rejection = rejection


class ErrorBody(Message):
    """The `error` of an ack on the socket."""

    code: ErrorCode
    message: str
    retryable: bool
    details: dict[str, Any] = Field(default_factory=dict)


class ErrorResponse(Message):
    """The problem document (RFC 9457) of every REST error, `application/problem+json`."""

    type: str
    title: str
    status: int
    detail: str
    code: ErrorCode
    retryable: bool
    details: dict[str, Any] = Field(default_factory=dict)
