"""Folding a stream from the log: the way back to life after a start, and the way into the past."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Any, Final

import msgpack

from actors.ports import Clock
from actors.runtime.actor import AnyActor, meta_of
from actors.runtime.limits import RuntimeLimits
from actors.runtime.outcomes import OutcomeMemory, SeenCommand
from protocol.log import Entry, LoadedStream, Snapshot
from protocol.messages import decode_event, unpack_payload

log = logging.getLogger("pantherahive.replay")

SEAL_BYTES: Final = 16
SEALED_AT_ONCE_BYTES: Final = 1 << 20
"""About a millisecond of work."""

LoadBefore = Callable[[int], Awaitable[LoadedStream]]
"""The newest snapshot whose seq is not beyond the argument, and what follows it."""


class ReplayFailed(Exception):
    """The stream's entries cannot be folded by this build. The stream is halted, never skipped."""


class UnusableSnapshot(Exception):
    """A snapshot cannot be restored. The log has everything that was in it."""


@dataclass(slots=True)
class Folded:
    """A state and where it stands. `memory` knows the commands behind it."""

    state: Any
    seq: int
    epoch: int
    memory: OutcomeMemory
    snapshot_seq: int
    weight_bytes: int
    replayed: int = 0


class Slices:
    """Gives the loop back every few milliseconds during long work."""

    def __init__(self, clock: Clock, slice_s: float) -> None:
        self._clock = clock
        self._slice_s = slice_s
        # When this slice began.
        self._began_s = clock.monotonic_s()

    async def pause_if_due(self) -> None:
        if self._clock.monotonic_s() - self._began_s >= self._slice_s:
            await asyncio.sleep(0)
            self._began_s = self._clock.monotonic_s()


async def begin(
    actor: AnyActor, stream: str, loaded: LoadedStream, load_before: LoadBefore, limits: RuntimeLimits, clock: Clock
) -> tuple[Folded, LoadedStream]:
    """The starting point of a fold, and what was loaded after it.

    It is the newest snapshot that can be restored, else the empty state: a snapshot only saves time, so a damaged one
    costs an error line and some replay. Raises what `load_before` raises.
    """
    while (snapshot := loaded.snapshot) is not None and snapshot.schema_version == actor.schema_version:
        try:
            return await _restored(actor, snapshot, limits, clock), loaded
        except UnusableSnapshot:
            log.exception("the snapshot of %s at %d is passed over", stream, snapshot.seq)
        older = await load_before(snapshot.seq - 1)
        loaded = LoadedStream(older.snapshot, (), complete=False)  # its tail may end at the bound
    if loaded.snapshot is not None:
        loaded = LoadedStream(None, (), complete=False)  # a snapshot of another schema: replay from the start
    memory = OutcomeMemory(limits.outcomes_remembered_max)
    return Folded(actor.initial(stream), 0, 0, memory, 0, 0), loaded


async def _restored(actor: AnyActor, snapshot: Snapshot, limits: RuntimeLimits, clock: Clock) -> Folded:
    """The state of a snapshot, in slices: a big one takes longer than others on the loop may wait.

    Raises UnusableSnapshot.
    """
    slices = Slices(clock, limits.loop_slice_s)
    packed, seal = snapshot.state[:-SEAL_BYTES], snapshot.state[-SEAL_BYTES:]
    if await _seal_of(packed, slices) != seal:
        raise UnusableSnapshot(f"{snapshot.stream}: the snapshot at {snapshot.seq} is not what was written")
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(packed), 1), strict_map_key=False)
    unpacker.feed(packed)
    try:
        memory = OutcomeMemory.from_json(unpacker.unpack(), limits.outcomes_remembered_max)
        state = actor.initial(snapshot.stream)
        # Asked for one by one: iterating over the unpacker would take a part that is cut off for the end.
        while unpacker.tell() < len(packed):
            actor.take_part(state, unpacker.unpack())
            await slices.pause_if_due()
        actor.complete(state)
    except Exception as error:
        raise UnusableSnapshot(f"{snapshot.stream}: the snapshot at {snapshot.seq} is unreadable") from error
    return Folded(state, snapshot.seq, snapshot.epoch, memory, snapshot.seq, len(snapshot.state))


async def _seal_of(packed: bytes, slices: Slices) -> bytes:
    seal = blake2b(digest_size=SEAL_BYTES)
    whole = memoryview(packed)
    for at in range(0, len(whole), SEALED_AT_ONCE_BYTES):
        seal.update(whole[at : at + SEALED_AT_ONCE_BYTES])
        await slices.pause_if_due()
    return seal.digest()


def pack_snapshot(memory: dict[str, Any], parts: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """The bytes of a snapshot, piece by piece: the memory of commands, the state's parts, and a digest as the seal.

    Bytes that were changed since may well decode, and a wrong state would be served and written on.
    """
    seal = blake2b(digest_size=SEAL_BYTES)
    for content in chain([memory], parts):
        piece: bytes = msgpack.packb(content)
        seal.update(piece)
        yield piece
    yield seal.digest()


def apply(actor: AnyActor, folded: Folded, entry: Entry) -> None:
    """Folds one entry. Raises ReplayFailed."""
    if entry.seq != folded.seq + 1:
        raise ReplayFailed(f"{entry.stream}: {entry.seq} follows {folded.seq} in the log")
    meta = meta_of(entry)
    try:
        events = unpack_payload(entry.payload).events
        for event in events:
            actor.evolve(folded.state, decode_event(event), meta)
    except Exception as error:
        raise ReplayFailed(f"{entry.stream}: entry {entry.seq} cannot be folded: {error}") from error
    folded.seq, folded.epoch = entry.seq, entry.epoch
    folded.memory.remember(
        entry.op_id, entry.recorded_at, SeenCommand(entry.seq, entry.epoch, entry.digest, entry.at, None)
    )
    folded.weight_bytes += len(entry.payload)
    folded.replayed += 1


async def apply_all(
    actor: AnyActor,
    folded: Folded,
    entries: Iterable[Entry],
    slices: Slices,
    until: Callable[[Entry], bool] | None = None,
) -> bool:
    """Folds entries, giving the loop back between slices. False when `until` said that the next one is too far."""
    for entry in entries:
        if until is not None and until(entry):
            return False
        apply(actor, folded, entry)
        await slices.pause_if_due()
    return True
