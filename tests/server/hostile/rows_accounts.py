"""Names, addresses, passwords and log-ins."""

from __future__ import annotations

from typing import Any, Final

from tests.server.hostile.row import Row
from tests.server.hostile.scene import PASSWORD
from tests.server.hostile.sending import Sending, rest


def register(username: Any, **fields: Any) -> Sending:
    """A registration."""
    body = {"username": username, "password": PASSWORD, **fields}
    return rest(
        "POST", "/v1/users/register", {name: value for name, value in body.items() if value is not None}, who=""
    )


def login(**fields: Any) -> Sending:
    """A log-in."""
    return rest("POST", "/v1/users/login", {"password": PASSWORD, **fields}, who="")


def refresh(token: str) -> Sending:
    """An exchange of a refresh token."""
    return rest("POST", "/v1/users/refresh", {"refreshToken": token}, who="")


def profile(who: str, **fields: Any) -> Sending:
    """A change of Ada's account."""
    return rest("PUT", "/v1/users/{ada}", fields, who=who)


ROWS: Final = [
    Row("a taken username in capitals", register("ADA"), "409 already_exists"),
    Row("a username with a Cyrillic а", register("аda"), "400 invalid"),
    Row("a username in full-width letters", register("ａｄａ"), "400 invalid"),
    Row("a username with the Kelvin sign, which lowers to k", register("\u212aate"), "400 invalid"),
    Row("a username with a dotless ı", register("lıly"), "400 invalid"),
    Row("a username with a zero-width space", register("ada\u200b"), "400 invalid"),
    Row("a username with a line break at its end", register("adam\n"), "400 invalid"),
    Row("a username of 31 characters", register("a" * 31), "400 invalid"),
    Row("a username that is a path", register("../../admin"), "400 invalid"),
    Row("a username that is an object", register({"$ne": None}), "400 invalid"),
    Row("a taken address in capitals", register("adam", email="ADA@EXAMPLE.ORG"), "409 already_exists"),
    Row("an address with a header in it", register("adam", email="a@b.org\r\nBcc: c@d.org"), "400 invalid"),
    Row("an address with a name around it", register("adam", email="Adam <adam@example.org>"), "400 invalid"),
    Row("an address in a domain of other letters", register("adam", email="adam@exämple.org"), "400 invalid"),
    Row("an address at an IP", register("adam", email="adam@127.0.0.1"), "400 invalid"),
    Row(
        "an address that makes bad patterns run for ever",
        register("adam", email="a@" + "a-" * 120 + "a.b"),
        "400 invalid",
    ),
    Row("an address of 10,000 characters", register("adam", email="a" * 10_000 + "@example.org"), "413 too_large"),
    Row("an address of 1,000 characters", register("adam", email="a" * 1000 + "@example.org"), "400 invalid"),
    Row("a password of 7 characters", register("adam", password="7 chars"), "400 invalid"),
    Row("a password of 65 characters", register("adam", password="x" * 65), "400 invalid"),
    Row("a password with NUL in it", register("adam", password="Correct\0Horse"), "400 invalid"),
    Row("a password that is a list", register("adam", password=["x"] * 8), "400 invalid"),
    Row("a first name with a line break", register("adam", firstName="A\nB"), "400 invalid"),
    Row("a registration as operator", register("adam", role="admin"), "400 invalid"),
    Row("a registration with an id of one's own", register("adam", userId="{ada}"), "400 invalid"),
    Row("a log-in with SQL for a name", login(username="' OR 1=1 --"), "401 unauthenticated"),
    Row("a log-in as nobody", login(username="nobody"), "401 unauthenticated"),
    Row("a log-in with a wrong password", login(username="ada", password="wrong password"), "401 unauthenticated"),
    Row("a log-in with `%` for a name", login(username="%"), "401 unauthenticated"),
    Row("a log-in with the password as an object", login(username="ada", password={"$gt": ""}), "400 invalid"),
    Row("a log-in with name and address", login(username="ada", email="ada@example.org"), "400 invalid"),
    Row("a log-in with a password of 200 KB", login(username="ada", password="x" * 200_000), "413 too_large"),
    Row("a log-in with a password of 2,000 characters", login(username="ada", password="x" * 2000), "400 invalid"),
    Row("a log-in as a bot, which has no password", login(username="ada_bot", password=""), "401 unauthenticated"),
    Row("a refresh token that was used before", refresh("{refresh_used}"), "401 unauthenticated"),
    Row("the newer token of a log-in that was ended for that", refresh("{refresh_heir}"), "401 unauthenticated"),
    Row("a made-up refresh token", refresh("ph_refresh_" + "A" * 86), "401 unauthenticated"),
    Row("a refresh token of wrong letters", refresh("ph_refresh_%00../ü"), "401 unauthenticated"),
    Row("somebody else's profile", profile("eve", bio="hacked"), "403 forbidden"),
    Row("somebody else's username", profile("ada", username="BEN"), "409 already_exists"),
    Row("a time zone that is a path", profile("ada", timezone="../../etc/passwd"), "400 invalid"),
    Row("the machine's own time zone file", profile("ada", timezone="localtime"), "400 invalid"),
    Row("a language that is a header", profile("ada", locale="en\r\nSet-Cookie: x=y"), "400 invalid"),
    Row("an avatar at another address", profile("ada", avatarId="https://example.org/x.svg"), "400 invalid"),
    Row(
        "a new password without the old one",
        rest("PUT", "/v1/users/{ada}/password", {"currentPassword": "wrong one", "newPassword": "x" * 10}),
        "403 forbidden",
    ),
    Row(
        "somebody else's password",
        rest("PUT", "/v1/users/{ada}/password", {"currentPassword": PASSWORD, "newPassword": "x" * 10}, who="eve"),
        "403 forbidden",
    ),
    Row("a search for users by a pattern", rest("GET", "/v1/users?username=%25"), "400 invalid"),
    Row("somebody else's inbox", rest("GET", "/v1/users/{ada}/notifications", who="eve"), "404 not_found"),
    Row("somebody else's private stream", rest("GET", "/v1/users/{ada}/events", who="eve"), "404 not_found"),
    Row("somebody else's export", rest("GET", "/v1/users/{ada}/export", who="eve"), "403 forbidden"),
    Row(
        "somebody else's bot",
        rest("POST", "/v1/bots/{bot}/tokens", {"name": "x", "scopes": ["read"]}, who="eve"),
        "404 not_found",
    ),
    Row("a bot that makes a bot", rest("POST", "/v1/bots", {"username": "botbot"}, who="limited"), "403 forbidden"),
    Row(
        "a token with a scope that is not there",
        rest("POST", "/v1/bots/{bot}/tokens", {"name": "x", "scopes": ["admin"]}),
        "400 invalid",
    ),
    Row(
        "a token that ended in the past",
        rest("POST", "/v1/bots/{bot}/tokens", {"name": "x", "scopes": ["read"], "expiresAt": "2001-01-01T00:00:00Z"}),
        "422 rule_broken",
    ),
]
