"""Who may do what in a person's private stream: the person reads and sets, the server tells."""

from __future__ import annotations

from actors.runtime.actor import Context, Decision
from actors.user.state import UserState
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.messages import UserEvent

Outcome = Decision[UserEvent] | Rejection

NO_SUCH_STREAM = Rejection(ErrorCode.NOT_FOUND, "there is no such stream")


def refusal(state: UserState, context: Context) -> Rejection | None:
    """None for the person themself. Others do not learn that there is such a stream."""
    if context.principal.id != state.user_id:
        return NO_SUCH_STREAM
    return _no_import(context)


def refusal_of_server(context: Context) -> Rejection | None:
    """None for the server itself; nobody else tells people anything, the operator included."""
    if context.principal.kind != "system":
        return Rejection(ErrorCode.FORBIDDEN, "only the server tells people of something")
    return _no_import(context)


def _no_import(context: Context) -> Rejection | None:
    if context.origin is not None:
        reason = {"reason": "not_importable"}
        return Rejection(ErrorCode.RULE_BROKEN, "this command cannot carry an origin", reason)
    return None


def may_read(state: UserState, principal: Principal) -> bool:
    """Whether the principal may see what is here."""
    return principal.is_operator or principal.id == state.user_id
