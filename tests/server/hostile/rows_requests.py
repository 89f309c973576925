"""Paths, queries, conditions and headers."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from tests.server.hostile.row import ONE_ENTRY, Row
from tests.server.hostile.sending import Headers, Sending, rest, several

PROJECT: Final = "/v1/projects/{project}"
TASKS: Final = f"{PROJECT}/tasks"
EVENTS: Final = f"{PROJECT}/events"
SSE: Final = ("Accept", "text/event-stream")


def get(path: str, *headers: tuple[str, str], who: str = "ada") -> Sending:
    return rest("GET", path, who=who, headers=headers)


def put(*headers: tuple[str, str], **fields: Any) -> Sending:
    """A change of the task."""
    return rest("PUT", TASKS + "/{task}", fields or {"priority": "high"}, headers=headers)


def keyed(key: str | tuple[str, ...], title: str = "Keyed", who: str = "ada") -> Sending:
    """A task to be made, under these `Idempotency-Key`s."""
    headers: Headers = [("Idempotency-Key", one) for one in ((key,) if isinstance(key, str) else key)]
    return rest("POST", TASKS, {"title": title}, who=who, headers=headers)


def place(*parts: Any) -> str:
    """A forged place in a list."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


ROWS: Final = [
    # — paths ————————————————————————————————————————————————————————————————————————————————————————
    Row("a path out of the API", get("/v1/../../etc/passwd"), "404 not_found"),
    Row("the same, encoded", get("/v1/%2e%2e/%2e%2e/etc/passwd"), "404 not_found"),
    Row("an id that climbs", get("/v1/projects/..%2f..%2fusers"), "400 invalid"),
    Row("an encoded slash behind an id", get(PROJECT + "%2Ftasks"), "400 invalid"),
    Row("double slashes", get("/v1//projects"), "404 not_found"),
    Row("NUL for an id", get("/v1/projects/%00"), "400 invalid"),
    Row("an id with a line break behind it", get(PROJECT + "%0A"), "400 invalid"),
    Row(
        "an id in full-width digits",
        get("/v1/projects/" + "%EF%BC%90" * 8 + "-0000-4000-8000-000000000000"),
        "400 invalid",
    ),
    Row("broken UTF-8 in a path", get("/v1/links/%FF%FE"), "400 invalid"),
    Row("a path of 9,000 characters", get("/v1/projects/" + "a" * 9_000), "413 too_large"),
    Row("a key with ß, whose capitals are SS", get("/v1/links/a%C3%9F"), "400 invalid"),
    Row("a key with a long ſ", get("/v1/links/apollo%C5%BF"), "400 invalid"),
    Row("the number 0 in a key", get("/v1/links/APOLLO-0"), "400 invalid"),
    Row("a task number that is too large", get("/v1/links/APOLLO-999999999"), "404 not_found"),
    Row("a stranger's key", get("/v1/links/EVIL-1"), "404 not_found"),
    Row(
        "two emoji for one",
        rest("PUT", PROJECT + "/comments/{comment}/reactions/%F0%9F%9A%80%F0%9F%9A%80"),
        "400 invalid",
    ),
    Row(
        "a joiner without anything to join",
        rest("PUT", PROJECT + "/comments/{comment}/reactions/%E2%80%8D"),
        "400 invalid",
    ),
    Row("letters for an emoji", rest("PUT", PROJECT + "/comments/{comment}/reactions/LOL"), "400 invalid"),
    Row("a method that is not there", rest("BREW", PROJECT), "400 invalid"),
    Row("TRACE", rest("TRACE", PROJECT), "405 method_not_allowed"),
    Row(
        "`X-HTTP-Method-Override: DELETE`: read, not deleted", get(PROJECT, ("X-HTTP-Method-Override", "DELETE")), "200"
    ),
    # — other people's things ————————————————————————————————————————————————————————————————————————
    Row("a stranger's project", get("/v1/projects/{other_project}"), "404 not_found"),
    Row("a stranger's task by way of one's own project", get(TASKS + "/{other_task}"), "404 not_found"),
    Row(
        "a stranger's comment by way of one's own project", get(PROJECT + "/comments/{other_comment}"), "404 not_found"
    ),
    Row("a stranger's export", get("/v1/projects/{other_project}/export"), "404 not_found"),
    Row("a stranger's log", get("/v1/projects/{other_project}/events"), "404 not_found"),
    Row("a stranger's project to delete", rest("DELETE", "/v1/projects/{other_project}"), "404 not_found"),
    Row("a deletion by a member", rest("DELETE", PROJECT, who="ben"), "403 forbidden"),
    Row("a task by a viewer", rest("POST", TASKS, {"title": "x"}, who="vic"), "403 forbidden"),
    Row(
        "why a stranger was told",
        get("/v1/users/{ada}/notifications/explain?stream=project/{project}&seq=1", who="eve"),
        "404 not_found",
    ),
    # — queries ——————————————————————————————————————————————————————————————————————————————————————
    Row("an unknown parameter", get(TASKS + "?admin=true"), "400 invalid"),
    Row("the same parameter twice", get(TASKS + "?limit=1&limit=2"), "400 invalid"),
    Row("NUL in a query", get(TASKS + "?after=%00"), "400 invalid"),
    Row("a page of 0", get(TASKS + "?limit=0"), "400 invalid"),
    Row("a page of -1", get(TASKS + "?limit=-1"), "400 invalid"),
    Row("a page of a billion", get(TASKS + "?limit=1000000000"), "400 invalid"),
    Row("a page of 10^40", get(TASKS + "?limit=1" + "0" * 40), "400 invalid"),
    Row("a page size in full-width digits", get(TASKS + "?limit=%EF%BC%91"), "400 invalid"),
    Row("a page size with an underscore", get(TASKS + "?limit=1_0"), "400 invalid"),
    Row("a page size with an exponent", get(TASKS + "?limit=1e1"), "400 invalid"),
    Row("a forged place in a list", get("/v1/projects?after=" + place("9999", "x' OR 1=1")), "200"),
    Row("a place with too many parts", get("/v1/projects?after=" + place("a", "b", "c")), "400 invalid"),
    Row("a place of numbers", get("/v1/projects?after=" + place(1, 2)), "400 invalid"),
    Row("a place with NUL in it", get("/v1/projects?after=" + place("a\0", "b")), "400 invalid"),
    Row("a place with half an emoji in it", get("/v1/projects?after=" + place("\ud83d", "b")), "400 invalid"),
    Row("a place that is no base64", get("/v1/projects?after=%F0%9F%9A%80"), "400 invalid"),
    Row(
        "a place that is deeply nested",
        get("/v1/projects?after=" + base64.urlsafe_b64encode(b"[" * 290).decode()),
        "400 invalid",
    ),
    Row("a task number of 17 digits to go on from", get(TASKS + "?after=" + "9" * 17), "400 invalid"),
    Row("`asOf=yesterday`", get(PROJECT + "?asOf=yesterday"), "400 invalid"),
    Row("`asOf` a day that does not exist", get(PROJECT + "?asOf=2026-02-30"), "400 invalid"),
    Row("`asOf` in the year 0", get(PROJECT + "?asOf=0000-01-01"), "400 invalid"),
    Row("`asOf` at the end of time, in an offset", get(PROJECT + "?asOf=9999-12-31T23:59:59-23:59"), "400 invalid"),
    Row("`asOf` a seq of 17 digits", get(PROJECT + "?asOf=" + "9" * 17), "400 invalid"),
    Row("`asOf` in Arabic digits", get(PROJECT + "?asOf=%D9%A1%D9%A2"), "400 invalid"),
    Row("`asOf` before there was a project", get(PROJECT + "?asOf=2001-01-01"), "404 not_found"),
    Row("`asOf` a seq that is yet to come", get(PROJECT + "?asOf=1000000"), "404 not_found"),
    Row("a difference from a point to come", get(PROJECT + "/diff?from=1000000"), "404 not_found"),
    Row("activity before seq 0", get(PROJECT + "/activity?before=0"), "400 invalid"),
    Row("`minSeq` of words", get("/v1/projects?minSeq=newest"), "400 invalid"),
    Row("`minSeq` of a kind of stream that is not there", get("/v1/projects?minSeq=shard/{project}:1"), "400 invalid"),
    Row("`minSeq` of 2^63", get("/v1/projects?minSeq=project/{project}:9223372036854775808"), "400 invalid"),
    Row("`minSeq` of an entry yet to come", get("/v1/projects?minSeq=project/{project}:1000000"), "409 conflict"),
    Row(
        "`minSeq` of a stranger's project: as if it were not there",
        get("/v1/projects?minSeq=project/{other_project}:1000000"),
        "200",
    ),
    Row(
        "`minSeq` of 1,000 streams",
        get("/v1/projects?minSeq=" + ",".join(["project/{project}:1"] * 150)),
        "400 invalid",
    ),
    # — cursors ——————————————————————————————————————————————————————————————————————————————————————
    Row("a cursor of words", get(EVENTS + "?after=latest"), "400 invalid"),
    Row("a cursor with a leading zero", get(EVENTS + "?after=01.1"), "400 invalid"),
    Row("a cursor ahead of the log", get(EVENTS + "?after=1000000.1"), "409 conflict"),
    Row("a cursor of another epoch", get(EVENTS + "?after=1.999999"), "409 conflict"),
    Row("a live stream after a cursor of words", get(EVENTS, SSE, ("Last-Event-ID", "latest")), "400 invalid"),
    Row("a live stream of a stranger's project", get("/v1/projects/{other_project}/events", SSE), "404 not_found"),
    # — conditions and keys ——————————————————————————————————————————————————————————————————————————
    Row("`If-Match` of words", put(("If-Match", "newest")), "400 invalid"),
    Row("`If-Match` with a weak tag", put(("If-Match", 'W/"1.1"')), "400 invalid"),
    Row("two old tags in `If-Match`", put(("If-Match", '"1.1", "2.1"')), "412 precondition_failed"),
    Row("`If-Match` of a state that never was", put(("If-Match", '"99.99"')), "412 precondition_failed"),
    Row("`If-None-Match` of words: no condition", get(PROJECT, ("If-None-Match", "newest")), "200"),
    Row("an empty `Idempotency-Key`", keyed(""), "400 invalid"),
    Row("an `Idempotency-Key` of 256 characters", keyed("k" * 256), "400 invalid"),
    Row("an `Idempotency-Key` of other letters", keyed("schlüssel"), "400 invalid"),
    Row("two `Idempotency-Key`s", keyed(("one", "two")), "400 invalid"),
    Row(
        "a key that was used for another request",
        rest("PUT", PROJECT, {"name": "B"}, headers=[("Idempotency-Key", "used")]),
        "409 op_id_reused",
    ),
    Row(
        "somebody else's key: it says nothing of theirs",
        rest("PUT", PROJECT, {"name": "B"}, who="ben", headers=[("Idempotency-Key", "used")]),
        "403 forbidden",
    ),
    Row(
        "a key whose first request was refused, with a good body",
        several(
            rest(
                "POST",
                PROJECT + "/commands",
                {"type": "DeleteTask", "data": {"taskId": "{nobody}"}},
                headers=[("Idempotency-Key", "refused")],
            ),
            rest(
                "POST",
                PROJECT + "/commands",
                {"type": "WatchTask", "data": {"taskId": "{task}"}},
                headers=[("Idempotency-Key", "refused")],
            ),
        ),
        "409 op_id_reused",
    ),
    Row("a key five times", several(*[keyed("five times")] * 5), "201", ONE_ENTRY),
    # — headers ——————————————————————————————————————————————————————————————————————————————————————
    Row("`X-Request-Id` that would forge a log line", get(PROJECT, ("X-Request-Id", 'a","event":"forged"')), "200"),
    Row("`X-Forwarded-For` that would forge where one is", get(PROJECT, ("X-Forwarded-For", "6.6.6.6")), "200"),
    Row("an origin that was never allowed", get(PROJECT, ("Origin", "https://evil.example")), "200"),
    Row("a method in a preflight of a foreign origin", rest("OPTIONS", PROJECT, headers=[("Origin", "null")]), "204"),
    Row(
        "a cookie with the token", rest("GET", PROJECT, who="", headers=[("Cookie", "token=x")]), "401 unauthenticated"
    ),
]
