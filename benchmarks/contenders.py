"""The servers: how each is started, what it can do, and what it wants to be told."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.arena import SOURCES, Arena, postgres_by_role
from benchmarks.crowd import look
from benchmarks.product import free_port
from benchmarks.program import running_program
from benchmarks.scenarios import Kind, Scenario, awareness_message, flags_of

STREAM = "project/00000000-0000-7000-8000-000000000001"
"""What the peers' clients follow."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running server. `groups` are the processes whose time is counted, as of now."""

    port: int
    flags: Callable[[Scenario], Awaitable[dict[str, object]]]
    groups: Callable[[], Awaitable[Mapping[str, list[int]]]]


@dataclass(frozen=True, slots=True)
class Contender:
    """`key` names it in samples, `name` on the page."""

    key: str
    name: str
    kinds: frozenset[Kind]
    running: Callable[[Arena], AbstractAsyncContextManager[Stage]]


@contextlib.asynccontextmanager
async def _ours(arena: Arena) -> AsyncIterator[Stage]:
    async with arena.running_product() as crowd:
        product = arena.product

        async def flags(scenario: Scenario) -> dict[str, object]:
            await look(product, crowd)
            return {
                **flags_of(scenario, crowd.stream, crowd.cursor),
                **crowd.write(arena.folder),
                "sources": SOURCES,
            }

        async def groups() -> Mapping[str, list[int]]:
            return {"server": [product.pid], **await postgres_by_role(product)}

        yield Stage(product.port, flags, groups)


@contextlib.asynccontextmanager
async def _peer(
    arena: Arena, command: list[str], folder: Path, port: int, *, raw: bool = False, durable: bool = False
) -> AsyncIterator[Stage]:
    keys = arena.folder / "peer-keys"
    keys.write_text("\n".join(f"00000000-0000-7000-8000-{number:012x}" for number in range(1000)))

    async def flags(scenario: Scenario) -> dict[str, object]:
        told = {**flags_of(scenario, STREAM, None), "keys": keys, "sources": SOURCES}
        return {**told, **_raw_flags()} if raw else told

    place = libpq_environment(arena.peers_dsn) if durable else {}
    async with running_program(command, arena.cores.server, port, folder, arena.log, place) as process:

        async def groups() -> Mapping[str, list[int]]:
            postgres = {"postgres": arena.postgres_of_peers()} if durable else {}
            return {"server": [process.pid], **postgres}

        yield Stage(port, flags, groups)


def libpq_environment(dsn: str) -> dict[str, str]:
    """The address as every client of Postgres takes it from its environment."""
    address = urlsplit(dsn)
    query = parse_qs(address.query)
    return {
        "PGHOST": query["host"][0],
        "PGPORT": query["port"][0],
        "PGUSER": address.username or "",
        "PGDATABASE": address.path.lstrip("/"),
    }


def _raw_flags() -> dict[str, object]:
    """For a server without Socket.IO: the same text as a plain message."""
    return {"raw": True, "join": "join", "message": awareness_message(STREAM)}


def _limit(*more: str) -> Callable[[Arena], AbstractAsyncContextManager[Stage]]:
    def running(arena: Arena) -> AbstractAsyncContextManager[Stage]:
        port = free_port()
        return _peer(arena, [str(arena.tools.limit), str(port), *more], arena.folder, port)

    return running


def _node(engine: str, writes: str) -> Callable[[Arena], AbstractAsyncContextManager[Stage]]:
    def running(arena: Arena) -> AbstractAsyncContextManager[Stage]:
        node, folder = arena.tools.node, arena.tools.node_folder
        if node is None or folder is None:
            raise RuntimeError("Node is not there")
        port = free_port()
        arena.start_postgres_of_peers()
        flags = ["--engine", engine, "--port", str(port), "--writes", writes]
        return _peer(arena, [str(node), "socketio_server.mjs", *flags], folder, port, durable=True)

    return running


def _python(program: str, *, raw: bool = False) -> Callable[[Arena], AbstractAsyncContextManager[Stage]]:
    def running(arena: Arena) -> AbstractAsyncContextManager[Stage]:
        python = arena.tools.python_peers
        if python is None:
            raise RuntimeError("the Python peers are not there")
        port = free_port()
        path = Path(__file__).parent / "peers" / program
        return _peer(arena, [str(python), str(path), str(port)], arena.folder, port, raw=raw)

    return running


_BOTH = frozenset(Kind)
_NEWS = frozenset({Kind.EPHEMERAL})
_LOG = frozenset({Kind.DURABLE})

OURS = Contender("ours", "PantheraHive", _BOTH, _ours)
NODE_GROUP = Contender("node-group", "Node socket.io, group commit", _BOTH, _node("ws", "group"))
NODE_INSERT = Contender("node-insert", "Node socket.io, INSERT pool 20", _LOG, _node("ws", "insert"))
UWS_GROUP = Contender("uws-group", "Node on uWebSockets, group commit", _BOTH, _node("uws", "group"))
UWS_INSERT = Contender("uws-insert", "Node on uWebSockets, INSERT pool 20", _LOG, _node("uws", "insert"))
PYTHON_SOCKETIO = Contender("python-socketio", "python-socketio, stock", _NEWS, _python("python_socketio.py"))
WEBSOCKETS = Contender("websockets", "websockets broadcast", _NEWS, _python("websockets_broadcast.py", raw=True))
LIMIT = Contender("limit", "C, a send per event", _NEWS, _limit())
LIMIT_TICK = Contender("limit-tick", "C, a send per tick", _NEWS, _limit("tick"))

CONTENDERS = (OURS, NODE_GROUP, NODE_INSERT, UWS_GROUP, UWS_INSERT, PYTHON_SOCKETIO, WEBSOCKETS, LIMIT, LIMIT_TICK)
"""All of them, whatever can run here."""


def contenders(arena: Arena) -> list[Contender]:
    """Those that can run here, in the order of their turns."""
    tools = arena.tools
    found = [OURS]
    if tools.node is not None:
        found += [NODE_GROUP, NODE_INSERT, UWS_GROUP, UWS_INSERT]
    if tools.python_peers is not None:
        found += [PYTHON_SOCKETIO, WEBSOCKETS]
    return [*found, LIMIT, LIMIT_TICK]
