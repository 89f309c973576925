"""Planted bugs: each of them has to be caught by a test of this folder, or a promise is unguarded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from tests.actors.runtime import (
    planted,
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
from tests.actors.runtime.notes import edit

Plant = Callable[[pytest.MonkeyPatch], None]
Check = Callable[[], Awaitable[None] | None]

TOO_LONG_S = 1.0
"""A check that does not end by then has caught its bug too: somebody is never answered."""


REPEAT = edit(1, "once")
retry_again = partial(test_retries.test_a_retry_gets_the_first_answer, command=REPEAT)

MUTANTS: list[tuple[Plant, Check]] = [
    (planted.ack_before_commit, test_cell.test_nobody_hears_anything_before_the_commit),
    (planted.rejections_pass_the_gate, test_cell.test_nobody_hears_anything_before_the_commit),
    (planted.gate_opens_one_too_far, test_lane.test_a_lost_shard_is_given_up_and_the_others_go_on),
    (planted.broadcast_before_acks, test_cell.test_acks_leave_before_the_broadcast_and_the_broadcast_before_consumers),
    (planted.ring_takes_the_head_twice, test_hub.test_what_is_not_new_wakes_nobody),
    (
        planted.ring_reaches_one_too_far,
        test_ring.test_at_the_head_there_is_nothing_and_before_the_ring_there_is_no_answer,
    ),
    (planted.ring_ignores_gaps, test_ring.test_a_gap_makes_it_forget_what_was_before),
    (
        planted.unknown_means_committed,
        partial(test_lane.test_an_unknown_outcome_is_looked_up_under_a_new_epoch, "never"),
    ),
    (
        planted.unknown_means_not_committed,
        partial(test_lane.test_an_unknown_outcome_is_looked_up_under_a_new_epoch, "applied"),
    ),
    (
        planted.unknown_is_looked_at_before_the_backend_ended,
        partial(test_lane.test_an_unknown_outcome_is_looked_up_under_a_new_epoch, "late"),
    ),
    (
        planted.the_claim_keeps_the_old_epoch,
        partial(test_lane.test_an_unknown_outcome_is_looked_up_under_a_new_epoch, "never"),
    ),
    (planted.a_refusal_is_nobodys_business, test_retries.test_a_refused_stream_shows_nothing_of_what_was_refused),
    (
        planted.refused_op_ids_are_forgotten,
        test_retries.test_a_repeated_op_id_costs_the_49_others_of_its_batch_one_repeat_and_no_ack,
    ),
    (planted.dead_incarnations_go_on_writing, test_lane.test_what_a_dead_incarnation_queued_is_never_written),
    (planted.a_lost_shard_is_kept, test_lane.test_a_lost_shard_is_given_up_and_the_others_go_on),
    (planted.dedup_is_forgotten_on_reload, partial(retry_again, again="after a restart", kind="now", forgotten=False)),
    (planted.dedup_is_forgotten_in_snapshots, test_snapshots.test_a_retry_is_known_from_the_snapshot),
    (planted.dedup_never_doubts_its_memory, partial(retry_again, again="same node", kind="UUIDv5", forgotten=True)),
    (planted.digests_are_not_compared, test_retries.test_a_reused_op_id_of_what_is_in_flight_waits_for_the_commit),
    (
        planted.a_reused_op_id_precedes_permission,
        partial(test_retries.test_an_op_id_of_another_command_tells_a_stranger_nothing_of_the_stream, "memory"),
    ),
    (
        planted.the_state_is_kept_half_changed,
        partial(test_halted.test_an_entry_that_half_changes_the_state_leaves_no_trace, 1_000, 500),
    ),
    (
        planted.catching_up_goes_beyond_the_halted_state,
        partial(test_halted.test_entries_that_can_be_read_and_not_folded_are_not_shown_either, 0),
    ),
    (
        planted.the_repaired_tell_nobody,
        test_halted.test_after_a_repair_followers_get_what_was_missing_and_only_those_who_may,
    ),
    (
        planted.rejections_are_not_remembered,
        test_retries.test_a_duplicate_of_a_rejected_command_is_rejected_though_the_state_has_changed,
    ),
    (
        planted.rejections_at_the_gate_are_not_remembered,
        test_retries.test_a_duplicate_of_a_rejection_that_still_waits_at_the_gate_is_rejected_too,
    ),
    (planted.snapshots_do_not_wait, test_snapshots.test_a_snapshot_is_written_only_when_its_state_is_durable),
    (
        planted.a_capture_is_never_thrown_away,
        test_snapshots.test_a_snapshot_of_what_was_never_committed_is_never_written,
    ),
    (planted.a_crashed_cell_forgets_what_is_in_flight, test_cell.test_an_evolve_that_raises_costs_its_own_command_only),
    (planted.a_crashed_cell_goes_on_with_half_a_state, test_cell.test_an_evolve_that_raises_costs_its_own_command_only),
    (planted.a_restart_drops_the_mailbox, test_cell.test_an_evolve_that_raises_costs_its_own_command_only),
    (planted.passivation_does_not_look, test_region.test_an_actor_with_anything_pending_stays_whatever_the_budget),
    (
        planted.loading_does_not_wait_for_writes,
        test_loader.test_a_stream_whose_write_is_in_flight_is_not_loaded_before_its_end,
    ),
    (planted.every_stream_is_loaded_alone, test_loader.test_a_hundred_streams_come_to_life_in_few_round_trips),
    (planted.full_cells_go_on, test_cell.test_answers_that_wait_at_the_gate_are_bounded_too),
    (
        planted.who_comes_overtakes_who_waits,
        test_cell.test_what_comes_between_a_commit_and_the_next_turn_does_not_overtake_what_waits,
    ),
    (
        planted.full_cells_take_what_comes,
        test_cell.test_a_full_cell_without_a_turn_to_come_takes_nothing_at_once,
    ),
    (
        planted.old_op_ids_are_not_looked_up,
        test_retries.test_an_op_id_from_before_the_memory_is_looked_up_and_nothing_is_tried,
    ),
    (
        planted.lanes_are_settled_at_once,
        test_loader.test_a_stream_whose_actor_was_let_go_in_mid_write_is_loaded_after_the_write,
    ),
    (planted.the_removed_stay, test_feeds.test_a_removed_follower_gets_nothing_of_what_comes_after_its_removal),
    (
        planted.the_removed_may_finish_their_page,
        test_feeds.test_a_lagging_follower_is_cut_off_in_the_middle_of_catching_up,
    ),
    (
        planted.old_audiences_close_new_places,
        test_feeds.test_an_older_change_of_the_audience_does_not_confuse_an_attachment,
    ),
    (planted.one_stream_spoils_the_batch, test_retries.test_a_refused_stream_shows_nothing_of_what_was_refused),
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
