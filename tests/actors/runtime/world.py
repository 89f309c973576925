"""A region over storage in memory: the clock stands still, storage fails on demand, and the log is checked."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from actors.runtime.actor import AnyActor
from actors.runtime.feeds import Feeds
from actors.runtime.limits import RuntimeLimits
from actors.runtime.publication import Publication
from actors.runtime.region import Region
from actors.runtime.request import Accepted, Look, Outcome, Request
from actors.runtime.shards import ShardTable
from protocol.base import instant_of
from protocol.errors import Rejection
from protocol.event import Command, Origin, Principal
from protocol.log import SHARDS, AppendBatch, Entry, LoadedStream, shard_of
from protocol.messages import digest_of
from storage.memory.faulty import Fault, FaultyJournal, Hold
from storage.memory.ownership import MemoryOwnership
from storage.memory.timers import MemoryTimers
from tests.actors.runtime.notes import NotesActor, add

STREAM = "notes/1"
PATIENCE_S = 5.0
ANN = Principal("ann")


class StandingClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        # Milliseconds since 1970, and seconds since the test began.
        self.now_ms = 1_800_000_000_000
        self.elapsed_s = 1_000.0

    def now(self) -> str:
        return instant_of(datetime.fromtimestamp(self.now_ms / 1000, UTC))

    def monotonic_s(self) -> float:
        return self.elapsed_s

    def advance(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)
        self.elapsed_s += seconds


class CountedIds:
    """Ids that tell the clock's time and never repeat."""

    def __init__(self, clock: StandingClock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)

    def new_id(self) -> str:
        return self.made_at(self._clock.now_ms)

    def made_at(self, now_ms: int) -> str:
        """A UUIDv7 of that time."""
        return str(UUID(int=(now_ms << 80) | (0x7 << 76) | (0b10 << 62) | next(self._numbers)))

    def epoch_step(self) -> int:
        return 5


class CountedMeters:
    """Keeps what was reported."""

    def __init__(self) -> None:
        # Name of the meter (and its label) → how often.
        self.counts: Counter[str] = Counter()
        # (entries, streams) of each batch.
        self.batches: list[tuple[int, int]] = []
        # Seconds for which the gate held.
        self.held_s: list[float] = []
        # Entries replayed by each activation.
        self.replayed: list[int] = []

    def batch_appended(self, entries: int, streams: int, seconds: float) -> None:
        self.batches.append((entries, streams))

    def gate_opened(self, held_s: float) -> None:
        self.held_s.append(held_s)

    def actor_activated(self, kind: str, replayed: int, seconds: float) -> None:
        self.counts[f"activated {kind}"] += 1
        self.replayed.append(replayed)

    def actor_passivated(self, kind: str) -> None:
        self.counts[f"passivated {kind}"] += 1

    def actor_crashed(self, kind: str) -> None:
        self.counts[f"crashed {kind}"] += 1

    def stream_halted(self, kind: str) -> None:
        self.counts[f"halted {kind}"] += 1

    def append_failed(self, reason: str) -> None:
        self.counts[f"append {reason}"] += 1

    def command_answered(self, kind: str, code: str) -> None:
        self.counts[f"answered {code}"] += 1


class WatchedJournal(FaultyJournal):
    """Counts the reads."""

    def __init__(self) -> None:
        super().__init__()
        # The streams of each load, and (stream, after) of each page.
        self.loads: list[Sequence[str]] = []
        self.pages: list[tuple[str, int]] = []
        # The seqs of each answer to a search for entries by their places.
        self.found: list[list[int]] = []
        # The opIds of each look-up.
        self.lookups: list[Sequence[tuple[str, str]]] = []
        # Reads wait here while it is set to an event that is not set.
        self.reads_wait_for: asyncio.Event | None = None
        # Called when an append has arrived, before it meets its fault.
        self.at_append: Callable[[], object] = lambda: None
        # Raised by the next load.
        self.load_defect: Exception | None = None

    async def load(
        self, streams: Sequence[str], tail_max: int, tail_bytes_max: int | None = None
    ) -> dict[str, LoadedStream]:
        self.loads.append(streams)
        await self._wait()
        if self.load_defect is not None:
            defect, self.load_defect = self.load_defect, None
            raise defect
        return dict(await super().load(streams, tail_max, tail_bytes_max))

    async def read(self, stream: str, after: int, limit: int, bytes_max: int | None = None) -> Sequence[Entry]:
        self.pages.append((stream, after))
        entries = await super().read(stream, after, limit, bytes_max)
        await self._wait()
        return entries

    async def read_page(self, stream: str, seq: int, page_entries: int, page_bytes: int) -> Sequence[Entry]:
        self.pages.append((stream, seq))
        entries = await super().read_page(stream, seq, page_entries, page_bytes)
        await self._wait()
        return entries

    async def find_entries(
        self, places: Sequence[tuple[str, int]], bytes_max: int | None = None
    ) -> dict[tuple[str, int], Entry]:
        found = dict(await super().find_entries(places, bytes_max))
        self.found.append([entry.seq for entry in found.values()])
        return found

    async def find_ops(self, ops: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
        self.lookups.append(ops)
        found = dict(await super().find_ops(ops))
        await self._wait()
        return found

    def take(self, batch: AppendBatch) -> Fault | None:
        fault = super().take(batch)
        self.at_append()
        return fault

    async def _wait(self) -> None:
        if self.reads_wait_for is not None:
            await self.reads_wait_for.wait()

    def log(self, shard: int) -> list[Entry]:
        """The shard's log."""
        return self._logs.get(shard, [])

    def entries(self, stream: str = STREAM) -> list[Entry]:
        """The stream's entries."""
        return self._streams.get(stream, [])

    def snapshot_seqs(self, stream: str = STREAM) -> list[int]:
        """Where the stream has snapshots."""
        return sorted(self._snapshots._by_stream.get(stream, {}))


class World:
    """One node over one database. `restart` and `crash` bring the next node of the same database."""

    def __init__(self, limits: RuntimeLimits, actor: AnyActor, lanes: int) -> None:
        self.limits, self.actor, self._lanes = limits, actor, lanes
        self.clock = StandingClock()
        self.ids = CountedIds(self.clock)
        self.meters = CountedMeters()
        self.journal = WatchedJournal()
        self.ownership = MemoryOwnership(self.journal.shards, self.clock.monotonic_s)
        self.timers = MemoryTimers()
        # What left the region, in order: ("publish", stream, seqs) and ("committed", None, seqs).
        self.told: list[tuple[str, str | None, list[int]]] = []
        # Called at every publish, before anybody hears of it.
        self.at_publish: Callable[[], None] = lambda: None
        self._sessions = itertools.count(1)
        self.region: Region
        self.feeds: Feeds
        self.shards: ShardTable

    async def start(self) -> None:
        """A new session takes all shards."""
        session = f"session {next(self._sessions)}"
        await self.ownership.open_session(session, "node", "here", 3600.0)
        self.shards = ShardTable(session)
        seen = {row.shard: row.epoch for row in await self.ownership.shards()}
        for claimed in await self.ownership.claim(session, seen, self.ids.epoch_step()):
            self.shards.claimed(claimed)
        assert len(self.shards.owned) == SHARDS
        self.region = Region(
            [self.actor],
            self.journal,
            self.ownership,
            self.shards,
            self,
            clock=self.clock,
            ids=self.ids,
            meters=self.meters,
            limits=self.limits,
            lanes=self._lanes,
        )
        self.feeds = Feeds([self.actor], self.region, self.journal, self.clock, self.limits)
        self.region.start()

    def publish(self, stream: str, publications: list[Publication]) -> None:
        self.at_publish()
        self.told.append(("publish", stream, [publication.entry.seq for publication in publications]))
        self.feeds.publish(stream, publications)

    def committed(self, entries: list[Entry]) -> None:
        self.told.append(("committed", None, [entry.seq for entry in entries]))

    def published(self, stream: str = STREAM) -> list[int]:
        """The seqs that followers of the stream were told."""
        return [seq for what, name, seqs in self.told if (what, name) == ("publish", stream) for seq in seqs]

    async def restart(self) -> None:
        """An orderly end, and the next session."""
        await self.region.stop()
        await self.start()

    async def crash(self) -> None:
        """The node is gone in the middle of things; the next session takes over."""
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.start()

    def send(
        self,
        command: Command,
        stream: str = STREAM,
        *,
        op_id: str | None = None,
        by: Principal = ANN,
        within_s: float = 30.0,
        origin: Origin | None = None,
        look: Look | None = None,
        after_op_id: str | None = None,
    ) -> asyncio.Future[Outcome]:
        """A command on its way."""
        request = Request(
            stream=stream,
            op_id=op_id or self.ids.new_id(),
            command=command,
            principal=by,
            digest=digest_of(by.id, command, None, origin),
            deadline_s=self.clock.monotonic_s() + within_s,
            origin=origin,
            look=look,
            after_op_id=after_op_id,
        )
        return self.region.command(request)

    def read(
        self, look: Callable[..., Any], *arguments: Any, stream: str = STREAM, within_s: float = 30.0
    ) -> asyncio.Future[Any]:
        """A read on its way."""
        return self.region.read(stream, look, *arguments, deadline_s=self.clock.monotonic_s() + within_s)

    async def given(self, notes: int, stream: str = STREAM, first: int = 1) -> list[str]:
        """So many notes, one entry each, all committed. Returns their opIds."""
        ops = [self.ids.new_id() for _ in range(notes)]
        for number, op_id in enumerate(ops, first):
            accepted(await self.send(add(number), stream, op_id=op_id))
        return ops

    def check_log(self) -> None:
        """I1 and I3 of every stream, and dense positions."""
        streams: dict[str, list[Entry]] = defaultdict(list)
        for shard in range(SHARDS):
            log = self.journal.log(shard)
            assert [entry.pos for entry in log] == list(range(1, len(log) + 1))
            assert self.journal.shards.shards[shard].head == len(log)
            for entry in log:
                streams[entry.stream].append(entry)
        for entries in streams.values():
            assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
            assert [entry.epoch for entry in entries] == sorted(entry.epoch for entry in entries)
            assert len({entry.op_id for entry in entries}) == len(entries)


@asynccontextmanager
async def a_world(actor: AnyActor | None = None, lanes: int = 2, **limits: Any) -> AsyncIterator[World]:
    """A running node. At the end the log is checked, and nothing may be left alive or have failed unheard."""
    before = asyncio.all_tasks()
    loop = asyncio.get_running_loop()
    unheard: list[dict[str, Any]] = []
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    limits = {"retry_backoff_min_s": 0.001, "retry_backoff_max_s": 0.002, "sweep_interval_s": 3600.0} | limits
    world = World(RuntimeLimits(**limits), actor if actor is not None else NotesActor(), lanes)
    await world.start()
    try:
        yield world
        async with asyncio.timeout(PATIENCE_S):
            await world.region.stop()
        assert world.region.failed is None
        assert world.region.live == 0
        world.check_log()
        await until(lambda: asyncio.all_tasks() <= before)
        assert unheard == []
    finally:
        loop.set_exception_handler(handler)
        world.region.failed  # noqa: B018 - a planted bug is heard here, and not by whoever collects the garbage
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def accepted(outcome: Outcome) -> Accepted:
    """The outcome, which has to be an acceptance."""
    assert isinstance(outcome, Accepted), outcome
    return outcome


def rejected(outcome: Any) -> Rejection:
    """The outcome, which has to be a rejection."""
    assert isinstance(outcome, Rejection), outcome
    return outcome


async def until(condition: Callable[[], bool]) -> None:
    """Gives the loop away until the condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the condition is any state of the runtime, which sets no event
            await asyncio.sleep(0)


async def settle(turns: int = 20) -> None:
    """Lets everything happen that can happen without anything from outside."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def held(world: World, *, applied_first: bool = False) -> Hold:
    """The next append will be held; call `reached.wait()` once something is sent."""
    return world.journal.next(Hold(applied_first=applied_first))


def streams_of_shard(shard: int, count: int) -> list[str]:
    """Names of streams that live in one shard."""
    names = (f"notes/s{number}" for number in itertools.count())
    return list(itertools.islice((name for name in names if shard_of(name) == shard), count))
