"""What routes take from a request beside its body: the caller, path ids, the query, idempotency, conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from pydantic import Field, TypeAdapter, ValidationError

from actors.runtime.hub import CloseReason
from protocol.base import INTEGER_MAX, Message, Uuid, canonical_instant, day_begins
from protocol.cursors import Cursor
from protocol.derived_ids import derived_id
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.poison import find_poison
from protocol.tags import EntityTag, tag_of
from server.auth.principal import NOT_KNOWN_YET, Authenticator
from server.auth.scopes import route_refusal
from server.auth.tokens import Authenticated
from server.held_bytes import READER
from server.idempotency import IDEMPOTENCY_KEY
from server.middleware import ALLOWANCE, OP_ID, USER_ID
from server.rate_limits import Rates
from server.rest.attempts import Attempts
from server.rest.bodies import validated
from server.rest.operations import operation_of
from server.rest.query_forms import odd_form
from server.streams import granted
from server.unread_answers import require_room

M = TypeVar("M", bound=Message)

STREAM_STATE: Final = "Stream-State"
"""The header of answers from a stream whose log cannot be read to its end: they are as of the last good entry."""
_UUID: TypeAdapter[str] = TypeAdapter(Uuid)
_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")
_ENTITY_TAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*')
_STRONG_TAG = re.compile(r'\s*"([^"]*)"\s*')
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class LookedUp(NamedTuple):
    """Whose API token came, or why it is refused."""

    known: Authenticated | Rejection


LOOKED_UP: Final = web.RequestKey("looked_up", LookedUp)
"""Set before the routes where a token had to be looked up."""


class AsOf(NamedTuple):
    """A point of the past: a seq, or a time (exactly one of them)."""

    seq: int | None
    at: str | None


class Access:
    """Reads requests for the routes; everything that is wrong is raised as Rejected."""

    def __init__(self, authenticator: Authenticator, new_id: Callable[[], str], rates: Rates) -> None:
        self._authenticator = authenticator
        self._rates = rates
        self._new_id = new_id

    def principal(self, request: web.Request) -> Principal:
        """Who calls. Comes first in every route: strangers learn nothing from what else is wrong."""
        return self.authenticated(request).principal

    def authenticated(self, request: web.Request) -> Authenticated:
        """Who calls, and what the token hangs on. Instead of `principal`, for the routes that end that."""
        looked_up = request.get(LOOKED_UP)
        known: Authenticated = granted(
            self._authenticator.of_header(authorization_of(request)) if looked_up is None else looked_up.known
        )
        request[USER_ID] = known.principal.id
        request[READER] = known.principal
        out_of_scope = route_refusal(known.principal, request.method, request.path)
        if out_of_scope is not None:
            raise Rejected(out_of_scope)
        allowance = granted(self._rates.request(known.principal))
        if allowance is not None:
            request[ALLOWANCE] = allowance
        require_room(request)
        if request.query and _takes_no_query(request):
            name = next(iter(request.query))
            raise refused("there is no such query parameter; a condition stands in the body or in a header", name)
        return known

    def why_over(self, known: Authenticated) -> CloseReason | None:
        """Why an answer that goes on has to end now; None while it may go on."""
        if known.expires_at_s is not None and known.expires_at_s <= self._authenticator.now_s():
            return "expired"
        if known.grant_id is None:
            return None
        return None if self._authenticator.ended.refusal(known.grant_id, known.issued_at_s) is None else "ended"

    def op_id(self, request: web.Request, principal: Principal) -> str:
        """That of the request's command, which the answer tells; see `stable_id`."""
        request[OP_ID] = op_id = self.stable_id(request, principal)
        return op_id

    def stable_id(self, request: web.Request, principal: Principal) -> str:
        """From `Idempotency-Key` and the caller: the same for every retry. Without the header a new one."""
        key = idempotency_key(request)
        return self._new_id() if key is None else derived_id(principal.id, "opId", principal.kind, key)


def _takes_no_query(request: web.Request) -> bool:
    """What is misspelt or in the wrong place, as a `base` beside the body, must not be ignored: see `read_query`."""
    declared = operation_of(request.match_info.handler)
    return declared is not None and declared.query is None


def authorization_of(request: web.Request) -> str | None:
    """The header; None when there is none or more than one."""
    headers = request.headers.getall(hdrs.AUTHORIZATION, [])
    return headers[0] if len(headers) == 1 else None


def looks_tokens_up(authenticator: Authenticator, attempts: Attempts) -> Middleware:
    """API tokens are looked up before the routes, which ask for their principal without waiting.

    A wrong one counts as a failed try to sign in; one that is known by heart needs no try.
    """

    @web.middleware
    async def looking_up(request: web.Request, handler: Handler) -> web.StreamResponse:
        token = authenticator.bearer_of(authorization_of(request))
        if token is not None and authenticator.of_token(token) is NOT_KNOWN_YET:
            try:
                with attempts.of(request):
                    request[LOOKED_UP] = LookedUp(granted(await authenticator.look_up(token)))
            except Rejected as refused:
                request[LOOKED_UP] = LookedUp(refused.rejection)
        return await handler(request)

    return looking_up


def idempotency_key(request: web.Request) -> str | None:
    """The header, None without one."""
    given = request.headers.getall(IDEMPOTENCY_KEY, [])
    if not given:
        return None
    if len(given) > 1 or _KEY.fullmatch(given[0]) is None:
        raise refused(f"{IDEMPOTENCY_KEY} takes 1 to 255 printable ASCII characters", IDEMPOTENCY_KEY)
    return given[0]


def path_id(request: web.Request, name: str) -> str:
    """A UUID of the path, in its canonical form. What is none does not fit the schema: 400."""
    try:
        return _UUID.validate_python(request.match_info[name])
    except ValidationError as error:
        raise refused(f"{name}: not a UUID", name) from error


def read_query(request: web.Request, model: type[M]) -> M:
    """The query as a message. Unknown and repeated names are refused: a misspelt filter must not be ignored."""
    names = [name for name, _ in request.query.items()]
    if len(set(names)) != len(names):
        raise refused("a query parameter stands there twice", "query")
    values = dict(request.query)
    if (poison := find_poison(values)) is not None:
        raise refused(f"the query is not acceptable: {poison}", "query")
    if (odd := odd_form(model, values)) is not None:
        raise refused(f"{odd[0]}: {odd[1]}", odd[0])
    return validated(model, values)


AsOfText = Annotated[
    str,
    Field(
        max_length=40,
        description="A point of the past: a seq, or a time. That means the last content that is not later, by the "
        "content's own time, and what else (members, roles, a deletion) had come by then.",
    ),
]
"""What `parse_as_of` reads."""


def parse_as_of(text: str | None, name: str = "asOf") -> AsOf | None:
    """The parameter `name`: a seq, an instant with its offset, or a day, which means its first moment in UTC."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        if len(text) > 16 or int(text) > INTEGER_MAX:
            raise refused(f"{name}: the seq is too large", name)
        return AsOf(int(text), None)
    # "+" of an offset arrives as a space when the client did not escape it.
    try:
        return AsOf(None, day_begins(text) if _DAY.fullmatch(text) else canonical_instant(text.replace(" ", "+")))
    except ValueError as error:
        raise refused(f"{name}: give a seq, or a time such as 2017-01-01T00:00:00Z", name) from error


def has_hung_up(request: web.Request) -> bool:
    """Whether nobody reads the answer any more."""
    return request.transport is None or request.transport.is_closing()


def entity_tag(cursor: Cursor, shown: Any = None) -> str:
    """The ETag of what was read at a cursor; `shown` is the record, if it is one."""
    return f'"{EntityTag(cursor, tag_of(shown) if isinstance(shown, Mapping) else None)}"'


def state_headers(halted: bool) -> dict[str, str]:
    """What an answer says of the stream that it was read from: nothing, or that it is incomplete."""
    return {STREAM_STATE: "halted"} if halted else {}


def is_unchanged(request: web.Request, cursor: Cursor, shown: Any = None) -> bool:
    """Whether `If-None-Match` names what would be sent (RFC 9110 §13.1.2): the same point, or the same record."""
    named = _named_tags(request)
    if not named:
        return False
    own = tag_of(shown) if isinstance(shown, Mapping) else None
    parts = [one.partition("-") for one in named]
    return "*" in named or any(point == str(cursor) or (tag and tag == own) for point, _, tag in parts)


def names_tag(request: web.Request, tag: str) -> bool:
    """Whether `If-None-Match` names a tag that is made of what would be sent."""
    named = _named_tags(request)
    return "*" in named or tag in named


def _named_tags(request: web.Request) -> frozenset[str]:
    """What stands in `If-None-Match`, without quotes."""
    given = request.headers.get(hdrs.IF_NONE_MATCH, "")
    if given.strip() == "*":
        return frozenset({"*"})
    return frozenset(match[1] for one in given.split(",") if (match := _ENTITY_TAG.fullmatch(one)))


def only_at(request: web.Request) -> tuple[EntityTag, ...]:
    """What `If-Match` names: the change is made only while the stream stands at one of these, or the record that it is
    about is what one of them was made of (RFC 9110 §13.1.1).

    Empty for `*` and without the header, which are no condition: what is not there cannot be changed anyway. Raises
    Rejected.
    """
    given = request.headers.getall(hdrs.IF_MATCH, [])
    if not given or [one.strip() for one in given] == ["*"]:
        return ()
    # Lines of one header are one list, and a list may have empty places (RFC 9110 §5.3, §5.6.1).
    named = [one for one in ",".join(given).split(",") if one.strip()]
    try:
        # An empty header has one empty name, which is no tag.
        return tuple(
            EntityTag.parse(match[1] if (match := _STRONG_TAG.fullmatch(one)) else "") for one in named or [""]
        )
    except ValueError as error:
        raise refused("If-Match: ETags as reads gave them", hdrs.IF_MATCH) from error


def refused(message: str, field: str) -> Rejected:
    """Invalid, with the field that is."""
    return Rejected(Rejection(ErrorCode.INVALID, message, {"errors": [{"field": field, "message": message}]}))
