"""What can go wrong, as exceptions that mirror the server's error codes.

HiveError
├── Invalid, Unauthenticated, TokenExpired, Forbidden, NotFound, MethodNotAllowed, Conflict, AlreadyExists,
│   OpIdReused, PreconditionFailed, TooLarge, UnsupportedMediaType, RuleBroken, RateLimited, Overloaded,
│   Unavailable, ServerTimeout, StreamHalted, InternalError      refusals of the server, one class per code
├── DeadlineExceeded      no answer in time: the outcome is unknown, resending with the same op_id is safe
├── PacketRefused         the server ended the connection over what was sent, again and again
├── Unreachable           the server could not be reached in time
├── EventsMissed          the server could not continue where this client was: some events were not seen
├── HistoryChanged        the log is not the one that the cursor belongs to, as after a restored backup
├── StreamClosed          the project is no longer there for this user
├── StateUnknown          the project was opened by cursor alone, without the state at that cursor
└── ClientClosed          the client was closed meanwhile
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pantherahive_client.models import ERROR_RETRYABLE


class HiveError(Exception):
    """Base of all. `details` holds structured fields, such as `errors` (one per field) or `retryAfterS`."""

    code: ClassVar[str] = ""

    def __init__(self, message: str, details: Mapping[str, Any] | None = None, *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Any] = details or {}
        self.wire_code = code or type(self).code

    def __str__(self) -> str:
        return f"{self.wire_code}: {self.message}" if self.wire_code else self.message

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later without a change."""
        return ERROR_RETRYABLE.get(self.wire_code, False)

    @property
    def retry_after_s(self) -> float | None:
        """How long the server asks to wait, where it says so."""
        wait = self.details.get("retryAfterS")
        return float(wait) if isinstance(wait, int | float) and wait >= 0 else None


class Invalid(HiveError):
    """The request does not fit the schema; `details["errors"]` names the fields."""

    code = "invalid"


class Unauthenticated(HiveError):
    """No token, a wrong one, or wrong credentials."""

    code = "unauthenticated"


class TokenExpired(HiveError):
    """The token's time is over, and there is nothing to log in with again."""

    code = "token_expired"


class Forbidden(HiveError):
    """The role does not allow it."""

    code = "forbidden"


class NotFound(HiveError):
    """It does not exist, or may not be seen."""

    code = "not_found"


class MethodNotAllowed(HiveError):
    """The REST path knows no such method."""

    code = "method_not_allowed"


class Conflict(HiveError):
    """Somebody else changed the same thing."""

    code = "conflict"


class AlreadyExists(HiveError):
    """The name, key or id is taken."""

    code = "already_exists"


class OpIdReused(HiveError):
    """The same opId was used for another command."""

    code = "op_id_reused"


class PreconditionFailed(HiveError):
    """It changed since the stated version."""

    code = "precondition_failed"


class TooLarge(HiveError):
    """A size limit was passed."""

    code = "too_large"


class UnsupportedMediaType(HiveError):
    """The body's type is not understood."""

    code = "unsupported_media_type"


class RuleBroken(HiveError):
    """A rule of the domain forbids it."""

    code = "rule_broken"


class RateLimited(HiveError):
    """Too many requests."""

    code = "rate_limited"


class Overloaded(HiveError):
    """The server has too much to do now."""

    code = "overloaded"


class Unavailable(HiveError):
    """A part of the server is away now."""

    code = "unavailable"


class ServerTimeout(HiveError):
    """The server did not get it done in time."""

    code = "timeout"


class StreamHalted(HiveError):
    """The stream is readable only, until an operator has looked at it."""

    code = "stream_halted"


class InternalError(HiveError):
    """A defect of the server."""

    code = "internal"


class DeadlineExceeded(HiveError, TimeoutError):
    """No answer in time. The command may have taken effect or may still: send it again with `op_id` to know."""

    def __init__(self, op_id: str, last: HiveError | None = None) -> None:
        why = f"; the last answer was {last}" if last is not None else ""
        super().__init__(
            f"no answer before the deadline{why}: the outcome is unknown, and sending the command again "
            f"with op_id={op_id!r} is safe"
        )
        self.op_id = op_id


class PacketRefused(HiveError):
    """The server ended one connection after the other over what was sent, with this command or state among it.

    The outcome is unknown: sending the command again with `op_id` is safe, best without the others. A state that others
    were to see has no `op_id`; it is not shown any more.
    """

    def __init__(self, op_id: str | None) -> None:
        what = "this state" if op_id is None else f"this command (op_id={op_id!r})"
        super().__init__(
            f"the server keeps ending the connection over what is sent with {what}: the outcome is unknown"
        )
        self.op_id = op_id


class Unreachable(HiveError, ConnectionError):
    """The server could not be reached in time."""


class EventsMissed(HiveError):
    """Events between the last one read and the server's new starting point were not seen.

    The replica is complete again; `events()` may be called anew and goes on from there.
    """

    def __init__(self, reason: str | None) -> None:
        super().__init__(f"the server could not continue from the cursor ({reason or 'it sent a new state'})")
        self.reason = reason


class HistoryChanged(HiveError):
    """The cursor does not belong to the server's log: `epoch` (its entry was lost) or `ahead` (the log is shorter).

    So it is after an older backup was restored. Whoever kept the cursor has to decide where to go on.
    """

    def __init__(self, reason: str, cursor: str) -> None:
        super().__init__(f"the log has another history than the cursor {cursor} ({reason})")
        self.reason = reason
        self.cursor = cursor


class StreamClosed(HiveError):
    """Nothing more comes from this project: `removed` (no longer a member, or the project was deleted)."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the project is closed for this user: {reason}")
        self.reason = reason


class StateUnknown(HiveError):
    """The project was opened with a cursor and without the state that belongs to it."""


class ClientClosed(HiveError):
    """The client or the project was closed while something waited for it."""


BY_CODE: Mapping[str, type[HiveError]] = {error.code: error for error in HiveError.__subclasses__() if error.code}
"""Code on the wire → exception."""


def error_of(body: object) -> HiveError:
    """The exception for an `error` object of the socket or a problem document of REST (RFC 9457).

    A code of a newer server becomes a plain HiveError with that code.
    """
    if not isinstance(body, Mapping):
        return InternalError("the server's answer could not be read")
    code = body.get("code")
    details = body.get("details")
    message = body.get("message") or body.get("detail") or body.get("title") or "refused"
    error = BY_CODE.get(code, HiveError) if isinstance(code, str) else InternalError
    return error(
        str(message),
        details if isinstance(details, Mapping) else None,
        code=code if isinstance(code, str) else "",
    )
