"""Planted bugs: each of them has to be caught by a test of this folder, or a promise is unguarded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import pytest

from actors.runtime.cell import Cell
from actors.runtime.delivery import HeldRejection
from actors.runtime.feeds import Feeds
from actors.runtime.gate import OutputGate
from actors.runtime.hub import Following, StreamHub
from actors.runtime.lane import Lane
from actors.runtime.loader import Loader
from actors.runtime.outcomes import OutcomeMemory
from actors.runtime.publication import Publication
from actors.runtime.region import Region
from actors.runtime.rejections import RejectionMemory
from actors.runtime.ring import Ring
from protocol.log import AppendBatch, Entry, LoadedStream
from tests.actors.runtime import (
    test_cell,
    test_feeds,
    test_halted,
    test_hub,
    test_lane,
    test_loader,
    test_region,
    test_retries,
    test_ring,
    test_snapshots,
)
from tests.actors.runtime.notes import TAKEN, edit

Plant = Callable[[pytest.MonkeyPatch], None]
Check = Callable[[], Awaitable[None] | None]

TOO_LONG_S = 1.0
"""A check that does not end by then has caught its bug too: somebody is never answered."""


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
    answer = Cell._answer_seen

    def careless(cell: Cell, seen: Any, delivery: Any, now: str, now_s: float) -> None:
        seen.digest = delivery.request.digest
        answer(cell, seen, delivery, now, now_s)

    patch.setattr(Cell, "_answer_seen", careless)


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
        cell._rejecting.clear()

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


REPEAT = edit(1, "once")
retry_again = partial(test_retries.test_a_retry_gets_the_first_answer, command=REPEAT)

MUTANTS: list[tuple[Plant, Check]] = [
    (ack_before_commit, test_cell.test_nobody_hears_anything_before_the_commit),
    (rejections_pass_the_gate, test_cell.test_nobody_hears_anything_before_the_commit),
    (gate_opens_one_too_far, test_lane.test_a_lost_shard_is_given_up_and_the_others_go_on),
    (broadcast_before_acks, test_cell.test_acks_leave_before_the_broadcast_and_the_broadcast_before_consumers),
    (ring_takes_the_head_twice, test_hub.test_what_is_not_new_wakes_nobody),
    (ring_reaches_one_too_far, test_ring.test_at_the_head_there_is_nothing_and_before_the_ring_there_is_no_answer),
    (ring_ignores_gaps, test_ring.test_a_gap_makes_it_forget_what_was_before),
    (unknown_means_committed, partial(test_lane.test_an_unknown_outcome_is_looked_up_under_a_new_epoch, "never")),
    (unknown_means_not_committed, partial(test_lane.test_an_unknown_outcome_is_looked_up_under_a_new_epoch, "applied")),
    (
        unknown_is_looked_at_before_the_backend_ended,
        partial(test_lane.test_an_unknown_outcome_is_looked_up_under_a_new_epoch, "late"),
    ),
    (the_claim_keeps_the_old_epoch, partial(test_lane.test_an_unknown_outcome_is_looked_up_under_a_new_epoch, "never")),
    (a_refusal_is_nobodys_business, test_retries.test_a_refused_stream_shows_nothing_of_what_was_refused),
    (
        refused_op_ids_are_forgotten,
        test_retries.test_a_repeated_op_id_costs_the_49_others_of_its_batch_one_repeat_and_no_ack,
    ),
    (dead_incarnations_go_on_writing, test_lane.test_what_a_dead_incarnation_queued_is_never_written),
    (a_lost_shard_is_kept, test_lane.test_a_lost_shard_is_given_up_and_the_others_go_on),
    (dedup_is_forgotten_on_reload, partial(retry_again, again="after a restart", kind="now", forgotten=False)),
    (dedup_is_forgotten_in_snapshots, test_snapshots.test_a_retry_is_known_from_the_snapshot),
    (dedup_never_doubts_its_memory, partial(retry_again, again="same node", kind="UUIDv5", forgotten=True)),
    (digests_are_not_compared, test_retries.test_a_reused_op_id_of_what_is_in_flight_waits_for_the_commit),
    (
        a_reused_op_id_precedes_permission,
        partial(test_retries.test_an_op_id_of_another_command_tells_a_stranger_nothing_of_the_stream, "memory"),
    ),
    (
        the_state_is_kept_half_changed,
        partial(test_halted.test_an_entry_that_half_changes_the_state_leaves_no_trace, 1_000, 500),
    ),
    (
        catching_up_goes_beyond_the_halted_state,
        partial(test_halted.test_entries_that_can_be_read_and_not_folded_are_not_shown_either, 0),
    ),
    (
        the_repaired_tell_nobody,
        test_halted.test_after_a_repair_followers_get_what_was_missing_and_only_those_who_may,
    ),
    (
        rejections_are_not_remembered,
        test_retries.test_a_duplicate_of_a_rejected_command_is_rejected_though_the_state_has_changed,
    ),
    (
        rejections_at_the_gate_are_not_remembered,
        test_retries.test_a_duplicate_of_a_rejection_that_still_waits_at_the_gate_is_rejected_too,
    ),
    (snapshots_do_not_wait, test_snapshots.test_a_snapshot_is_written_only_when_its_state_is_durable),
    (a_capture_is_never_thrown_away, test_snapshots.test_a_snapshot_of_what_was_never_committed_is_never_written),
    (a_crashed_cell_forgets_what_is_in_flight, test_cell.test_an_evolve_that_raises_costs_its_own_command_only),
    (a_crashed_cell_goes_on_with_half_a_state, test_cell.test_an_evolve_that_raises_costs_its_own_command_only),
    (a_restart_drops_the_mailbox, test_cell.test_an_evolve_that_raises_costs_its_own_command_only),
    (passivation_does_not_look, test_region.test_an_actor_with_anything_pending_stays_whatever_the_budget),
    (loading_does_not_wait_for_writes, test_loader.test_a_stream_whose_write_is_in_flight_is_not_loaded_before_its_end),
    (every_stream_is_loaded_alone, test_loader.test_a_hundred_streams_come_to_life_in_few_round_trips),
    (full_cells_go_on, test_cell.test_answers_that_wait_at_the_gate_are_bounded_too),
    (the_removed_stay, test_feeds.test_a_removed_follower_gets_nothing_of_what_comes_after_its_removal),
    (the_removed_may_finish_their_page, test_feeds.test_a_lagging_follower_is_cut_off_in_the_middle_of_catching_up),
    (old_audiences_close_new_places, test_feeds.test_an_older_change_of_the_audience_does_not_confuse_an_attachment),
    (one_stream_spoils_the_batch, test_retries.test_a_refused_stream_shows_nothing_of_what_was_refused),
]


async def run(check: Check) -> None:
    """A check that takes too long fails."""
    async with asyncio.timeout(TOO_LONG_S):
        outcome = check()
        if outcome is not None:
            await outcome


@pytest.mark.parametrize(("plant", "check"), MUTANTS, ids=[plant.__name__ for plant, _ in MUTANTS])
async def test_a_planted_bug_is_caught(plant: Plant, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    await run(check)
    with monkeypatch.context() as patch:
        plant(patch)
        with pytest.raises((Exception, asyncio.CancelledError)):
            await run(check)
