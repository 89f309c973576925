"""What an API token may do, and where. These three functions are all of it; roles in projects come on top.

A token that is limited to projects reaches these projects' streams and routes and, if it may read, the public profiles
of people, whose names stand beside what they did. Everything else is refused, what does not exist as well: the refusal
says what the token is, not what there is.
"""

from __future__ import annotations

from typing import Final

from protocol.bots import Scope
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OTHER_PLACE: Final = Rejection(
    ErrorCode.FORBIDDEN, "the token is limited to certain projects", {"reason": "token_projects"}
)


def scope_refusal(principal: Principal, scope: Scope) -> Rejection | None:
    """Whether the kind of access is the token's. People and the operator are not limited.

    Who may write may read: answers to changes, and refusals that name both values, show what is there.
    """
    if principal.kind != "bot" or scope in principal.scopes or (scope == "read" and "write" in principal.scopes):
        return None
    return Rejection(ErrorCode.FORBIDDEN, f"the token may not {scope}", {"reason": "token_scope", "scope": scope})


def stream_refusal(principal: Principal, stream: str, scope: Scope) -> Rejection | None:
    """Why a command (write) to a stream, or following it (read), is more than the token may; None when it is not."""
    if (refused := scope_refusal(principal, scope)) is not None:
        return refused
    if principal.project_ids is None:
        return None
    kind, _, stream_id = stream.partition("/")
    if kind == "project":
        return None if stream_id in principal.project_ids else _OTHER_PLACE
    return None if kind == "profile" and scope == "read" else _OTHER_PLACE


def route_refusal(principal: Principal, method: str, path: str) -> Rejection | None:
    """The same for a request over REST, by its path: a new route is closed to limited tokens until it is named."""
    scope: Scope = "read" if method in _READING else "write"
    if (refused := scope_refusal(principal, scope)) is not None:
        return refused
    if principal.project_ids is None:
        return None
    match path.strip("/").split("/"):
        case ["v1", "projects", project_id, *_] if project_id.lower() in principal.project_ids:
            return None
        case ["v1", "users"] | ["v1", "users", _] if scope == "read":
            return None
        case ["v1", "links", _] if scope == "read":
            return None  # the route asks `stream_refusal` about the project that it finds
        case _:
            return _OTHER_PLACE
