"""The socket: the upgrade, CONNECT, frames and events."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.server.hostile.row import Row
from tests.server.hostile.sending import SOCKET, Sending, connect, dialogue, emit, frames

REFUSED: Final = "CONNECT_ERROR unauthenticated, closed 1000"
BAD: Final = "closed 1002"
GOOD: Final = "project/{project}"


def auth(payload: Any) -> Sending:
    """CONNECT with this payload."""
    return connect("40" + json.dumps(payload))


def join(stream: Any, who: str = "ada", **fields: Any) -> Sending:
    return emit("join", {"stream": stream, **fields}, who)


ROWS: Final = [
    # — the upgrade ——————————————————————————————————————————————————————————————————————————————————
    Row("a session id in the URL", connect(None, path=SOCKET + "&sid=%0aforged"), "400"),
    Row("long polling, which is not served", connect(None, path="/socket.io/?EIO=4&transport=polling"), "400"),
    Row("Engine.IO 3", connect(None, path="/socket.io/?EIO=3&transport=websocket"), "400"),
    Row("a page of a foreign origin", connect(None, headers=[("Origin", "https://evil.example")]), "400"),
    Row(
        "the same, with a forged `X-Forwarded-Host`",
        connect(None, headers=[("Origin", "https://evil.example"), ("X-Forwarded-Host", "evil.example")]),
        "400",
    ),
    # — CONNECT ——————————————————————————————————————————————————————————————————————————————————————
    Row("CONNECT without a payload", connect("40"), REFUSED),
    Row("CONNECT with `null`", auth(None), REFUSED),
    Row("CONNECT with a list", auth([]), REFUSED),
    Row("CONNECT with a text", auth("token"), REFUSED),
    Row("CONNECT with a number for a token", auth({"token": 1}), REFUSED),
    Row("CONNECT with an empty token", auth({"token": ""}), REFUSED),
    Row("CONNECT with a token of 4,097 letters", auth({"token": "x" * 4097}), "closed 1009"),
    Row("CONNECT with an unknown field", auth({"token": "x", "admin": True}), REFUSED),
    Row("CONNECT with NUL in it", auth({"token": "a\0b"}), BAD),
    Row("CONNECT with half an emoji in it", connect('40{"token":"\\ud83d"}'), BAD),
    Row("CONNECT, 1,000 levels deep", connect("40" + "[" * 1000 + "]" * 1000), BAD),
    Row("CONNECT with half an object", connect('40{"token":'), BAD),
    Row("CONNECT to another namespace", connect('40/admin,{"token":"x"}'), "CONNECT_ERROR not_found"),
    Row("CONNECT to a namespace with a line break", connect("40/a\nforged,"), BAD),
    Row("CONNECT to a namespace of 300 letters", connect("40/" + "a" * 300 + ","), BAD),
    Row("an event before CONNECT", connect('421["join",{"stream":"x"}]'), BAD),
    Row("a second CONNECT", frames('40{"token":"x"}'), BAD),
    # — frames ———————————————————————————————————————————————————————————————————————————————————————
    Row("an empty frame", frames(""), BAD),
    Row("a letter that is no packet", frames("x"), BAD),
    Row("an Engine.IO upgrade packet", frames("5"), BAD),
    Row("a Socket.IO type that is not there", frames("47"), BAD),
    Row("an event that is no list", frames("42{}"), BAD),
    Row("an event without a name", frames("42[]"), BAD),
    Row("an event whose name is a number", frames("421[1]"), BAD),
    Row("an event of half a list", frames('421["join"'), BAD),
    Row("an ack id of 20 digits", frames("42" + "9" * 20 + '["join",{}]'), BAD),
    Row("an ack id in Arabic digits", frames('42٣["join",{}]'), BAD),
    Row("an ack with the id 0, which nobody asked for: nothing", frames("430[]"), "ignored"),
    Row("an ack with an id of 20 digits", frames("43" + "9" * 20 + "[]"), BAD),
    Row("an ack that is no list", frames("431{}"), BAD),
    Row("a binary event with one attachment", frames('451-["join",{"_placeholder":true,"num":0}]'), BAD),
    Row("a binary event that announces 9,999,999,999 attachments", frames('459999999999-["join"]'), BAD),
    Row("a binary ack", frames("461-1[]"), BAD),
    Row("a binary frame", frames(b"\x00\x01\x02"), BAD),
    Row("an event to another namespace", frames('42/admin,1["join",{}]'), BAD),
    Row("leaving another namespace", frames("41/admin,"), BAD),
    Row("a frame of 300 KiB", frames('421["join","' + "x" * 300_000 + '"]'), "closed 1009"),
    Row("a pong that nobody waits for", frames("3"), "ignored"),
    Row("a ping that asks for an upgrade", frames("2probe"), "ignored"),
    # — events ———————————————————————————————————————————————————————————————————————————————————————
    Row("an event that is not there", emit("subscribe", {}), "ack invalid"),
    Row("an event with the name of an attribute", emit("__class__", {}), "ack invalid"),
    Row("an event of the engine's own", emit("disconnect", "x"), "ack invalid"),
    Row("an event with two arguments", frames('421["join",{"stream":"project/{project}"},{}]'), "ack invalid"),
    Row("an event without an argument", frames('421["join"]'), "ack invalid"),
    Row("NaN in an event", frames('421["join",{"stream":NaN}]'), BAD),
    Row("NUL in an event", emit("join", {"stream": "a\0b"}), "ack invalid"),
    Row("NUL in an event that wants no answer", frames('42["join",{"stream":"a\\u0000b"}]'), BAD),
    Row("half an emoji in an event", frames('421["join",{"stream":"\\ud83d"}]'), "ack invalid"),
    Row(
        "five events with poison, one after the other",
        frames(*(f'42{n}["x","\\u0000"]' for n in range(5))),
        "ack invalid, ack invalid, ack invalid, ack invalid, ack invalid, closed 1002",
    ),
    Row("an event, 40 levels deep", frames('421["join",' + "[" * 40 + "]" * 40 + "]"), "ack invalid"),
    Row("2^53 in an event", frames('421["join",{"stream":9007199254740992}]'), "ack invalid"),
    # — joins ————————————————————————————————————————————————————————————————————————————————————————
    Row("to follow a stranger's project", join("project/{other_project}"), "ack not_found"),
    Row("to follow a project that is not there", join("project/{nobody}"), "ack not_found"),
    Row("to follow somebody else's private stream", join("user/{eve}"), "ack not_found"),
    Row("to follow a kind of stream that is not there", join("shard/{project}"), "ack invalid"),
    Row("to follow a path", join("project/../{project}"), "ack invalid"),
    Row("to follow a list of streams", join(["project/{project}"]), "ack invalid"),
    Row("to follow with an unknown field", join(GOOD, admin=True), "ack invalid"),
    Row("to follow after a cursor of words", join(GOOD, cursor="latest"), "ack invalid"),
    Row("to follow after a cursor of 41 characters", join(GOOD, cursor="1" * 41), "ack invalid"),
    Row("to follow after a cursor of another epoch: told to begin anew", join(GOOD, cursor="1.999999"), "ack reset"),
    Row("to follow after a cursor ahead of the log: the same", join(GOOD, cursor="1000000.1"), "ack reset"),
    Row("to follow as a bot of another project", join(GOOD, who="limited"), "ack forbidden"),
    Row(
        "to follow as a bot what its owner does not see", join("project/{other_project}", who="reader"), "ack not_found"
    ),
    Row("to leave what was never followed: nothing", emit("leave", {"stream": "project/{other_project}"}), "ack ok"),
    Row(
        "a fourth stream to follow, where three are allowed",
        dialogue(*(("join", {"stream": f"profile/{{{name}}}"}) for name in ("ada", "ben", "vic", "eve"))),
        "ack overloaded",
    ),
    Row(
        "the same stream to follow, five times",
        dialogue(*[("join", {"stream": GOOD})] * 5),
        "ack snapshot",
    ),
    # — awareness ————————————————————————————————————————————————————————————————————————————————————
    Row("to be seen where one does not follow", emit("awareness", {"stream": GOOD, "state": {}}), "ack not_found"),
    Row(
        "to be seen in a stranger's project",
        emit("awareness", {"stream": "project/{other_project}", "state": {}}),
        "ack not_found",
    ),
    Row("to be seen as a text", emit("awareness", {"stream": GOOD, "state": "here"}), "ack invalid"),
    Row(
        "to be seen under somebody else's name",
        emit("awareness", {"stream": GOOD, "state": {}, "userId": "{eve}"}),
        "ack invalid",
    ),
    Row(
        "to be seen with 100 KB",
        dialogue(("join", {"stream": GOOD}), ("awareness", {"stream": GOOD, "state": {"x": "x" * 100_000}})),
        "ack too_large",
    ),
]
