"""Writes `docs/protocol.md` from the routes, the messages and the errors; `--check` says whether it is up to date."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from aiohttp import web  # noqa: E402

from protocol.messages import COMMANDS, EVENTS  # noqa: E402
from protocol.poison import NODES_MAX  # noqa: E402
from protocol.schema import SOCKET_EVENTS, published_schema  # noqa: E402
from scripts.generated_page import write_or_check  # noqa: E402 - found by the path above
from server.rest.operations import operation_of  # noqa: E402
from server.rest.stream_paths import STREAM_PATHS  # noqa: E402

REFERENCE: Final = ROOT / "docs/protocol.md"
_OPENING: Final = """# Protocol reference

Everything that can be asked of the server and everything that it says. A running server has the same with all fields
and types at `/docs`, as OpenAPI 3.1 at `/openapi.json` and as AsyncAPI 3.0 at `/asyncapi.json`.

This page is made from the code by `python scripts/write_protocol_reference.py`.

* **Cursors** are opaque: `seq.epoch` of an entry. The same cursor serves in `join`, in `after` of the events and as the
  `id` of a Server-Sent Event.
* **ETags** of reads from a stream begin with the cursor as of which they are. That of a page is the cursor alone, that
  of one record (a project, a task) `<cursor>-<tag>`: the tag is the record's own and stays the same while others
  change. What belongs to no one stream, such as a list across projects, has a weak ETag, made of what is sent.
* **Pages** of REST lists end with a `Link` (`rel="next"`) to the next one, whose `after` is a place in the order of
  the list: a walk goes on behind it, whatever is deleted or comes back meanwhile. A page has at most `limit` items,
  and ends by size as well (`page_bytes_max`, 4 MiB), after one item at least: that there is no more, only a missing
  `Link` says. Milestones, fields and roles stand in the order they were made (those of one millisecond by id),
  comments in that of the log, tasks by number, members, links and invitations by id. Lists with what changed last in
  front (`/v1/projects`, `/v1/tasks`, `/v1/users/{userId}/watched`, `…/notifications`) are no snapshot: what changes
  during a walk moves to the front, so that later pages may miss it. Read the first page again afterwards, or follow
  live.
* **What is not read of REST answers** is bounded: those of more than 64 KiB that are not written out yet, in all
  (`answers_unread_max_bytes`, 128 MiB) and for a user with their bots, or for an address where no token is needed
  (`answers_unread_per_user_max_bytes`, 32 MiB; not for the operator). The first always goes, however large it is.
  Beyond that no large answer is held, and the `limit` (`answers-unread`, `answers-unread-per-user`), `retryAfterS` and
  `Retry-After` say so: a `GET` is `overloaded`. A change by somebody with no room left for any large answer is
  `overloaded` before it is handled, and nothing was done. One that was let in, and whose large answer finds no room
  when it is ready, is answered `timeout`: it was carried out, and sent again with the same `Idempotency-Key` (or
  `opId`) it gets its answer, once there is room. Answers up to 64 KiB to reads and to what needs no token go on. Who
  takes nothing of an answer for `answer_unread_timeout_s` is cut off, and so is who takes less of one of more than
  64 KiB than 16 KiB a second on average (`answer_bytes_per_s_min`), beside that time.
* **Bodies of requests that are on their way** are bounded, too: those of more than 8 KiB that are not read to their end
  yet, in all (`bodies_arriving_max_bytes`, 128 MiB) and for a user with their bots, or for an address where no token is
  needed (`bodies_arriving_per_user_max_bytes`, 32 MiB; not for the operator). Until it is read and understood a body
  counts with its `Content-Length`, one in chunks with the largest that is taken (`request_body_max_bytes`). The first
  always goes. A request whose body has no room is `overloaded`, and the `limit` (`bodies-arriving`,
  `bodies-arriving-per-user`), `retryAfterS` and `Retry-After` say so: nothing was done. What still comes of its body is
  passed over for up to 10 s, and then its connection takes the next request, if it had a `Content-Length`. Bodies up to
  8 KiB go on, log-in among them. Chunks may be small, but what is around all of them (sizes, extensions, trailers)
  may have no more than 8 KiB and an eighth of the body: beyond that it is `invalid`.
* **Every refusal** has a stable `code`: in the ack on the socket, in a problem document (RFC 9457) over REST.
* **A retry** carries the same `opId`, or the same `Idempotency-Key`, and gets the first answer. Changes of a person
  (`PUT /v1/users/{userId}`, `PATCH …/preferences`, `PUT` and `DELETE …/muted/{projectId}`, and
  `POST …/notifications/read`) take effect once as well, and show a retry what is there now; `POST /v1/users/register`
  begins another log-in of the same account. A new API token is shown once, and its retry is told so (409). Log-in and
  logout take no key: one more log-in is another one, and one more logout has ended already.
* **An id that can be foreseen**, because it is derived from what it stands for, is for one account alone if it is a
  UUIDv8 (RFC 9562 §5.8) whose first 48 bits are those of SHA-256 of the account's id (of `system` for the operator; the
  other bits are its maker's). As the `opId` of a command, in the `stream` of a `CreateProject`, or for what a command
  makes (`taskId` of a `CreateTask`, `commentId` of an `AddComment` …), everybody else who may make it gets `invalid`.
  To what is there under it everybody refers, and it comes back under it whoever takes its deletion back. What an
  `Idempotency-Key` stands for is such an id, and so is what the SDK derives. Any other id belongs to whoever is
  accepted with it first.
* **Several commands at a time** on a socket are decided in the order in which they were sent; but one that is refused
  for now (`overloaded`, `unavailable` …), or whose opId has to be looked up in the log, may be overtaken by those
  behind it. Where their order matters each names the one before it, as long as that has no answer: `afterOpId` is its
  `opId`, and a command is `unavailable` itself where its predecessor is not known to be decided. Known are the newest
  1,000 accepted ones of a stream, older ones once they are sent again, and one's own that were refused for good in
  their turn, for `rejection_memory_s` (a minute) and until a restart; not those that were never begun (`invalid` …).
  Who may not see the stream is answered as if there were none: only their own refusals count. So whoever knows the
  answer to the predecessor sends the next without it; where that one was refused for good, after the one before it, if
  that has no answer yet. Send all that were refused for now again in their order, under their opIds, each by the same
  rule. The import of history does so, and the Python SDK for whoever gives it `after_op_id`.
"""

_PATHS: Final = """\
Socket.IO v5 over WebSocket (`transports: ["websocket"]`), in the main namespace. A client chooses by the path in which
form its packets travel; events, answers and limits are the same.
A packet may have the `maxPayload` bytes of the handshake, and `connect_packet_bytes_max` (4 KiB) until CONNECT is
accepted; the head of a frame that has more ends the connection with code 1009. It may hold {nodes} values at all depths
(keys not counted), as may a body of REST: what holds more is `invalid`, and is not looked at further. The largest
commands have some 7,000. Of what is wrong in a command the first 20 problems are told, and beyond 1,000 their number.

| path | parser | JavaScript | Python |
|---|---|---|---|
| `/socket.io/` | JSON | the default | the default |
| `/socket.io-msgpack/` | [msgpack](https://github.com/socketio/socket.io-msgpack-parser): a packet is one map \
`{type, data, nsp, id}` in a binary message | `parser: require("socket.io-msgpack-parser")` | `serializer="msgpack"` |
"""

_SLOW: Final = """
### Clients that read slowly, or not at all

What a client has not read waits in the server, up to `transport_buffer_max_bytes` and the packet that passes it,
however many streams it follows; beyond that nothing more is written to it, and its place in a stream is all that is
kept. As it reads, the streams in which it is behind take turns, a packet each. Presence and awareness are left out
meanwhile, and told as a whole (`complete`) in turn with the rest.

Acks are owed to it all the same. Those for which there is no room wait in their order, before they are made into
packets; a command counts as one that waits for its answer (`commands_in_flight_per_socket_max`) until its ack is
written, and nothing further is taken from the client until all are. They leave as it reads, as many as there is room
for and the one that passes it, and before whatever else waits: the ack of a command still comes before its entry. Where
the connection ends first, acks that still wait are lost with it; the same commands, sent again, get them.

* One that **reads**, however little, stays connected, but for states (see below). Once it has read most of what waited,
  it gets the entries that it missed; or one `reset` with the reason `behind`, if it was slow for
  `slow_follower_grace_s`, or missed more than `lag_entries_max` entries, and the state is smaller than what it missed.
* One that reads **nothing** for `slow_follower_grace_s` is cut off, also where acks are all that waits for it. There is
  no `closed` and no close frame, which it would not read either: the connection is reset, which WebSocket clients see
  as code 1006 (Socket.IO: `transport close` or `transport error`), as when the network is lost. The server's log names
  the reason `slow`, the user and the streams, and `pantherahive_slow_clients_total` counts it.
* A **state** (after a join, or with a `reset`) is kept until its last part is written, so it has to be read at a pace:
  16 KiB a second on average (`snapshot_bytes_per_s_min`), beside `slow_follower_grace_s`. Whoever reads less of the
  connection while a state is on its way is cut off in the same way.
* States on their way are bounded, in all (`snapshots_sending_max_bytes`) and for a user with their bots
  (`snapshots_sending_per_user_max_bytes`; the same state counts once, however many of the user's connections get it).
  Beyond that a join that needs one is answered `overloaded`, with the `limit` (`snapshots-sending`,
  `snapshots-sending-per-user`) and `retryAfterS`, and the stream is not followed. Joins that continue from a cursor go
  on, and who has fallen behind gets entries. The first always goes, however large it is.

Whoever was cut off connects again and joins with its last cursor. It is answered with `resume`, or, more than
`resume_entries_max` entries later, with `reset` and the reason `behind`.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_OPENING, *_rest(), *_commands(), *_events(), *_socket(), *_errors()]) + "\n"


def routes() -> list[web.RouteDef]:
    """All routes, by path. Naming its routes asks nothing of an object, so none has to be furnished."""
    found: list[web.RouteDef] = []
    for path in sorted((ROOT / "server/rest").glob("*.py")):
        module = importlib.import_module(f"server.rest.{path.stem}")
        for _, member in sorted(vars(module).items()):
            if isinstance(member, type) and member.__module__ == module.__name__ and hasattr(member, "routes"):
                blank: Any = object.__new__(member)
                found += blank.routes()
    return sorted(found, key=lambda route: (route.path, route.method))


def _rest() -> Iterator[str]:
    yield "## REST\n\nAll calls but those marked *public* need `Authorization: Bearer …`.\n"
    yield from _head("call", "what it does")
    for route in routes():
        operation = operation_of(route.handler)
        if operation is None:
            raise ValueError(f"{route.method} {route.path} is not declared (server/rest/operations.py)")
        yield f"| `{route.method} {route.path}` | {operation.summary}{' (*public*)' if operation.public else ''} |"


def _commands() -> Iterator[str]:
    yield "\n## Commands\n\nOn the socket `command {stream, opId, type, data}`, over REST `POST …/commands`."
    for kind, commands in COMMANDS.items():
        yield f"\n### To `{kind}/<id>` (`POST {STREAM_PATHS[kind].path}/commands`)\n"
        yield from _head("type", "data", "what it does")
        for name, model in commands.items():
            yield f"| `{name}` | {_fields(model)} | {_about(model)} |"


def _events() -> Iterator[str]:
    yield "\n## Events\n\nIn the entries of a stream: `{kind, version, data}`.\n"
    yield from _head("kind", "version", "data", "what it says")
    for kind, model in EVENTS.items():
        yield f"| `{kind}` | {model.version} | {_fields(model)} | {_about(model)} |"


def _socket() -> Iterator[str]:
    yield "\n## On the socket\n"
    yield _PATHS.replace("{nodes}", f"{NODES_MAX:,}")
    yield from _head("event", "who", "payload", "what it says")
    who = {"request": "client", "answer": "ack", "refused": "refusal", "message": "server"}
    for name, roles in SOCKET_EVENTS.items():
        for role, model in roles.items():
            yield f"| `{name}` | {who[role]} | {_fields(model)} | {_about(model)} |"
    yield _SLOW.rstrip()


def _errors() -> Iterator[str]:
    yield "\n## Errors\n"
    yield from _head("code", "status", "retryable")
    errors: Mapping[str, Any] = published_schema()["errors"]
    for code, error in errors.items():
        yield f"| `{code}` | {error['status']} | {'yes' if error['retryable'] else 'no'} |"


def _head(*columns: str) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"


def _fields(model: Any) -> str:
    """The names of the fields; those that may be left out are in brackets."""
    names = [
        f"`{field.alias or name}`" if field.is_required() else f"[`{field.alias or name}`]"
        for name, field in model.model_fields.items()
    ]
    return ", ".join(names)


def _about(model: Any) -> str:
    """The first paragraph of the model's description."""
    return " ".join((model.__doc__ or "").strip().partition("\n\n")[0].split()).replace("|", "\\|")


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks. Returns the exit code."""
    return write_or_check(REFERENCE, reference(), __file__, arguments)


if __name__ == "__main__":
    sys.exit(main())
