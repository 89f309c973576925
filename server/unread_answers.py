"""Large answers that are not written out yet: bounded in all and for each user, however slowly anybody reads.

An answer waits here whole for a client that does not read it. The first one of a user, and the first of all, is let
through however large it is, so no answer is too large to be had. Whose room is used up changes nothing any more: such a
request is refused before it is handled. What was carried out and finds no room is told in a small answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from protocol.errors import ErrorCode, Rejected, Rejection
from server.held_bytes import Bound, HeldBytes, holder_in

SMALL_BYTES: Final = 64 << 10
"""Answers of this size are not counted: the buffers of a connection take as much."""
_READING: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
"""Methods that change nothing (RFC 9110 §9.2.1)."""

_FULL: Final = Rejection(
    ErrorCode.OVERLOADED, "too much of large answers is not read yet", {"limit": "answers-unread", "retryAfterS": 2}
)
_FULL_FOR_USER: Final = Rejection(
    ErrorCode.OVERLOADED,
    "too much of large answers to this user is not read yet",
    {"limit": "answers-unread-per-user", "retryAfterS": 2},
)


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """Of one user with their bots, or of one address where nobody is known; the operator has only that of all."""

    answers_unread_max_bytes: int = 128 << 20
    answers_unread_per_user_max_bytes: int = 32 << 20


def _untold(refusal: Rejection) -> Rejection:
    """Instead of the large answer to what was carried out; as with every `timeout`, a retry says what became of it."""
    message = (
        "it was carried out, but its large answer has no room while others are not read; "
        "to get it, send it again later with the same Idempotency-Key or opId"
    )
    return Rejection(ErrorCode.TIMEOUT, message, refusal.details)


class UnreadAnswers(HeldBytes):
    """Those of all connections."""

    def __init__(self, limits: AnswerLimits) -> None:
        super().__init__(
            in_all=Bound(limits.answers_unread_max_bytes, _FULL),
            per_user=Bound(limits.answers_unread_per_user_max_bytes, _FULL_FOR_USER),
        )

    def is_used_up(self, holder: str | None) -> bool:
        """Whether no large answer, however small, has room beside what waits for them already."""
        held_bytes = self._of_holder[holder]
        return holder is not None and held_bytes > 0 and held_bytes + SMALL_BYTES >= self._per_user.max_bytes


ANSWERS: Final = web.AppKey("unread_answers", UnreadAnswers)
"""The application's, for whoever writes its answers."""


def counted_bytes(request: web.BaseRequest, response: web.StreamResponse) -> int:
    """How much an answer takes up until it is written; 0 where it is small, or comes piece by piece."""
    body = response.body if isinstance(response, web.Response) else None
    if not isinstance(body, bytes | bytearray) or len(body) <= SMALL_BYTES or request.method == hdrs.METH_HEAD:
        return 0
    return len(body)


def require_room(request: web.Request) -> None:
    """Before a request is handled, once its `READER` is known.

    How large its answer will be nobody knows yet, so what is held decides. Reading goes on: only its large answers are
    refused. So does what needs no token, such as a log-in, of which all answers are small.

    Raises Rejected: it would change something, and the room of whoever asks is used up. Nothing is done then.
    """
    if request.method not in _READING and request.app[ANSWERS].is_used_up(holder_in(request)):
        raise Rejected(_FULL_FOR_USER)


def refusing(answers: UnreadAnswers) -> Middleware:
    """Large answers for which there is no room are not held, whatever was done.

    A read is `overloaded`; of what was carried out a small problem says so. Nothing waits between this and the writing,
    so the room that was found is there still.
    """

    @web.middleware
    async def looking(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        size_bytes = counted_bytes(request, response)
        if size_bytes and (refusal := answers.refusal(holder_in(request), size_bytes)) is not None:
            raise Rejected(refusal if request.method in _READING else _untold(refusal))
        return response

    return looking
