"""What is done to several tasks of a series is taken back, done again and taken back again, to exactly what was."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.errors import ErrorCode
from protocol.event import Command
from protocol.tasks import DeleteTask, EditTask, EditTasks, Recurrence, RestoreTask
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import UndoCommand
from tests.actors.given import MEMBER, OWNER, TASK, Life, broken, happened, refused
from tests.actors.undoing import facts_of, newest, redo, restore, seen, undo
from tests.features.test_series import DAILY, WEEKLY, a_series, carriers, completed

MONTHLY: Recurrence = {"every": 1, "unit": "month"}


def two_by_hand() -> tuple[Life, str, str]:
    """A task that was reopened and given a recurrence by hand, beside the next one, which has its own."""
    life = a_series()
    _, following = completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo", recurrence=DAILY)))
    return life, TASK, following


def without_made(life: Life, then: dict[str, Any]) -> dict[str, Any]:
    """What is seen, but for the tombstones of tasks that were made since."""
    now = seen(life)
    made = {one: task for one, task in now["tasks"].items() if one not in then["tasks"]}
    assert all(task["deletedAt"] for task in made.values()), "what was made since is still there"
    return {**now, "tasks": {one: task for one, task in now["tasks"].items() if one not in made}}


def goes_there_and_back(life: Life, before: dict[str, Any]) -> None:
    """The newest command is undone, redone, undone and redone."""
    seq, after = newest(life), seen(life)
    for _ in range(2):
        happened(undo(life, seq, MEMBER))
        assert without_made(life, before) == before
        happened(redo(life, seq, MEMBER))
        assert seen(life) == after


TWO_AT_ONCE: list[list[tuple[int, dict[str, Any]]]] = [
    [(0, {"recurrence": WEEKLY}), (1, {"recurrence": None})],
    [(1, {"recurrence": None}), (0, {"recurrence": WEEKLY})],
    [(0, {"recurrence": WEEKLY}), (1, {"state_id": "done"})],
    [(1, {"state_id": "done"}), (0, {"recurrence": WEEKLY})],
    [(0, {"recurrence": WEEKLY, "state_id": "done"}), (1, {"state_id": "done"})],
    [(0, {"recurrence": WEEKLY}), (1, {"recurrence": None, "state_id": "done"})],
]


@pytest.mark.parametrize("edits", TWO_AT_ONCE)
def test_what_one_command_handed_over_goes_back_and_forth(edits: list[tuple[int, dict[str, Any]]]) -> None:
    life = a_series()
    _, following = completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo")))
    before, tasks = seen(life), (TASK, following)
    life.given((MEMBER, EditTasks(edits=[EditTask(task_id=tasks[one], **changes) for one, changes in edits])))
    goes_there_and_back(life, before)


def test_two_that_one_command_completed_are_open_again_as_often_as_it_is_undone() -> None:
    life, first, second = two_by_hand()
    before = seen(life)
    life.given((MEMBER, EditTasks(edits=[EditTask(task_id=one, state_id="done") for one in (first, second)])))
    goes_there_and_back(life, before)


def _ends(task_id: str) -> list[Command]:
    """What takes a recurrence from a task, or gives it another one."""
    edits: list[dict[str, Any]] = [{"state_id": "done"}, {"recurrence": None}, {"recurrence": WEEKLY}]
    return [DeleteTask(task_id=task_id), *(EditTask(task_id=task_id, **changes) for changes in edits)]


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("second", range(4))
def test_what_was_done_to_both_of_two_by_hand_comes_back_the_newest_first(first: int, second: int) -> None:
    life, one, other = two_by_hand()
    states, seqs = [seen(life)], list[int]()
    for command in (_ends(other)[first], _ends(one)[second]):
        life.given((MEMBER, command))
        seqs.append(newest(life))
        states.append(seen(life))
    for _ in range(2):
        for place in (1, 0):
            if states[place + 1] == states[place]:
                continue
            happened(undo(life, seqs[place], MEMBER))
            assert without_made(life, states[place]) == states[place]
        for place in (0, 1):
            if states[place + 1] == states[place]:
                continue
            happened(redo(life, seqs[place], MEMBER))
            assert without_made(life, states[place + 1]) == states[place + 1]


@pytest.mark.parametrize("is_project", [False, True])
@pytest.mark.parametrize("steps", ["delete by-hand", "by-hand delete", "by-hand change delete"])
def test_a_way_back_to_a_tombstone_goes_back_and_forth(steps: str, is_project: bool) -> None:
    life = a_series()
    _, following = completed(life)
    commands: dict[str, Command] = {
        "by-hand": EditTask(task_id=TASK, recurrence=DAILY),
        "change": EditTask(task_id=following, recurrence=MONTHLY),
        "delete": DeleteTask(task_id=following),
    }
    life.given(*((MEMBER, commands[step]) for step in steps.split()))
    point = newest(life)
    life.given((MEMBER, RestoreTask(task_id=following)), (MEMBER, EditTask(task_id=following, recurrence=MONTHLY)))
    before = seen(life)
    command = RestoreProjectTo(as_of=point) if is_project else RestoreTaskTo(task_id=following, as_of=point)
    by = OWNER if is_project else MEMBER
    happened(restore(life, command, by))
    seq, after = newest(life), seen(life)
    assert carriers(life) == {TASK: DAILY}
    for turn, expected in ((undo, before), (redo, after), (undo, before)):
        happened(turn(life, seq, by))
        assert seen(life) == expected


def test_a_restoration_is_done_again_though_another_one_of_the_series_was_away_meanwhile() -> None:
    life, first, second = two_by_hand()
    life.given((MEMBER, DeleteTask(task_id=second)), (MEMBER, RestoreTask(task_id=second)))
    meant = newest(life)
    for turn in (undo, redo, undo, redo):
        life.given((MEMBER, DeleteTask(task_id=first)))
        happened(undo(life, newest(life), MEMBER))
        happened(turn(life, meant, MEMBER))
        assert first in carriers(life)
    assert carriers(life) == {first: DAILY}


def test_of_two_that_come_back_together_the_one_that_had_the_recurrence_then_has_it_again() -> None:
    life = a_series()
    point = newest(life)
    _, second = completed(life)
    meant, third = completed(life, second, OWNER)
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    gone_back = newest(life)
    happened(undo(life, meant, OWNER))
    assert life.state.tasks[second]["recurrence"] == WEEKLY, "a tombstone has what it had before it was completed"
    happened(undo(life, gone_back, OWNER))
    assert carriers(life) == {third: WEEKLY}


def test_the_past_is_looked_at_only_where_two_would_have_the_recurrence() -> None:
    life = a_series()
    meant, following = completed(life)
    command = UndoCommand(op_id=life.entries[meant - 1].op_id)
    assert "carriersThen" not in facts_of(life, command)
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=DAILY)), (MEMBER, EditTask(task_id=TASK, recurrence=None)))
    taken = UndoCommand(op_id=life.entries[-1].op_id)
    assert facts_of(life, taken)["carriersThen"] == {TASK: [TASK, following]}


def test_who_came_by_the_recurrence_while_the_past_was_looked_at_makes_one_try_again() -> None:
    life = a_series()
    meant, following = completed(life)
    life.given((MEMBER, DeleteTask(task_id=following)))
    command = UndoCommand(op_id=life.entries[meant - 1].op_id)
    known = facts_of(life, command)
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=None)), (MEMBER, RestoreTask(task_id=following)))
    _, third = completed(life, following)
    assert refused(life.send(command, MEMBER, facts=known)) == (ErrorCode.UNAVAILABLE, None)
    assert refused(undo(life, meant, MEMBER)) == broken("next_came_again")
    assert carriers(life) == {third: WEEKLY}
