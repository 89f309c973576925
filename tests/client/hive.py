"""A small server in this process that speaks protocol/wire.py: the real project actor behind it, faults to order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import msgpack
import socketio
from aiohttp import web

from actors.project.decider import ProjectActor
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta, may_follow, shown
from actors.runtime.rejections import TOO_EARLY
from pantherahive_client import Backoff, Settings, new_id
from protocol.errors import ErrorCode, Rejection
from protocol.event import Origin, Principal
from protocol.messages import ProjectCommand, decode_command, event_json
from tests.client.hive_accounts import HiveAccounts
from tests.client.hive_reads import EPOCH, HiveReads

QUICK = Settings(
    deadline_s=5,
    connect_patience_s=5,
    connect_timeout_s=2,
    reconnect=Backoff(0.01, 0.05),
    retry=Backoff(0.01, 0.02),
)
"""Limits of a client under test: no wait that a person would notice."""

PART_RECORDS = 2


@dataclass
class Stream:
    """One project: its state, its log, its outcomes."""

    state: ProjectState
    entries: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    # opId → who sent what under it: the same opId with anything else is refused.
    sent: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    followers: set[str] = field(default_factory=set)

    @property
    def cursor(self) -> str:
        return f"{len(self.entries)}.{EPOCH}" if self.entries else "0.0"


class Hive(HiveAccounts):
    """The server. Tests set its attributes to order a fault."""

    def __init__(self) -> None:
        super().__init__()
        self.actor = ProjectActor()
        self.streams: dict[str, Stream] = {}
        self.url = ""
        self.now = "2030-01-01T00:00:00.000Z"
        # What joins are told of the log.
        self.halted = False
        # opIds and names of all command frames that arrived, in order.
        self.frames: list[dict[str, Any]] = []
        # opIds that were refused for good in their turn, and those of which it is not known any more that they were
        # decided: it was long ago, or before a restart.
        self.refused: set[str] = set()
        self.forgotten: set[str] = set()
        # (frame) → an error at the door, before it is the command's turn, or None.
        self.refuse: Callable[[dict[str, Any]], Rejection | None] = lambda frame: None
        # (frame) → whether its answer gets lost after it took effect.
        self.lose_answer: Callable[[dict[str, Any]], bool] = lambda frame: False
        # (frame) → whether the connections end over it, as over what is no packet.
        self.end_over: Callable[[dict[str, Any]], bool] = lambda frame: False
        # (seq) → whether the broadcast of this entry gets lost.
        self.lose_entry: Callable[[int], bool] = lambda seq: False
        # How far behind a cursor may be before it is answered with a snapshot.
        self.resume_max = 1000
        self.joins: list[dict[str, Any]] = []
        # Where pages of the log were asked for, how many entries they have, and whether they are refused for now.
        self.pages: list[str] = []
        self.page_size = 100
        self.away = False
        # Renewals on the socket that were accepted.
        self.renewals = 0
        self.connections: dict[str, Principal] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._transports: list[asyncio.Transport] = []

    # ------------------------------------------------------------------ running

    async def start(self) -> None:
        application = web.Application(middlewares=[self._keep_transport])
        self._sockets = {"msgpack": self._serve(application, "msgpack"), "default": self._serve(application, "default")}
        application.router.add_routes(self.account_routes())
        application.router.add_routes(HiveReads(self).routes())
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    def _serve(self, application: web.Application, parser: str) -> socketio.AsyncServer:
        """The same on another path for each parser: our client speaks msgpack, the JavaScript one JSON."""
        server = socketio.AsyncServer(
            async_mode="aiohttp",
            transports=["websocket"],
            async_handlers=False,
            cors_allowed_origins=[],
            serializer=parser,
        )
        for name in ("connect", "disconnect", "join", "leave", "command", "auth"):
            server.on(name, getattr(self, f"_on_{name}"))
        server.attach(application, "socket.io" if parser == "default" else f"socket.io-{parser}")
        return server

    async def emit(self, event: str, message: Any, to: str) -> None:
        """To one connection, whichever path it came by."""
        for server in self._sockets.values():
            if server.manager.is_connected(to, "/"):
                await server.emit(event, message, to=to)

    async def stop(self) -> None:
        """Ends the server as a crash would for its clients; what was committed stays."""
        await self.cut_connections()
        for server in self._sockets.values():
            await server.shutdown()
        assert self._runner is not None
        await self._runner.cleanup()
        self.connections.clear()
        for stream in self.streams.values():
            stream.followers.clear()

    async def cut_connections(self) -> None:
        """As a pulled plug: no goodbye."""
        for transport in self._transports:
            transport.abort()
        self._transports.clear()

    def refuse_connections(self) -> None:
        """DISCONNECT, then a close frame with 1002, as the real server says it."""
        for transport in self._transports:
            goodbye = msgpack.packb({"type": 1, "nsp": "/"})
            transport.write(b"\x82%c%b\x88\x02\x03\xea" % (len(goodbye), goodbye))
            transport.close()
        self._transports.clear()

    @web.middleware
    async def _keep_transport(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/socket.io") and request.transport is not None:
            self._transports.append(request.transport)
        response: web.StreamResponse = await handler(request)
        return response

    # ------------------------------------------------------------------ socket

    async def _on_connect(self, sid: str, environ: Mapping[str, Any], auth: Any) -> None:
        principal = self.tokens.get(auth["token"])
        if principal is None:
            error = Rejection(ErrorCode.UNAUTHENTICATED, "the token is not valid").as_json()
            raise socketio.exceptions.ConnectionRefusedError("unauthenticated", {"error": error})
        self.connections[sid] = principal

    async def _on_auth(self, sid: str, request: dict[str, Any]) -> dict[str, Any]:
        if self.tokens.get(request["token"]) != self.connections[sid]:
            return {"error": Rejection(ErrorCode.FORBIDDEN, "another user's").as_json()}
        self.renewals += 1
        return {"expiresAt": self.now}

    async def _on_disconnect(self, sid: str, reason: Any = None) -> None:
        self.connections.pop(sid, None)
        for stream in self.streams.values():
            stream.followers.discard(sid)

    async def _on_join(self, sid: str, request: dict[str, Any]) -> dict[str, Any]:
        self.joins.append(request)
        name = request["stream"]
        stream = self.streams.get(name)
        if stream is None or not may_follow(self.actor.audience(stream.state), self.connections[sid]):
            return {"error": Rejection(ErrorCode.NOT_FOUND, "no such project").as_json()}
        stream.followers.add(sid)
        after = int(request["cursor"].split(".")[0]) if "cursor" in request else None
        head = len(stream.entries)
        if after is not None and head - self.resume_max <= after <= head:
            follow_up = [self._entries_frame(name, entry) for entry in stream.entries[after:]]
            self._later(sid, follow_up)
            return {"mode": "resume", "cursor": request["cursor"], "present": [], "halted": self.halted}
        parts = self.parts(name)
        self._later(
            sid,
            [
                (
                    "snapshot",
                    {
                        "stream": name,
                        "cursor": stream.cursor,
                        "part": number,
                        "parts": len(parts),
                        "state": part,
                    },
                )
                for number, part in enumerate(parts)
            ],
        )
        reset = {"mode": "reset", "reason": "behind"} if after is not None else {"mode": "snapshot"}
        return {**reset, "cursor": stream.cursor, "parts": len(parts), "present": [], "halted": self.halted}

    def parts(self, name: str) -> list[dict[str, Any]]:
        """The snapshot, in more parts than the actor makes of so little."""
        made: list[dict[str, Any]] = []
        for part in shown(self.actor.parts(self.streams[name].state)):
            for key, value in part.items():
                if isinstance(value, list):
                    made += [{key: value[at : at + PART_RECORDS]} for at in range(0, len(value), PART_RECORDS)]
                else:
                    made.append({key: value})
        return made

    def _later(self, sid: str, messages: list[tuple[str, Any]]) -> None:
        """After the answer, in order."""

        async def send() -> None:
            for name, message in messages:
                await self.emit(name, message, to=sid)

        self._sending = asyncio.create_task(send())

    async def _on_leave(self, sid: str, request: dict[str, Any]) -> None:
        if request["stream"] in self.streams:
            self.streams[request["stream"]].followers.discard(sid)

    async def _on_command(self, sid: str, frame: dict[str, Any]) -> dict[str, Any] | None:
        self.frames.append(frame)
        if self.end_over(frame):
            self.refuse_connections()
            return None
        refused = self.refuse(frame)
        if refused is not None:
            return {"error": refused.as_json()}
        answer = await self._decide(self.connections[sid], frame)
        if self.lose_answer(frame):
            await self.cut_connections()
            return None
        return answer

    def _refused(self, frame: dict[str, Any], why: Rejection) -> dict[str, Any]:
        if not why.retryable:
            self.refused.add(frame["opId"])
        return {"error": why.as_json()}

    async def _decide(self, principal: Principal, frame: dict[str, Any]) -> dict[str, Any]:
        name = frame["stream"]
        command = decode_command(name, frame["type"], frame["data"])
        if isinstance(command, Rejection):
            return {"error": command.as_json()}
        stream = self.streams.get(name) or Stream(self.actor.initial(name))
        sent = (principal.id, frame["type"], frame["data"], frame.get("base"), frame.get("origin"))
        if frame["opId"] in stream.answers:
            self.forgotten.discard(frame["opId"])
            return (
                stream.answers[frame["opId"]] if stream.sent[frame["opId"]] == sent else self._reused(stream, principal)
            )
        before = frame.get("afterOpId")
        if before is not None and before not in (stream.answers.keys() | self.refused) - self.forgotten:
            return self._refused(frame, TOO_EARLY)
        origin = Origin.model_validate(frame["origin"]) if "origin" in frame else None
        context = Context(
            now=self.now,
            op_id=frame["opId"],
            principal=principal,
            new_id=new_id,
            origin=origin,
            base=frame.get("base"),
            facts={"projectKey": frame["data"].get("key", "APOLLO"), "userExists": True},
            seq=len(stream.entries),
        )
        decision = self.actor.decide(stream.state, cast(ProjectCommand, command), context)
        if isinstance(decision, Rejection):
            return self._refused(frame, decision)
        self.streams[name] = stream
        seq = len(stream.entries) + 1
        meta = EntryMeta(seq, frame["opId"], decision.author, decision.at, self.now)
        for event in decision.events:
            self.actor.evolve(stream.state, event, meta)
        entry: dict[str, Any] = {
            "seq": seq,
            "epoch": EPOCH,
            "opId": frame["opId"],
            "author": decision.author,
            "at": decision.at,
            "recordedAt": self.now,
            "events": [event_json(event) for event in decision.events],
        }
        if decision.recorded_by is not None:
            entry["recordedBy"] = decision.recorded_by
        stream.entries.append(entry)
        stream.sent[frame["opId"]] = sent
        stream.answers[frame["opId"]] = {
            "cursor": stream.cursor,
            "at": decision.at,
            "result": self.actor.answer(decision.events),
        }
        if not self.lose_entry(seq):
            await self.broadcast(name, entry)
        return stream.answers[frame["opId"]]

    def _reused(self, stream: Stream, principal: Principal) -> dict[str, Any]:
        """For whom the project does not exist, it does not exist here either."""
        if may_follow(self.actor.audience(stream.state), principal):
            return {"error": Rejection(ErrorCode.OP_ID_REUSED, "this opId was used for another command").as_json()}
        return {"error": Rejection(ErrorCode.NOT_FOUND, "no such project").as_json()}

    def _entries_frame(self, name: str, entry: dict[str, Any]) -> tuple[str, Any]:
        return "entries", {"stream": name, "entries": [entry]}

    async def broadcast(self, name: str, entry: dict[str, Any]) -> None:
        event, message = self._entries_frame(name, entry)
        for sid in list(self.streams[name].followers):
            await self.emit(event, message, to=sid)

    async def tell_reset(self, name: str) -> None:
        """To all followers, as if they were too far behind."""
        parts, cursor = self.parts(name), self.streams[name].cursor
        for sid in list(self.streams[name].followers):
            reset = {"stream": name, "cursor": cursor, "parts": len(parts), "reason": "behind"}
            await self.emit("reset", reset, to=sid)
            for number, state in enumerate(parts, 1):
                part = {"stream": name, "cursor": cursor, "part": number, "parts": len(parts), "state": state}
                await self.emit("snapshot", part, to=sid)

    async def tell_heads(self) -> None:
        for name, stream in self.streams.items():
            for sid in list(stream.followers):
                await self.emit("heads", {"heads": {name: stream.cursor}}, to=sid)

    async def tell_closed(self, message: dict[str, Any]) -> None:
        for sid in list(self.connections):
            await self.emit("closed", message, to=sid)


@asynccontextmanager
async def running_hive() -> AsyncIterator[Hive]:
    """A server with one user, `ada`, whose password is `correct horse`."""
    hive = Hive()
    hive.add_user("ada")
    await hive.start()
    try:
        yield hive
    finally:
        await hive.stop()
