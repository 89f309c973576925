"""A connection that appends. Whether a statement without an answer happened is decided by `abandon`, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from protocol.faults import NotApplied, OutcomeUnknown
from protocol.log import AppendBatch, Appended, NewEntry, ShardFence, shard_of
from storage.postgres.driver import run_prepared
from storage.postgres.faults import DRIVER_ERRORS, fault_of, reading
from storage.postgres.pool import Database, application_name
from storage.postgres.statements import statement

if TYPE_CHECKING:
    from asyncpg.prepared_stmt import PreparedStatement

    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    _Statement: TypeAlias = PreparedStatement[asyncpg.Record]

_APPEND: Final = statement("append")
_APPEND_ONE: Final = statement("append_one")
_APPEND_ISOLATING: Final = statement("append_isolating")
_INSERTED_ONE: Final = b"INSERT 0 1"
"""The command tag of `append_one.sql` when the fence held."""
_TAKE_NAME: Final = """
SELECT pid, backend_start, set_config('application_name', $1, false)
  FROM pg_stat_activity
 WHERE pid = pg_backend_pid()
"""
_TERMINATE: Final = """
SELECT pg_terminate_backend(pid, $3) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2
"""
_IS_THERE: Final = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2)"
TERMINATION_TIMEOUT_S: Final = 5.0
"""How long one `abandon` waits for the backend's end; the caller calls again."""
SINGLES_BEFORE_KEEPING: Final = 8
"""Single appends in a row after which the lane expects more of them."""


class PostgresLane:
    """Fits `actors.ports.AppendLane`.

    After OutcomeUnknown, and after a caller that was cancelled, it refuses to append (NotApplied) until `abandon` has
    decided the old statement.
    """

    def __init__(self, database: Database, number: int) -> None:
        self._database = database
        self._number = number
        # The connection in use; None before the first append and after it was abandoned.
        self._connection: _Connection | None = None
        # The session in the connection's application name, by which others may end it; "" before it is set.
        self._session = ""
        # Pid and start of the connection's backend: a pid alone may be another's by the time it is ended.
        self._backend: tuple[int, datetime] | None = None
        # Single appends since the last other one, and whether their plan is kept (see `_keeps_plans_for`).
        self._singles = 0
        self._keeps_plans = False
        # The statements that were used on this connection: asking the driver for them anew costs a tenth of an append.
        self._prepared: dict[str, _Statement] = {}
        # Whether the last statement's fate is not known: it is under way, or nobody will hear its answer.
        self._undecided = False

    async def append(self, batch: AppendBatch) -> Appended:
        """See the port. Raises ValueError for an entry whose shard has no fence in the batch."""
        if len(batch.entries) == 1:
            return await self._append_one(batch, batch.entries[0])
        rows, _ = await self._send(_APPEND, (batch.session, *_fences(batch), *_numbered(batch)))
        return Appended({row[0]: row[1] for row in rows})

    async def _append_one(self, batch: AppendBatch, entry: NewEntry) -> Appended:
        fence = _fence_of(entry, batch.fences)
        columns = (entry.stream, entry.seq, entry.op_id, entry.digest, entry.payload, entry.author)
        _, tag = await self._send(_APPEND_ONE, (batch.session, *fence, *columns, entry.at, entry.recorded_at))
        return Appended({fence.shard: fence.head + 1} if tag == _INSERTED_ONE else {})

    async def append_isolating(self, batch: AppendBatch) -> Appended:
        """See the port. Raises ValueError for an entry whose shard has no fence in the batch."""
        shards, epochs, heads, _ = _fences(batch)
        owners, _, *columns = _numbered(batch)
        rows, _ = await self._send(_APPEND_ISOLATING, (batch.session, shards, epochs, heads, owners, *columns))
        return Appended(
            {row["shard_id"]: row["head"] for row in rows},
            frozenset(stream for row in rows for stream in row["refused"]),
        )

    async def abandon(self) -> None:
        """Ends the backend, waits until it is gone, and forgets the connection. Raises NotApplied; call again.

        It may be called while an append waits for its answer: that append then raises OutcomeUnknown.
        """
        self._undecided = True
        if self._backend is not None:
            await self._terminate(*self._backend)
        if self._connection is not None:
            self._connection.terminate()
        self._connection = self._backend = None
        self._undecided = False

    async def close(self) -> None:
        """Closes the connection; a statement without an answer is cut off."""
        connection, self._connection = self._connection, None
        if connection is None or connection.is_closed():
            return
        if self._undecided:
            connection.terminate()
        else:
            await connection.close()

    async def _send(self, query: str, args: tuple[Any, ...]) -> tuple[list[asyncpg.Record], bytes]:
        """Runs a statement whose first argument is the session: its rows and its command tag."""
        connection = self._connection
        if connection is None or connection.is_closed() or self._undecided or args[0] != self._session:
            connection = await self._ready(args[0])
        if (keep := self._keeps_plans_for(query)) != self._keeps_plans:
            await self._choose_plans(connection, keep)
        prepared = self._prepared.get(query)
        if prepared is None:
            with reading():
                prepared = self._prepared[query] = await connection.prepare(query)
        self._undecided = True
        try:
            answer = await run_prepared(connection, prepared, args, self._database.limits.append_timeout_s)
        except Exception as error:
            fault = fault_of(error) if isinstance(error, DRIVER_ERRORS) else None
            if not isinstance(fault, OutcomeUnknown):
                self._decided(connection)
            if fault is None:
                raise
            raise fault from error
        self._decided(connection)
        return answer

    def _decided(self, connection: _Connection) -> None:
        """An answer came, good or bad. It says nothing about the statements of a later connection."""
        if connection is self._connection:
            self._undecided = False

    async def _ready(self, session: str) -> _Connection:
        if self._undecided:
            raise NotApplied("the lane's last append is undecided: abandon it first")
        if self._connection is None or self._connection.is_closed():
            self._session, self._backend, self._keeps_plans, self._prepared = "", None, False, {}
            self._connection = await self._database.connect(f"lane-{self._number}", plan_cache_mode="force_custom_plan")
        if session != self._session:
            await self._take_name(self._connection, session)
        return self._connection

    def _keeps_plans_for(self, query: str) -> bool:
        """Whether the plan is kept: while only single entries come, since planning is a third of their time.

        The statements over arrays are planned anew each time, since a kept plan of theirs cannot know their length.
        """
        if query is not _APPEND_ONE:
            self._singles = 0
            return False
        self._singles += 1
        return self._keeps_plans or self._singles >= SINGLES_BEFORE_KEEPING

    async def _choose_plans(self, connection: _Connection, keep: bool) -> None:
        mode = "force_generic_plan" if keep else "force_custom_plan"
        with reading():
            await connection.execute(f"SET plan_cache_mode = {mode}")
        self._keeps_plans = keep

    async def _take_name(self, connection: _Connection, session: str) -> None:
        name = application_name(session, f"lane-{self._number}")
        with reading():
            [row] = await connection.fetch(_TAKE_NAME, name)
        self._session, self._backend = session, (row["pid"], row["backend_start"])

    async def _terminate(self, pid: int, started: datetime) -> None:
        """Ends the backend from another connection and sees that it is gone: that decides its transaction."""
        witness = await self._database.connect("witness")
        try:
            with reading():
                await witness.fetchval(_TERMINATE, pid, started, round(TERMINATION_TIMEOUT_S * 1000))
                if await witness.fetchval(_IS_THERE, pid, started):
                    raise NotApplied(f"backend {pid} does not end")
        finally:
            await witness.close()


def _fence_of(entry: NewEntry, fences: Sequence[ShardFence]) -> ShardFence:
    shard = shard_of(entry.stream)
    for fence in fences:
        if fence.shard == shard:
            return fence
    raise ValueError(_without_fence(entry, shard))


def _without_fence(entry: NewEntry, shard: int) -> str:
    return f"{entry.stream} belongs to shard {shard}, for which the batch has no fence"


def _fences(batch: AppendBatch) -> tuple[list[int], list[int], list[int], list[int]]:
    """Shard, epoch, expected head and number of entries, by shard, so that all lock in one order."""
    counts = {fence.shard: 0 for fence in batch.fences}
    for entry in batch.entries:
        shard = shard_of(entry.stream)
        if shard not in counts:
            raise ValueError(_without_fence(entry, shard))
        counts[shard] += 1
    fences = sorted(batch.fences)
    shards = [fence.shard for fence in fences]
    return (
        shards,
        [fence.epoch for fence in fences],
        [fence.head for fence in fences],
        [counts[s] for s in shards],
    )


def _numbered(batch: AppendBatch) -> tuple[list[int], list[int], *tuple[Sequence[object], ...]]:
    """The entries by column: shard, offset within the shard, then the values in the order of append.sql."""
    shards: list[int] = []
    offsets: list[int] = []
    taken: dict[int, int] = {}
    for entry in batch.entries:
        shard = shard_of(entry.stream)
        taken[shard] = taken.get(shard, 0) + 1
        shards.append(shard)
        offsets.append(taken[shard])
    return (shards, offsets, *_columns(batch.entries))


def _columns(entries: Sequence[NewEntry]) -> tuple[Sequence[object], ...]:
    return (
        [entry.stream for entry in entries],
        [entry.seq for entry in entries],
        [entry.op_id for entry in entries],
        [entry.digest for entry in entries],
        [entry.payload for entry in entries],
        [entry.author for entry in entries],
        [entry.at for entry in entries],
        [entry.recorded_at for entry in entries],
    )
