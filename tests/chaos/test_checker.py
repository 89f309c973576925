"""The checker finds every kind of violation when it is planted into a run that is otherwise in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from protocol.cursors import Cursor
from protocol.log import shard_of
from tests.chaos.checker import Kind, Violation, check
from tests.chaos.history import (
    Accepted,
    Attempt,
    Following,
    Head,
    History,
    Log,
    LogEntry,
    Operation,
    Rejected,
    SeenEntry,
    seen_entry,
)

STREAM = "project/0190c42e-0000-7000-8000-000000000001"
SHARD = shard_of(STREAM)
AT = "2026-01-31T12:00:00.000Z"


def op(number: int) -> str:
    return f"0190c42e-0000-7000-8000-{number:012d}"


def entry(seq: int, epoch: int) -> LogEntry:
    """Entry 1 creates the project, the others tasks."""
    wire = {
        "seq": seq,
        "epoch": epoch,
        "opId": op(seq),
        "author": op(500),
        "at": AT,
        "recordedAt": AT,
        "events": [_created() if seq == 1 else _task(seq)],
    }
    return LogEntry(SHARD, seq, STREAM, seq, epoch, op(seq), wire)


def _created() -> dict[str, Any]:
    project = {"id": STREAM[8:], "name": "Apollo", "updatedAt": AT}
    return {"kind": "ProjectCreated", "version": 1, "data": {"project": project}}


def _task(seq: int) -> dict[str, Any]:
    return {"kind": "TaskCreated", "version": 1, "data": {"task": {"id": op(seq), "number": seq - 1}}}


def acked(seq: int, epoch: int, client: str = "ada") -> Operation:
    """Sent at `seq`, acknowledged half a second later."""
    answer = Accepted(seq, epoch, AT, {})
    return Operation(client, op(seq), STREAM, "CreateTask", [Attempt(epoch, seq, seq + 0.5, answer)])


def state_as_of(seq: int) -> list[dict[str, Any]]:
    tasks = [_task(number)["data"]["task"] for number in range(2, seq + 1)]
    counters = {"nextTaskNumber": max(seq, 1), "contentAt": AT if seq > 1 else "", "live": seq > 1}
    return [{"counters": counters}, {"project": _created()["data"]["project"]}, {"tasks": tasks}]


class Run:
    """A run in order: six entries, the last two of a second epoch; a retried, a rejected and an unknown operation; a
    follower that resumes, and one that starts with a snapshot. Tests break it."""

    def __init__(self) -> None:
        self.entries = [entry(seq, 1 if seq <= 4 else 2) for seq in range(1, 7)]
        self.heads = {shard: Head(0, 2) for shard in range(128)} | {SHARD: Head(6, 2)}
        self.operations = [acked(e.seq, e.epoch) for e in self.entries[:5]]
        self.operations[4].attempts.insert(0, Attempt(1, 4.9))
        self.operations[3].attempts.append(Attempt(2, 5.6, 5.7, Accepted(4, 1, AT, {})))
        self.operations.append(Operation("bob", op(6), STREAM, "CreateTask", [Attempt(2, 5.9)]))
        self.operations.append(
            Operation("bob", op(7), STREAM, "CreateTask", [Attempt(2, 6.0, 6.1, Rejected("invalid"))])
        )
        seen = [seen_entry(e.wire) for e in self.entries]
        self.resumed = Following("eve", STREAM, Cursor(2, 1), "resume", Cursor(2, 1), seen=seen[2:])
        self.started = Following("mallory", STREAM, None, "snapshot", Cursor(3, 1), seen=seen[3:])
        self.started.parts, self.started.parts_promised = list(state_as_of(3)), 3

    def check(self) -> list[Violation]:
        history = History(self.operations, [self.resumed, self.started])
        return check(history, Log(self.entries, self.heads))


def test_a_run_in_order_has_no_violation() -> None:
    assert Run().check() == []


def test_an_empty_run_has_no_violation() -> None:
    assert check(History(), Log([], {shard: Head(0, 0) for shard in range(128)})) == []


def _hole_in_seq(run: Run) -> None:
    run.entries[5] = replace(run.entries[5], seq=7)


def _hole_in_pos(run: Run) -> None:
    run.entries[5] = replace(run.entries[5], pos=7)
    run.heads[SHARD] = Head(7, 2)


def _other_shard(run: Run) -> None:
    run.entries[5] = replace(run.entries[5], shard=(SHARD + 1) % 128)


def _head_ahead(run: Run) -> None:
    run.heads[SHARD] = Head(9, 2)


def _head_unknown(run: Run) -> None:
    del run.heads[SHARD]


def _old_epoch_behind_a_new_one(run: Run) -> None:
    """What a process does that writes after it was fenced off."""
    run.entries[5] = replace(run.entries[5], epoch=1)


def _shard_behind_its_entries(run: Run) -> None:
    run.heads[SHARD] = Head(6, 1)


def _doubled(run: Run) -> None:
    run.entries[5] = replace(run.entries[5], op_id=op(2))


def _lost(run: Run) -> None:
    del run.entries[5]
    run.heads[SHARD] = Head(5, 2)
    run.operations[5].attempts[0] = Attempt(2, 5.9, 6.0, Accepted(6, 2, AT, {}))


def _ack_of_another_seq(run: Run) -> None:
    run.operations[1].attempts[0].answer = Accepted(3, 1, AT, {})


def _ack_of_another_epoch(run: Run) -> None:
    run.operations[1].attempts[0].answer = Accepted(2, 2, AT, {})


def _rejected_and_there(run: Run) -> None:
    run.operations[1].attempts[0].answer = Rejected("forbidden")


def _accepted_then_rejected(run: Run) -> None:
    """A server that has forgotten the first answer."""
    run.operations[3].attempts[1].answer = Rejected("already_exists")


def _another_result_for_the_retry(run: Run) -> None:
    run.operations[3].attempts[1].answer = Accepted(4, 1, AT, {"taskId": "another"})


def _overtaken(run: Run) -> None:
    """Sent when a later entry had been acknowledged."""
    run.operations[1].attempts[0] = Attempt(1, 3.6, 3.7, Accepted(2, 1, AT, {}))


def _unknown_overtaken(run: Run) -> None:
    """The same for one whose ack never came."""
    run.operations[1].attempts[0] = Attempt(1, 3.6)


def _out_of_nowhere(run: Run) -> None:
    del run.operations[5]


def _resumed_elsewhere(run: Run) -> None:
    run.resumed.cursor = Cursor(3, 1)
    del run.resumed.seen[0]


def _resumed_at_a_lost_future(run: Run) -> None:
    run.resumed.asked = run.resumed.cursor = Cursor(2, 9)


def _state_of_a_lost_future(run: Run) -> None:
    run.started.cursor = Cursor(3, 9)


def _reset_for_nothing(run: Run) -> None:
    run.started.asked, run.started.mode, run.started.reason = Cursor(2, 1), "reset", "epoch"


def _gap(run: Run) -> None:
    del run.resumed.seen[1]


def _gap_at_the_beginning(run: Run) -> None:
    del run.started.seen[0]


def _double(run: Run) -> None:
    run.resumed.seen.insert(2, run.resumed.seen[1])


def _double_of_the_snapshot(run: Run) -> None:
    run.started.seen.insert(0, seen_entry(run.entries[2].wire))


def _future_that_never_was(run: Run) -> None:
    run.resumed.seen.append(SeenEntry(7, 2, op(9), b"never committed"))


def _other_operation(run: Run) -> None:
    """An entry that was published and then replaced by another one."""
    run.resumed.seen[1] = run.resumed.seen[1]._replace(op_id=op(9))


def _other_bytes(run: Run) -> None:
    run.resumed.seen[1] = run.resumed.seen[1]._replace(digest=b"something else")


def _other_epoch(run: Run) -> None:
    run.resumed.seen[1] = run.resumed.seen[1]._replace(epoch=2)


def _snapshot_ahead(run: Run) -> None:
    """A state that holds an entry which its cursor does not name."""
    run.started.parts = list(state_as_of(4))


def _snapshot_behind(run: Run) -> None:
    run.started.parts = list(state_as_of(2))


PLANTED: list[tuple[Callable[[Run], None], Kind]] = [
    (_hole_in_seq, Kind.SEQ_NOT_DENSE),
    (_hole_in_pos, Kind.POS_NOT_DENSE),
    (_other_shard, Kind.WRONG_SHARD),
    (_head_ahead, Kind.WRONG_HEAD),
    (_head_unknown, Kind.WRONG_HEAD),
    (_old_epoch_behind_a_new_one, Kind.EPOCH_FELL),
    (_shard_behind_its_entries, Kind.EPOCH_FELL),
    (_doubled, Kind.OP_TWICE),
    (_lost, Kind.ACK_LOST),
    (_ack_of_another_seq, Kind.ACK_ELSEWHERE),
    (_ack_of_another_epoch, Kind.ACK_ELSEWHERE),
    (_rejected_and_there, Kind.REJECTED_IN_LOG),
    (_accepted_then_rejected, Kind.REJECTED_IN_LOG),
    (_accepted_then_rejected, Kind.ANSWERS_DIFFER),
    (_another_result_for_the_retry, Kind.ANSWERS_DIFFER),
    (_overtaken, Kind.OUT_OF_ORDER),
    (_unknown_overtaken, Kind.OUT_OF_ORDER),
    (_out_of_nowhere, Kind.NOT_ASKED_FOR),
    (_resumed_elsewhere, Kind.WRONG_CURSOR),
    (_resumed_at_a_lost_future, Kind.WRONG_CURSOR),
    (_state_of_a_lost_future, Kind.WRONG_CURSOR),
    (_reset_for_nothing, Kind.NEEDLESS_RESET),
    (_gap, Kind.FOLLOWER_GAP),
    (_gap_at_the_beginning, Kind.FOLLOWER_GAP),
    (_double, Kind.FOLLOWER_DOUBLE),
    (_double_of_the_snapshot, Kind.FOLLOWER_DOUBLE),
    (_future_that_never_was, Kind.FOLLOWER_PHANTOM),
    (_other_operation, Kind.FOLLOWER_PHANTOM),
    (_other_bytes, Kind.WRONG_CONTENT),
    (_other_epoch, Kind.WRONG_CONTENT),
    (_snapshot_ahead, Kind.WRONG_SNAPSHOT),
    (_snapshot_behind, Kind.WRONG_SNAPSHOT),
]


@pytest.mark.parametrize(("plant", "kind"), PLANTED, ids=[f"{plant.__name__}-{kind.name}" for plant, kind in PLANTED])
def test_a_planted_violation_is_found(plant: Callable[[Run], None], kind: Kind) -> None:
    run = Run()
    plant(run)
    assert kind in {violation.kind for violation in run.check()}


def test_every_kind_of_violation_is_planted() -> None:
    assert {kind for _, kind in PLANTED} == set(Kind)


def test_a_reset_is_in_order_where_the_cursor_is_not_in_the_log_or_too_far_behind() -> None:
    run = Run()
    run.started.mode = "reset"
    run.started.asked, run.started.reason = Cursor(2, 9), "epoch"
    assert run.check() == []
    run.started.asked, run.started.reason = Cursor(2, 1), "behind"
    assert run.check() == []


def test_commands_that_overlap_may_stand_in_any_order() -> None:
    run = Run()
    run.operations[1].attempts[0] = Attempt(1, 2.4, 9.0, Accepted(2, 1, AT, {}))
    assert run.check() == []
