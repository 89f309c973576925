"""Bodies: what is no JSON, what is JSON and does harm, and what does not fit."""

from __future__ import annotations

import gzip
from typing import Any, Final

from protocol.derived_ids import derived_id
from tests.server.hostile.row import ONE_ENTRY, Row
from tests.server.hostile.sending import Sending, rest

TASKS: Final = "/v1/projects/{project}/tasks"
COMMENTS: Final = "/v1/projects/{project}/tasks/{task}/comments"


def task(**fields: Any) -> Sending:
    """A task to be made."""
    return rest("POST", TASKS, {"title": "Hostile", **fields})


def raw(body: bytes, *headers: tuple[str, str]) -> Sending:
    """The body of a task as it stands."""
    return rest("POST", TASKS, raw=body, headers=headers)


def nested(depth: int) -> bytes:
    return b'{"title":' + b"[" * depth + b"]" * depth + b"}"


BOMB: Final = gzip.compress(b'{"title":"' + b"x" * 10_000_000 + b'"}')

ROWS: Final = [
    Row("no body at all", rest("POST", TASKS, raw=b""), "400 invalid"),
    Row("half a JSON object", raw(b'{"title":"x"'), "400 invalid"),
    Row("a comment in JSON", raw(b'{"title":"x"/* y */}'), "400 invalid"),
    Row("a trailing comma", raw(b'{"title":"x",}'), "400 invalid"),
    Row("a JSON array, where an object belongs", raw(b'[{"title":"x"}]'), "400 invalid"),
    Row("`null` for a body", raw(b"null"), "400 invalid"),
    Row("a text for a body", raw(b'"title"'), "400 invalid"),
    Row("JSON behind a byte order mark", raw(b'\xef\xbb\xbf{"title":"x"}'), "400 invalid"),
    Row("JSON in UTF-16", raw('{"title":"x"}'.encode("utf-16")), "400 invalid"),
    Row("bytes that are no UTF-8", raw(b'{"title":"\xff\xfe"}'), "400 invalid"),
    Row("overlong UTF-8 for a quote", raw(b'{"title":"\xc0\xa2"}'), "400 invalid"),
    Row("`NaN`", raw(b'{"title":"x","estimate":NaN}'), "400 invalid"),
    Row("`-Infinity`", raw(b'{"title":"x","estimate":-Infinity}'), "400 invalid"),
    Row("a number of 90 digits", raw(b'{"title":"x","estimate":' + b"9" * 90 + b"}"), "400 invalid"),
    Row("`1e400`, which is infinite", raw(b'{"title":"x","estimate":1e400}'), "400 invalid"),
    Row("`1e308`, which is finite and absurd", raw(b'{"title":"x","estimate":1e308}'), "400 invalid"),
    Row("the integer 2^53", raw(b'{"title":"x","estimate":9007199254740992}'), "400 invalid"),
    Row("a number as text", task(estimate="5"), "400 invalid"),
    Row("`true` for a number", task(estimate=True), "400 invalid"),
    Row("33 levels of nesting", raw(nested(33)), "400 invalid"),
    Row("100,000 levels of nesting", raw(nested(100_000)), "400 invalid"),
    Row("7,000 fields that are none", task(**{f"x{number}": 0 for number in range(7_000)}), "400 invalid"),
    Row("9,000 fields that are none", task(**{f"x{number}": 0 for number in range(9_000)}), "400 invalid"),
    Row("9,000 empty objects in a list", raw(b'{"title":[' + b"{}," * 8_999 + b"{}]}"), "400 invalid"),
    Row("120,000 numbers in a list", raw(b'{"title":[' + b"0," * 119_999 + b"0]}"), "400 invalid"),
    Row("more than 260 KiB", raw(b'{"title":"' + b"x" * (260 << 10) + b'"}'), "413 too_large"),
    Row(
        "a command of more than 260 KiB with its envelope",
        rest(
            "POST",
            "/v1/projects/{project}/commands",
            {"type": "CreateTask", "data": {"title": "x", "description": "x" * (260 << 10)}},
        ),
        "413 too_large",
    ),
    Row("a gzip bomb", raw(BOMB, ("Content-Encoding", "gzip")), "415 unsupported_media_type"),
    Row(
        "`Content-Encoding: identity, deflate`",
        raw(b"x", ("Content-Encoding", "identity, deflate")),
        "415 unsupported_media_type",
    ),
    Row(
        "two `Content-Encoding` headers",
        raw(b"x", ("Content-Encoding", "identity"), ("Content-Encoding", "br")),
        "415 unsupported_media_type",
    ),
    Row(
        "JSON called `text/plain`", raw(b'{"title":"x"}', ("Content-Type", "text/plain")), "415 unsupported_media_type"
    ),
    Row(
        "JSON in ISO 8859-1",
        raw(b'{"title":"x"}', ("Content-Type", "application/json; charset=iso-8859-1")),
        "415 unsupported_media_type",
    ),
    Row(
        "an HTML form",
        raw(b"title=x", ("Content-Type", "application/x-www-form-urlencoded")),
        "415 unsupported_media_type",
    ),
    Row(
        "a multipart form",
        raw(b"--x--", ("Content-Type", "multipart/form-data; boundary=x")),
        "415 unsupported_media_type",
    ),
    Row(
        "an XML document with an external entity",
        raw(
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><title>&e;</title>',
            ("Content-Type", "application/xml"),
        ),
        "415 unsupported_media_type",
    ),
    Row("an unknown field", task(isAdmin=True), "400 invalid"),
    Row("a field by its name in Python, which is not published", task(state_id="todo"), "400 invalid"),
    Row("`__proto__`", task(__proto__={"isAdmin": True}), "400 invalid"),
    Row(
        "the same key twice: the last one counts, as in browsers",
        raw(b'{"title":"first","title":"second"}'),
        "201",
        ONE_ENTRY,
    ),
    Row("NUL in a text", task(title="a\0b"), "400 invalid"),
    Row("NUL in a key", raw(b'{"title":"x","a\\u0000b":1}'), "400 invalid"),
    Row("half an emoji (a lone surrogate)", raw(b'{"title":"\\ud83d"}'), "400 invalid"),
    Row("surrogates the wrong way round", raw(b'{"title":"\\ude80\\ud83d"}'), "400 invalid"),
    Row("a line break in a title", task(title="one\ntwo"), "400 invalid"),
    Row("a Unicode line separator in a title", task(title="one\u2028two"), "400 invalid"),
    Row("an escape sequence of a terminal in a title", task(title="\x1b[2Jgone"), "400 invalid"),
    Row("a title of spaces", task(title=" \u2003 "), "400 invalid"),
    Row("a title of 501 characters", task(title="x" * 501), "400 invalid"),
    Row(
        "a title that turns its reading direction round: text, kept as it is",
        task(title="\u202egnp.exe\u202c"),
        "201",
        ONE_ENTRY,
    ),
    Row(
        "a title of joined emoji and a zero-width joiner: text, too",
        task(title="👩\u200d👩\u200d👧 \u200d"),
        "201",
        ONE_ENTRY,
    ),
    Row(
        "a title with HTML and SQL: text, never run",
        task(title="<script>alert(1)</script>'; DROP TABLE entries;--"),
        "201",
        ONE_ENTRY,
    ),
    Row("a description of 100,001 characters", task(description="x" * 100_001), "400 invalid"),
    Row("10,000 combining marks on one letter: text", task(description="e" + "\u0301" * 10_000), "201", ONE_ENTRY),
    Row("a list where a text belongs", task(title=["x"]), "400 invalid"),
    Row("101 labels", task(labels=[f"label {number}" for number in range(101)]), "400 invalid"),
    Row("50,000 labels", task(labels=["x"] * 50_000), "400 invalid"),
    Row("the same label twice", task(labels=["x", " x "]), "400 invalid"),
    Row("a state that the project does not have", task(stateId="shipped"), "404 not_found"),
    Row("a day that does not exist", task(dueDate="2026-02-30"), "400 invalid"),
    Row("a day in Arabic digits", task(dueDate="٢٠٢٦-٠١-٠١"), "400 invalid"),
    Row("an id in braces", task(taskId="{00000000-0000-4000-8000-000000000000}"), "400 invalid"),
    Row("an assignee who does not exist", task(assigneeIds=["{nobody}"]), "422 rule_broken"),
    Row("a parent in a stranger's project", task(parentId="{other_task}"), "404 not_found"),
    Row("a milestone of a stranger's project", task(milestoneId="{other_milestone}"), "404 not_found"),
    Row("the id of a task that is there", task(taskId="{task}"), "409 already_exists"),
    Row("an id that is another account's own", task(taskId=derived_id("x", "1")), "400 invalid"),
    Row(
        "the id of a task in a stranger's project: ids are a project's own",
        task(taskId="{other_second}"),
        "201",
        ONE_ENTRY,
    ),
    Row("a recurrence every 0 days", task(recurrence={"every": 0, "unit": "day"}), "400 invalid"),
    Row(
        "values of 51 fields",
        task(fields={f"00000000-0000-4000-8000-{number:012d}": 1 for number in range(51)}),
        "400 invalid",
    ),
    Row("a comment of nothing but blanks", rest("POST", COMMENTS, {"body": " \t\n"}), "400 invalid"),
    Row(
        "a comment that mentions 10,000 names",
        rest("POST", COMMENTS, {"body": " ".join(f"@user{number}" for number in range(10_000))}),
        "422 rule_broken",
    ),
    Row(
        "an answer to a comment of a stranger's project",
        rest("POST", COMMENTS, {"body": "x", "replyTo": "{other_comment}"}),
        "404 not_found",
    ),
    Row(
        "201 edits in one request",
        rest("POST", TASKS + "/bulk", {"edits": [{"taskId": f"00000000-0000-4000-8000-{n:012d}"} for n in range(201)]}),
        "400 invalid",
    ),
    Row(
        "the same task twice in one bulk edit",
        rest("POST", TASKS + "/bulk", {"edits": [{"taskId": "{task}"}, {"taskId": "{task}"}]}),
        "400 invalid",
    ),
    Row(
        "51 states for a project",
        rest(
            "PUT",
            "/v1/projects/{project}",
            {"states": [{"id": f"s{n}", "name": f"S{n}", "group": "started", "waiting": False} for n in range(51)]},
        ),
        "400 invalid",
    ),
    Row(
        "two states of one name",
        rest(
            "PUT",
            "/v1/projects/{project}",
            {"states": [{"id": i, "name": "S", "group": "started", "waiting": False} for i in ("a", "b")]},
        ),
        "400 invalid",
    ),
    Row(
        "a project for somebody else", rest("POST", "/v1/projects", {"name": "x", "ownerId": "{ben}"}), "403 forbidden"
    ),
    Row(
        "the key of a stranger's project",
        rest("POST", "/v1/projects", {"name": "x", "key": "EVIL"}),
        "409 already_exists",
    ),
    Row("a key in full-width letters", rest("POST", "/v1/projects", {"name": "x", "key": "ＥＶＩＬ"}), "400 invalid"),
]
