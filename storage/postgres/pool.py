"""Connections to Postgres: a pool each for reads, writes and ownership, and single ones for the lanes.

Reads have a deadline of ours beside the server's own limit: a server that stands still ends nothing by itself. A read
that met a dead connection is repeated once on a fresh one. Writes are never cancelled once they are sent, and never
repeated here: a caller who goes away, or waits too long, leaves the statement to finish by itself, because a cancel
request in flight is what makes an outcome unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, TypeVar

import asyncpg

from protocol.faults import NotApplied, OutcomeUnknown
from storage.postgres.driver import quicken_arrays
from storage.postgres.faults import DRIVER_ERRORS, is_lost, reading, told_when_cut, writing
from storage.postgres.first_connection import first_connection
from storage.postgres.server_check import check_server

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]

APPLICATION: Final = "pantherahive"
APPLICATION_NAME_BYTES_MAX: Final = 63
"""Postgres cuts longer names, and then nobody would find a session's backends."""

_NO_LIMIT: Final = {"statement_timeout": "0"}
"""For connections outside the pools, which are waited for by us: the database's own limit is meant for others."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DatabaseLimits:
    """How many connections and how much waiting a process allows itself.

    `read_deadline_s` is for reads that somebody waits for, from asking for a connection to the last row, a repetition
    included; `read_timeout_s` is for the loading of streams.
    """

    read_connections_max: int = 8
    write_connections_max: int = 4
    ownership_connections_max: int = 2
    connect_timeout_s: float = 5.0
    acquire_timeout_s: float = 5.0
    read_deadline_s: float = 5.0
    read_timeout_s: float = 10.0
    write_timeout_s: float = 10.0
    claim_lock_timeout_s: float = 2.0
    append_timeout_s: float = 30.0
    transaction_idle_timeout_s: float = 5.0


def application_name(session: str, role: str) -> str:
    """`pantherahive/<session>/<role>`: by it a dead session's backends are found and ended.

    Raises ValueError when Postgres would cut it.
    """
    name = f"{APPLICATION}/{session}/{role}"
    if len(name.encode()) > APPLICATION_NAME_BYTES_MAX:
        raise ValueError(f"the application name {name!r} is longer than {APPLICATION_NAME_BYTES_MAX} bytes")
    return name


class Database:
    """One process's way to one database. Made by `open`, used by every port of this package."""

    def __init__(self, dsn: str, session: str, limits: DatabaseLimits) -> None:
        self.dsn: Final = dsn
        self.session: Final = session
        self.limits: Final = limits
        # The pools by role; empty before `open` and after `close`.
        self._pools: dict[str, Pool] = {}
        # Writes whose caller may be gone; `close` waits for them.
        self._writes: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(
        cls,
        dsn: str,
        session: str,
        limits: DatabaseLimits | None = None,
        *,
        unsafe_durability: bool = False,
    ) -> Self:
        """Connects and checks the server.

        Raises what `check_server` does, AddressWrong, and NotApplied when the database cannot be reached.
        """
        quicken_arrays()
        database = cls(dsn, session, limits or DatabaseLimits())
        settings = {**_NO_LIMIT, "application_name": application_name(session, "check")}
        connection = await first_connection(dsn, database.limits.connect_timeout_s, settings)
        try:
            with reading():
                await check_server(connection, unsafe_durability=unsafe_durability)
        finally:
            await connection.close()
        await database._make_pools()
        return database

    async def close(self) -> None:
        """Waits for the writes in flight, then closes all pools. The lanes are their owners'."""
        if self._writes:
            await asyncio.wait(self._writes)
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.close()

    @property
    def reads(self) -> Pool:
        """The pool for reads, for those who need a connection of it (streamed pages, projections)."""
        return self._pools["read"]

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Reads what somebody waits for. Raises NotApplied when the answer is not there within `read_deadline_s`."""
        return await self._read(query, args, self.limits.read_deadline_s)

    async def load(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Reads what may be much. Raises NotApplied when the answer is not there within `read_timeout_s`."""
        return await self._read(query, args, self.limits.read_timeout_s)

    async def _read(self, query: str, args: tuple[object, ...], within_s: float) -> list[asyncpg.Record]:
        """On a connection of the pool; if that is dead, once more on a fresh one, within the same time."""
        pool, loop = self.reads, asyncio.get_running_loop()
        until_s = loop.time() + within_s
        with reading():
            try:
                return await self._read_once(pool, query, args, until_s)
            except DRIVER_ERRORS as error:
                if not is_lost(error):
                    raise
                if loop.time() >= until_s:
                    raise NotApplied(f"no answer within {within_s:g} s") from error
            # Where one connection has died, the others have as well, told or not.
            await pool.expire_connections()
            return await self._read_once(pool, query, args, until_s)

    async def _read_once(
        self, pool: Pool, query: str, args: tuple[object, ...], until_s: float
    ) -> list[asyncpg.Record]:
        """Cuts the connection when the time has passed, or the caller is cancelled: a silent server hears no cancel."""
        loop = asyncio.get_running_loop()
        left_s = max(0.0, until_s - loop.time())
        connection = await pool.acquire(timeout=min(left_s, self.limits.acquire_timeout_s))
        too_late = loop.call_at(until_s, connection.terminate)
        try:
            with told_when_cut(connection):
                return await connection.fetch(query, *args)
        except asyncio.CancelledError:
            connection.terminate()
            raise
        finally:
            too_late.cancel()
            await pool.release(connection)

    async def write(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Writes in one statement. Raises DuplicateEntry, NotApplied, OutcomeUnknown."""
        return await self._to_its_end(self._write("write", query, args))

    async def rule(self, query: str, *args: object) -> list[asyncpg.Record]:
        """As `write`, for sessions and shards: connections of their own, which wait for locks only so long."""
        return await self._to_its_end(self._write("ownership", query, args))

    async def _write(self, role: str, query: str, args: tuple[object, ...]) -> list[asyncpg.Record]:
        async with self._acquired(role) as connection:
            try:
                with writing(), told_when_cut(connection):
                    return await connection.fetch(query, *args)
            except asyncio.CancelledError:  # the process ends, and a silent server hears no cancel
                connection.terminate()
                raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction, committed at the end of the block. Raises DuplicateEntry, NotApplied, OutcomeUnknown."""
        async with self._acquired("write") as connection:
            with writing(), told_when_cut(connection):
                async with connection.transaction():
                    yield connection

    async def write_together(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Writes in several statements of one transaction, which goes on when the caller is cancelled.

        Raises DuplicateEntry, NotApplied, OutcomeUnknown, and what `work` raises, which undoes it.
        """

        async def write() -> T:
            async with self.transaction() as connection:
                return await work(connection)

        return await self._to_its_end(write())

    @asynccontextmanager
    async def _acquired(self, role: str) -> AsyncIterator[Connection]:
        pool = self._pools[role]
        with reading():
            connection = await pool.acquire(timeout=self.limits.acquire_timeout_s)
        try:
            yield connection
        except OutcomeUnknown:
            await pool.expire_connections()  # where one has died, the others may be dead as well
            raise
        finally:
            await pool.release(connection)

    async def connect(self, role: str, **settings: str) -> asyncpg.Connection[asyncpg.Record]:
        """A connection of its own. Raises NotApplied."""
        with reading():
            return await asyncpg.connect(
                self.dsn,
                timeout=self.limits.connect_timeout_s,
                server_settings={**_NO_LIMIT, "application_name": application_name(self.session, role), **settings},
            )

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Awaits the work in a task of its own, which goes on when the caller is cancelled or has waited too long."""
        task = asyncio.create_task(work)
        self._writes.add(task)
        task.add_done_callback(self._ended)
        # The server's own limit comes first, unless it stands still.
        longest_s = self.limits.acquire_timeout_s + self.limits.write_timeout_s
        done, _ = await asyncio.wait([task], timeout=longest_s)
        if not done:
            raise OutcomeUnknown(f"no answer within {longest_s:g} s")
        return task.result()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._writes.discard(task)
        if not task.cancelled():
            # A caller that was cancelled does not ask; one that waits has got the exception itself.
            task.exception()

    async def _make_pools(self) -> None:
        limits = self.limits
        idle = {"idle_in_transaction_session_timeout": _milliseconds(limits.transaction_idle_timeout_s)}
        write = {"statement_timeout": _milliseconds(limits.write_timeout_s), **idle}
        read = {"statement_timeout": _milliseconds(limits.read_timeout_s), **idle}
        rule = {"lock_timeout": _milliseconds(limits.claim_lock_timeout_s), **write}
        for role, size, settings in (
            ("read", limits.read_connections_max, read),
            ("write", limits.write_connections_max, write),
            ("ownership", limits.ownership_connections_max, rule),
        ):
            self._pools[role] = await self._pool(role, size, settings)

    async def _pool(self, role: str, size: int, settings: dict[str, str]) -> Pool:
        return await asyncpg.create_pool(
            self.dsn,
            min_size=0,
            max_size=size,
            timeout=self.limits.connect_timeout_s,
            reset=_keep_settings,
            server_settings={"application_name": application_name(self.session, role), **settings},
        )


async def _keep_settings(connection: object) -> None:
    """Saves the round trip of `RESET ALL`: nobody sets anything on a pooled connection."""


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
