"""The gateway: all sessions of this node, and the Socket.IO server that they come through."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import engineio
import socketio
from aiohttp import web

from actors.ports import Clock
from actors.runtime.feeds import Feeds
from actors.runtime.hub import CloseReason
from actors.runtime.replay import Slices
from actors.runtime.router import Router
from server.auth.principal import Authenticator
from server.enrich import Facts
from server.farewells import Farewells
from server.gateway.crowd import Crowd
from server.gateway.doors import Doors
from server.gateway.engine import SILENT, Engine
from server.gateway.engine_socket import EngineSocket
from server.gateway.json_parser import JsonParser
from server.gateway.limits import GatewayLimits
from server.gateway.meters import GatewayMeters, Unmetered
from server.gateway.msgpack_parser import MsgpackParser
from server.gateway.parsers import Parser
from server.gateway.session import Session
from server.gateway.snapshots import SnapshotFrames
from server.gateway.turns import Turns
from server.rate_limits import Rates

log = logging.getLogger("pantherahive.gateway")

HEADS_SLICE_S: Final = 0.001
"""How long heads are told before everybody else gets a turn; to send them takes about as long again."""


class LiveServer(socketio.AsyncServer):
    """python-socketio with our engine. Its rooms, queues and acks are not used: sessions are the hub's followers.

    There is one for each parser, because clients do not negotiate it.
    """

    def __init__(self, parser: Parser) -> None:
        super().__init__(
            async_mode="aiohttp",
            async_handlers=False,
            transports=["websocket"],
            cors_allowed_origins=[],  # judged by our engine
            cors_credentials=False,
            monitor_clients=False,
            logger=SILENT,
            engineio_logger=SILENT,
        )
        self.parser = parser

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return Engine


class Gateway:
    """`attach` it to the application, `run` it beside, and `stop` it before the actors stop."""

    def __init__(
        self,
        router: Router,
        feeds: Feeds,
        facts: Facts,
        authenticator: Authenticator,
        clock: Clock,
        limits: GatewayLimits,
        rates: Rates,
        allowed_origins: Sequence[str] = (),
        meters: GatewayMeters | None = None,
    ) -> None:
        self.meters: GatewayMeters = meters if meters is not None else Unmetered()
        self.router, self.feeds, self.facts = router, feeds, facts
        self.authenticator, self.clock, self.limits = authenticator, clock, limits
        self.rates = rates
        self.snapshots = SnapshotFrames(clock, limits)
        self.crowd = Crowd(limits)
        self.users = Doors(limits.connections_per_user_max)
        addresses = Doors(limits.connections_per_address_max)
        self.farewells = Farewells()
        turns = Turns(limits.read_slice_s)
        self.servers = [LiveServer(parser) for parser in (JsonParser(), MsgpackParser())]
        for server in self.servers:
            engine: Engine = server.eio
            engine.parser = server.parser
            engine.limits, engine.tick, engine.turns = limits, self.crowd.tick, turns
            engine.doors, engine.farewells = addresses, self.farewells
            engine.origins = frozenset(allowed_origins)
            engine.connect, engine.emptied = self._connect, self._note_empty
        # Connections from upgrade until they are told to close, or lost.
        self._sessions: set[Session] = set()
        # Set while there is no connection.
        self._empty = asyncio.Event()
        self._empty.set()
        # Sessions past CONNECT.
        self._entered: set[Session] = set()
        # Those of them whose token hangs on a grant, by that grant.
        self._of_grant: dict[str, set[Session]] = {}
        self.stopping = False

    def attach(self, app: web.Application) -> None:
        """Serves `/socket.io/` and `/socket.io-msgpack/` of the application."""
        for server in self.servers:
            server.attach(app, server.parser.path)

    def _connect(self, socket: EngineSocket) -> Session:
        session = Session(socket, self)
        self._sessions.add(session)
        self._empty.clear()
        return session

    def entered(self, session: Session) -> None:
        self._entered.add(session)

    def hangs_on(self, session: Session, grant_id: str | None, was: str | None) -> None:
        """The session's token hangs on another grant than before; None: on none."""
        if was is not None and (others := self._of_grant.get(was)) is not None:
            others.discard(session)
            if not others:
                del self._of_grant[was]
        if grant_id is not None:
            self._of_grant.setdefault(grant_id, set()).add(session)

    def left(self, session: Session) -> None:
        self._sessions.discard(session)
        self._entered.discard(session)
        self.hangs_on(session, None, session.grant_id)

    def _note_empty(self) -> None:
        if not self.connections:
            self._empty.set()

    async def run(self) -> None:
        """Tells heads and presence at their beats, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.feeds.beat(self.limits.presence_interval_s))
            tasks.create_task(self._tell_heads())
            tasks.create_task(self._end_ended())

    async def _tell_heads(self) -> None:
        while True:
            await asyncio.sleep(self.limits.heads_interval_s)
            slices = Slices(self.clock, HEADS_SLICE_S)
            for session in list(self._entered):
                session.tell_heads()
                await slices.pause_if_due()

    async def _end_ended(self) -> None:
        """Closes the connections whose grant was ended, wherever that happened."""
        while True:
            for grant_id in await self.authenticator.ended.next():
                for session in list(self._of_grant.get(grant_id, ())):
                    session.end("ended")

    async def stop(self, answers_within_s: float = 0.0, reason: CloseReason = "shutdown") -> None:
        """Refuses new connections and commands, tells clients why they end, and waits for them within the grace.

        Commands that are under way are answered first, where that takes no longer than `answers_within_s`.
        """
        self.stopping = True
        owed = [asyncio.create_task(session.answered()) for session in self._entered if session.owes_answers]
        if owed:
            await asyncio.wait(owed, timeout=answers_within_s)
        for session in list(self._sessions):
            session.end(reason)
        try:
            async with asyncio.timeout(self.limits.slow_follower_grace_s):
                await self._empty.wait()
        except TimeoutError:
            for server in self.servers:
                for socket in list(server.eio.sockets.values()):
                    socket.abort()

    @property
    def connections(self) -> int:
        """Open connections, past CONNECT or not, and those that are told to close and do not read it."""
        return sum(len(server.eio.sockets) for server in self.servers)

    def __repr__(self) -> str:
        return f"Gateway({self.connections} connections)"
