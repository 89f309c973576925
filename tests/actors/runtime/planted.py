"""Bugs to plant: each of them takes one promise of the runtime away. `test_mutants` says which test has to catch it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from actors.runtime.cell import Cell
from actors.runtime.cell_host import Phase
from actors.runtime.delivery import OVERLOADED, CommandDelivery, Delivery, HeldRejection
from actors.runtime.feeds import Feeds
from actors.runtime.gate import OutputGate
from actors.runtime.hub import Following, StreamHub
from actors.runtime.lane import Lane
from actors.runtime.loader import Loader
from actors.runtime.outcomes import OutcomeMemory
from actors.runtime.publication import Publication
from actors.runtime.region import Region
from actors.runtime.rejections import RejectionMemory
from actors.runtime.retries import Retries
from actors.runtime.ring import Ring
from protocol.log import AppendBatch, Entry, LoadedStream
from tests.actors.runtime.notes import TAKEN


def ack_before_commit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OutputGate, "hold", lambda gate, seq, output, now_s: output.release(gate._epoch))


def rejections_pass_the_gate(patch: pytest.MonkeyPatch) -> None:
    hold = OutputGate.hold

    def leaky(gate: OutputGate, seq: int, output: Any, now_s: float) -> None:
        hold(gate, 0 if isinstance(output, HeldRejection) else seq, output, now_s)

    patch.setattr(OutputGate, "hold", leaky)


def gate_opens_one_too_far(patch: pytest.MonkeyPatch) -> None:
    is_open = OutputGate.open
    patch.setattr(OutputGate, "open", lambda gate, durable, epoch: is_open(gate, durable + 1, epoch))


def broadcast_before_acks(patch: pytest.MonkeyPatch) -> None:
    committed = Cell.committed

    def hasty(cell: Cell, entries: list[Entry]) -> None:
        cell._host.publish(cell.stream, [u.publication(e) for u, e in zip(cell._unsettled, entries, strict=False)])
        committed(cell, entries)

    patch.setattr(Cell, "committed", hasty)


def ring_takes_the_head_twice(patch: pytest.MonkeyPatch) -> None:
    append = Ring.append

    def twice(ring: Ring, publication: Publication) -> bool:
        if publication.entry.seq == ring.head.seq:
            ring._items.append(publication)
            return True
        return append(ring, publication)

    patch.setattr(Ring, "append", twice)


def ring_reaches_one_too_far(patch: pytest.MonkeyPatch) -> None:
    after = Ring.after

    def far(ring: Ring, seq: int, limit: int) -> list[Publication] | None:
        found = after(ring, seq, limit)
        return list(ring._items)[:limit] if found is None and ring.head.seq - seq == len(ring._items) + 1 else found

    patch.setattr(Ring, "after", far)


def ring_ignores_gaps(patch: pytest.MonkeyPatch) -> None:
    def append(ring: Ring, publication: Publication) -> bool:
        ring._items.append(publication)
        ring.head = publication.cursor
        return True

    patch.setattr(Ring, "append", append)


def unknown_means_committed(patch: pytest.MonkeyPatch) -> None:
    async def guess(lane: Lane, port: Any, request: AppendBatch, batch: list[Any]) -> list[Any]:
        written = await lane._claim_and_read(request)
        entries = [entry for log in written.values() for entry in log]
        lane._tell([(unsettled, entries[0] if entries else _guessed(unsettled)) for unsettled in batch])
        await port.abandon()
        return []

    patch.setattr(Lane, "_resolve", guess)


def _guessed(unsettled: Any) -> Entry:
    new = unsettled.new
    return Entry(new.stream, new.seq, 1, 0, 1, new.op_id, new.digest, new.payload, new.author, new.at, new.recorded_at)


def unknown_means_not_committed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lane, "_settle", lambda lane, request, batch, written: batch)


def unknown_is_looked_at_before_the_backend_ended(patch: pytest.MonkeyPatch) -> None:
    async def early(lane: Lane, port: Any, request: AppendBatch, batch: list[Any]) -> list[Any]:
        again = lane._settle(request, batch, await lane._claim_and_read(request))
        await port.abandon()
        return again

    patch.setattr(Lane, "_resolve", early)


def the_claim_keeps_the_old_epoch(patch: pytest.MonkeyPatch) -> None:
    async def read_only(lane: Lane, request: AppendBatch) -> dict[int, list[Entry]]:
        return {
            fence.shard: list(await lane._journal.read_shard(fence.shard, fence.head, 100)) for fence in request.fences
        }

    patch.setattr(Lane, "_claim_and_read", read_only)


def a_refusal_is_nobodys_business(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Region, "refused", lambda region, stream, op_ids: None)


def refused_op_ids_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Region, "is_suspect", lambda region, stream, op_id: False)


def dead_incarnations_go_on_writing(patch: pytest.MonkeyPatch) -> None:
    def take(lane: Lane) -> list[Any]:
        batch = list(lane._queue)
        lane._queue.clear()
        return batch

    patch.setattr(Lane, "_take", take)
    patch.setattr(Lane, "_still_ours", lambda lane, batch: batch)


def a_lost_shard_is_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Region, "shard_lost", lambda region, shard: None)


def dedup_is_forgotten_on_reload(patch: pytest.MonkeyPatch) -> None:
    start = Cell.start

    def forgetful(cell: Cell, activation: Any) -> None:
        activation.memory = OutcomeMemory(1_000)
        start(cell, activation)

    patch.setattr(Cell, "start", forgetful)


def dedup_is_forgotten_in_snapshots(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OutcomeMemory, "as_json", lambda memory: {"floorMs": -1, "seen": []})


def dedup_never_doubts_its_memory(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OutcomeMemory, "may_have_forgotten", lambda memory, op_id: False)
    patch.setattr(OutcomeMemory, "is_whole", True)


def digests_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    find = Retries.find

    def careless(retries: Retries, delivery: CommandDelivery) -> Any:
        seen = retries.memory.find(delivery.request.op_id)
        if seen is not None:
            seen.digest = delivery.request.digest
        return find(retries, delivery)

    patch.setattr(Retries, "find", careless)


def a_reused_op_id_precedes_permission(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("actors.runtime.cell.may_follow", lambda audience, principal: True)


def the_state_is_kept_half_changed(patch: pytest.MonkeyPatch) -> None:
    begin, begun = Loader._begin, dict[Cell, Any]()

    async def once(loader: Loader, cell: Cell, loaded: LoadedStream) -> Any:
        if cell in begun:
            return begun[cell], LoadedStream(None, (), complete=True)
        begun[cell], loaded = await begin(loader, cell, loaded)
        return begun[cell], loaded

    patch.setattr(Loader, "_begin", once)


def catching_up_goes_beyond_the_halted_state(patch: pytest.MonkeyPatch) -> None:
    async def far(feeds: Feeds, following: Following) -> list[Publication]:
        return following.given(await feeds.pages.after(following.hub.stream, following.seq))

    patch.setattr(Feeds, "catch_up", far)


def the_repaired_tell_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Region, "was_halted", lambda region, stream: False)


def rejections_are_not_remembered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RejectionMemory, "remember", lambda *_: None)


def rejections_at_the_gate_are_not_remembered(patch: pytest.MonkeyPatch) -> None:
    reject = Cell._reject

    def forgetful(cell: Cell, *arguments: Any) -> None:
        reject(cell, *arguments)
        cell.retries._unreleased.clear()

    patch.setattr(Cell, "_reject", forgetful)


def snapshots_do_not_wait(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Cell, "when_durable", lambda cell, held: held.call(1))


def a_crashed_cell_forgets_what_is_in_flight(patch: pytest.MonkeyPatch) -> None:
    def crash(cell: Cell) -> None:
        cell.abort(TAKEN)
        cell._host.drained(cell)

    patch.setattr(Cell, "_crash", crash)


def a_crashed_cell_goes_on_with_half_a_state(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Cell, "_crash", lambda cell: None)


def a_restart_drops_the_mailbox(patch: pytest.MonkeyPatch) -> None:
    restart = Region._restart

    def careless(region: Region, cell: Cell) -> None:
        list(cell.mailbox.drain())
        restart(region, cell)

    patch.setattr(Region, "_restart", careless)


def who_comes_overtakes_who_waits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Cell, "deliver", _delivering(lambda cell: not cell._is_full()))


def full_cells_take_what_comes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Cell, "deliver", _delivering(lambda cell: not cell.mailbox))


def _delivering(is_ready: Callable[[Cell], bool]) -> Callable[[Cell, Delivery], None]:
    """As `Cell.deliver`, with one of its conditions less."""

    def deliver(cell: Cell, delivery: Delivery) -> None:
        if not cell._scheduled and cell.phase is Phase.LIVE and is_ready(cell):
            cell._schedule()
            cell._handle(delivery, *cell._look_at_clock())
        elif not cell.mailbox.put(delivery):
            delivery.refuse(OVERLOADED)
        else:
            cell._schedule()

    return deliver


def old_op_ids_are_not_looked_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OutcomeMemory, "may_have_forgotten", lambda memory, op_id: False)


def lanes_are_settled_at_once(patch: pytest.MonkeyPatch) -> None:
    async def at_once(lane: Lane, stream: str) -> None:
        return

    patch.setattr(Lane, "settled", at_once)


def passivation_does_not_look(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Cell, "idle", True)


def loading_does_not_wait_for_writes(patch: pytest.MonkeyPatch) -> None:
    async def at_once(region: Region, stream: str) -> None:
        return

    patch.setattr(Region, "settled", at_once)
    patch.setattr(Cell, "_end_if_drained", lambda cell: cell._host.drained(cell))


def every_stream_is_loaded_alone(patch: pytest.MonkeyPatch) -> None:
    together = Loader._load_together

    async def alone(loader: Loader, cells: Iterable[Cell]) -> None:
        for cell in cells:
            await together(loader, [cell])

    patch.setattr(Loader, "_load_together", alone)


def full_cells_go_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Cell, "_is_full", lambda cell: False)


def the_removed_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StreamHub, "_narrow", lambda hub, audience, seq: None)


def the_removed_may_finish_their_page(patch: pytest.MonkeyPatch) -> None:
    def given(following: Following, publications: list[Publication]) -> list[Publication]:
        return [publication for publication in publications if publication.entry.seq > following.seq]

    patch.setattr(Following, "given", given)


def old_audiences_close_new_places(patch: pytest.MonkeyPatch) -> None:
    attach = StreamHub.attach
    patch.setattr(StreamHub, "attach", lambda hub, follower, seq, at: attach(hub, follower, seq, -1))


def a_capture_is_never_thrown_away(patch: pytest.MonkeyPatch) -> None:
    abort = OutputGate.abort

    def careless(gate: OutputGate, rejection: Any) -> None:
        for _, _, output in gate._held:
            if hasattr(output, "call"):
                output.call(1)
        abort(gate, rejection)

    patch.setattr(OutputGate, "abort", careless)


def one_stream_spoils_the_batch(patch: pytest.MonkeyPatch) -> None:
    def refuse_all(lane: Lane, batch: list[Any], streams: frozenset[str]) -> None:
        if streams:
            for unsettled in batch:
                lane._events.refused(unsettled.new.stream, [unsettled.new.op_id])

    patch.setattr(Lane, "_refuse", refuse_all)
    patch.setattr(Lane, "_tell", lambda lane, accepted: None)
