"""Tokens: forged, changed, stolen, ended, and the right ones in the wrong place."""

from __future__ import annotations

from typing import Any, Final

from tests.server.hostile import tokens
from tests.server.hostile.row import Row
from tests.server.hostile.sending import SOCKET, Sending, Token, connect, emit, rest

PROJECT: Final = "/v1/projects/{project}"
CONNECT_TEXT: Final = '40{"token":"{token}"}'
WRONG: Final = "401 unauthenticated"


def shows(token: Token) -> Sending:
    return rest("GET", PROJECT, token=token)


def connects(token: Token) -> Sending:
    return connect(CONNECT_TEXT, token=token)


def header(value: str) -> Sending:
    return rest("GET", PROJECT, headers=[("Authorization", value)])


def bot(method: str, path: str, who: str, body: Any = None) -> Sending:
    return rest(method, path, **({"body": body} if body is not None else {}), who=who)


_FORGED: Final[list[tuple[str, Token]]] = [
    ("`alg: none`", tokens.unsigned("none")),
    ("`alg: nOnE`", tokens.unsigned("nOnE")),
    ("HS256, signed with the public key", tokens.symmetric),
    ("RS256, signed with a key of one's own", tokens.rsa),
    ("the key of another server", tokens.foreign()),
    ("its own key in the header (`jwk`)", tokens.with_own_key_inside("jwk")),
    ("the address of its key in the header (`jku`)", tokens.with_own_key_inside("jku")),
    ("`kid` that is a path, rightly signed", tokens.signed({"typ": "at+jwt", "kid": "../../dev/null"})),
    ("`crit`, rightly signed", tokens.signed({"typ": "at+jwt", "crit": ["exp"]})),
    ("another `typ`, rightly signed", tokens.signed({"typ": "JWT"})),
    ("claims that were changed after signing", tokens.changed),
    ("its signature cut off", tokens.cut_off),
    ("another audience", tokens.signed(aud="another-api")),
    ("another issuer", tokens.signed(iss="another")),
    ("a subject that is no id", tokens.signed(sub="system")),
    ("a log-in that is no id", tokens.signed(sid="*")),
    ("no end", tokens.signed(exp=None)),
    ("an end that is a text", tokens.signed(exp="9999999999")),
    ("an end that is `true`", tokens.signed(exp=True)),
    ("a beginning to come", tokens.begins_in(3600, "nbf")),
    ("an issue to come", tokens.begins_in(3600, "iat")),
    ("a log-in that was logged out", tokens.known("logged_out")),
    ("a log-in that was ended by a stolen refresh token", tokens.known("robbed")),
    ("a refresh token for an access token", tokens.known("refresh_heir")),
    ("a revoked API token", tokens.known("revoked")),
    ("an API token that never was", tokens.text("ph_token_" + "A" * 64)),
    ("an API token of wrong letters", tokens.text("ph_token_~~~~")),
    ("the operator's token and one letter more", tokens.known("operator", "{}a")),
    ("5,000 letters", tokens.text("e" * 5_000)),
]

ROWS: Final = [
    *(
        Row(
            f"a token with {what}" if not what.startswith(("a ", "an ", "the operator", "5,")) else what,
            shows(token),
            WRONG,
        )
        for what, token in _FORGED
    ),
    Row("a token that ended a second ago", shows(tokens.ends_in(-1)), "401 token_expired"),
    Row("no token", rest("GET", PROJECT, who=""), WRONG),
    Row("`Basic` instead of `Bearer`", header("Basic YWRhOmFkYQ=="), WRONG),
    Row("`Bearer` and nothing", header("Bearer "), WRONG),
    Row("two tokens in one header", header("Bearer a b"), WRONG),
    Row(
        "two `Authorization` headers",
        rest("GET", PROJECT, headers=[("Authorization", "Bearer a"), ("Authorization", "Bearer b")]),
        WRONG,
    ),
    Row("a token in the URL", rest("GET", PROJECT + "?access_token=x", who=""), WRONG),
    Row("a bot that may read, writing", bot("POST", PROJECT + "/tasks", "reader", {"title": "x"}), "403 forbidden"),
    Row("a bot of another project", bot("GET", PROJECT, "limited"), "403 forbidden"),
    Row(
        "the same behind its own project's path",
        bot("GET", "/v1/projects/{other_project}%2F..%2F{project}", "limited"),
        "400 invalid",
    ),
    Row(
        "a bot that asks for its owner's inbox", bot("GET", "/v1/users/{ada}/notifications", "reader"), "404 not_found"
    ),
    Row("CONNECT: `alg: none`", connects(tokens.unsigned("none")), "CONNECT_ERROR unauthenticated, closed 1000"),
    Row(
        "CONNECT: HS256, signed with the public key",
        connects(tokens.symmetric),
        "CONNECT_ERROR unauthenticated, closed 1000",
    ),
    Row("CONNECT: the key of another server", connects(tokens.foreign()), "CONNECT_ERROR unauthenticated, closed 1000"),
    Row(
        "CONNECT: a token that ended a second ago",
        connects(tokens.ends_in(-1)),
        "CONNECT_ERROR token_expired, closed 1000",
    ),
    Row(
        "CONNECT: a log-in that was logged out",
        connects(tokens.known("logged_out")),
        "CONNECT_ERROR unauthenticated, closed 1000",
    ),
    Row(
        "CONNECT: a revoked API token", connects(tokens.known("revoked")), "CONNECT_ERROR unauthenticated, closed 1000"
    ),
    Row(
        "CONNECT: the token in the URL and not in it",
        connect("40", path=SOCKET + "&token=x"),
        "CONNECT_ERROR unauthenticated, closed 1000",
    ),
    Row(
        "a live socket renewed with somebody else's token",
        Sending("`auth`", lambda scene: emit("auth", {"token": scene.tokens["eve"]}).act(scene)),
        "ack forbidden",
    ),
    Row(
        "a live socket renewed with the operator's token",
        Sending("`auth`", lambda scene: emit("auth", {"token": scene.tokens["operator"]}).act(scene)),
        "ack forbidden",
    ),
    Row(
        "a live socket renewed with a dead token",
        Sending("`auth`", lambda scene: emit("auth", {"token": scene.tokens["robbed"]}).act(scene)),
        "ack unauthenticated",
    ),
]
