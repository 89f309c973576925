"""A series goes on in one task at a time, whatever is taken back, brought back or restored."""

from __future__ import annotations

import pytest

from actors.runtime.actor import restored
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, Recurrence, RestoreTask, TaskEdited
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from tests.actors.given import ADMIN, MEMBER, OWNER, TASK, Life, a_team, broken, happened, refused
from tests.actors.undoing import facts_of, newest, redo, restore, seen, undo

WEEKLY: Recurrence = {"every": 1, "unit": "week"}
DAILY: Recurrence = {"every": 1, "unit": "day"}
CAME_AGAIN = broken("came_again")


def a_series() -> Life:
    """A task that comes again every week."""
    life = a_team()
    life.given((MEMBER, CreateTask(task_id=TASK, title="Water", recurrence=WEEKLY, due_date="2026-12-01")))
    return life


def completed(life: Life, task_id: str = TASK, by: Principal = MEMBER) -> tuple[int, str]:
    """The entry that completed the task, and the next one."""
    life.given((by, EditTask(task_id=task_id, state_id="done")))
    return newest(life), list(life.state.tasks)[-1]


def carriers(life: Life) -> dict[str, Recurrence]:
    """The tasks that are there and have a recurrence."""
    tasks = life.state.tasks.values()
    return {one["id"]: one["recurrence"] for one in tasks if one["recurrence"] and one["deletedAt"] is None}


def test_a_task_goes_back_without_the_recurrence_that_the_next_one_has() -> None:
    life = a_series()
    point = newest(life)
    _, following = completed(life)
    before = seen(life)
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), MEMBER))
    assert marker.left == ["recurrence"]
    assert life.state.tasks[TASK]["stateId"] == "backlog"
    assert carriers(life) == {following: WEEKLY}
    happened(undo(life, newest(life), MEMBER))
    assert seen(life) == before


def test_a_task_has_its_recurrence_back_where_the_next_one_is_gone() -> None:
    life = a_series()
    point = newest(life)
    _, following = completed(life)
    life.given((MEMBER, DeleteTask(task_id=following)))
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), MEMBER))
    assert (marker.left, carriers(life)) == ([], {TASK: WEEKLY})
    life.given((MEMBER, RestoreTask(task_id=following)))
    assert carriers(life) == {TASK: WEEKLY}


def test_another_rule_comes_back_to_the_task_that_has_one() -> None:
    life = a_series()
    point = newest(life)
    completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=DAILY)))
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), MEMBER))
    assert marker.left == []
    assert life.state.tasks[TASK]["recurrence"] == WEEKLY


def test_a_project_goes_back_with_the_recurrence_and_without_the_next_one() -> None:
    life = a_series()
    point = newest(life)
    _, following = completed(life)
    completed(life, following)
    [marker, *_] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert (marker.left, carriers(life)) == ([], {TASK: WEEKLY})
    life.given((MEMBER, RestoreTask(task_id=following)))
    assert carriers(life) == {TASK: WEEKLY}


def test_a_project_that_had_two_by_hand_has_two_again() -> None:
    life = a_series()
    completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=DAILY)))
    point, then = newest(life), carriers(life)
    life.given(*((MEMBER, DeleteTask(task_id=one)) for one in then))
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert (carriers(life), len(then)) == (then, 2)


def test_two_by_hand_of_which_one_was_away_are_two_again() -> None:
    life = a_series()
    _, following = completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=DAILY)))
    point, then = newest(life), carriers(life)
    life.given(
        (MEMBER, EditTask(task_id=TASK, recurrence=None)),
        (MEMBER, DeleteTask(task_id=following)),
        (MEMBER, RestoreTask(task_id=following)),
    )
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert (carriers(life), len(then)) == (then, 2)


def test_a_recurrence_that_went_on_while_the_project_was_compared_stays_where_it_is() -> None:
    life = a_series()
    point = newest(life)
    _, second = completed(life)
    command = RestoreProjectTo(as_of=point)
    compared = facts_of(life, command)
    _, third = completed(life, second, ADMIN)
    before = seen(life)
    [marker, *_] = happened(life.send(command, OWNER, facts=compared))
    assert (marker.left, carriers(life)) == (["recurrence"], {third: WEEKLY})
    assert life.state.tasks[TASK]["stateId"] == "backlog"
    happened(undo(life, newest(life), OWNER))
    assert seen(life) == before
    [marker, *_] = happened(restore(life, command, OWNER))
    assert (marker.left, carriers(life)) == ([], {TASK: WEEKLY})


def test_a_tombstone_comes_back_without_the_recurrence_that_went_on_meanwhile() -> None:
    life = a_series()
    point = newest(life)
    _, second = completed(life)
    life.given((MEMBER, DeleteTask(task_id=TASK)))
    command = RestoreProjectTo(as_of=point)
    compared = facts_of(life, command)
    _, third = completed(life, second, ADMIN)
    [marker, *_] = happened(life.send(command, OWNER, facts=compared))
    assert (marker.left, carriers(life)) == (["recurrence"], {third: WEEKLY})
    assert life.state.tasks[TASK]["deletedAt"] is None


def test_no_entry_on_the_way_back_ends_with_the_recurrence_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.project.rewinding.EVENTS_MAX", 1)
    life = a_series()
    meant, following = completed(life)
    happened(undo(life, meant, MEMBER))
    point = newest(life)
    life.given((MEMBER, DeleteTask(task_id=TASK)), (MEMBER, RestoreTask(task_id=following)))
    assert carriers(life) == {following: WEEKLY}
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert carriers(life) == {}
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert carriers(life) == {TASK: WEEKLY}


def test_the_next_one_is_restored_without_the_recurrence_that_the_first_has_again() -> None:
    life = a_series()
    meant, following = completed(life)
    happened(undo(life, meant, MEMBER))
    before = seen(life)
    [_, edited] = happened(life.send(RestoreTask(task_id=following), OWNER))
    assert edited == TaskEdited(task_id=following, changes={"recurrence": None}, was={"recurrence": WEEKLY})
    assert carriers(life) == {TASK: WEEKLY}
    happened(undo(life, newest(life), OWNER))
    assert seen(life) == before
    life.given((OWNER, RestoreTask(task_id=following)))
    assert carriers(life) == {TASK: WEEKLY}


def test_the_next_one_goes_back_without_the_recurrence_that_the_first_has_again() -> None:
    life = a_series()
    meant, following = completed(life)
    happened(undo(life, meant, MEMBER))
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=following, as_of=meant), MEMBER))
    assert marker.left == ["recurrence"]
    assert carriers(life) == {TASK: WEEKLY}


def test_a_deletion_that_is_taken_back_brings_no_second_recurrence() -> None:
    life = a_series()
    meant, following = completed(life)
    life.given((OWNER, DeleteTask(task_id=following)))
    deleted = newest(life)
    happened(undo(life, meant, MEMBER))
    happened(undo(life, deleted, OWNER))
    assert life.state.tasks[following]["deletedAt"] is None
    assert carriers(life) == {TASK: WEEKLY}


def test_a_deletion_of_one_of_two_by_hand_is_taken_back_whole() -> None:
    life = a_series()
    _, following = completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=DAILY)))
    before = seen(life)
    for task_id in (TASK, following):
        life.given((MEMBER, DeleteTask(task_id=task_id)))
        happened(undo(life, newest(life), MEMBER))
        assert seen(life) == before


def test_a_completion_is_not_done_again_after_another_one() -> None:
    life = a_series()
    first, _ = completed(life)
    happened(undo(life, first, MEMBER))
    second, following = completed(life)
    assert refused(redo(life, first, MEMBER)) == CAME_AGAIN
    assert carriers(life) == {following: WEEKLY}
    happened(undo(life, second, MEMBER))
    happened(redo(life, first, MEMBER))
    assert len(carriers(life)) == 1


@pytest.mark.parametrize("rule", [DAILY, None])
def test_a_change_of_the_recurrence_is_not_taken_back_from_a_task_that_came_again(rule: Recurrence | None) -> None:
    life = a_series()
    life.given((MEMBER, EditTask(task_id=TASK, title="Water them", recurrence=rule)))
    changed = newest(life)
    if rule is None:
        life.given((MEMBER, EditTask(task_id=TASK, recurrence=DAILY)))
    meant, following = completed(life)
    assert refused(undo(life, changed, MEMBER)) == CAME_AGAIN
    assert carriers(life) == {following: DAILY}
    happened(undo(life, meant, MEMBER))
    happened(undo(life, changed, MEMBER))
    assert carriers(life) == {TASK: WEEKLY}


def test_a_change_is_not_done_again_on_a_task_that_came_back_without_the_recurrence() -> None:
    life = a_series()
    point = newest(life)
    _, following = completed(life)
    life.given((MEMBER, EditTask(task_id=following, recurrence=DAILY)))
    changed = newest(life)
    life.given((MEMBER, DeleteTask(task_id=following)))
    happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), MEMBER))
    happened(undo(life, changed, MEMBER))
    life.given((MEMBER, RestoreTask(task_id=following)))
    assert refused(redo(life, changed, MEMBER)) == CAME_AGAIN
    assert carriers(life) == {TASK: WEEKLY}


def test_a_reopened_task_comes_no_more() -> None:
    life = a_series()
    _, following = completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo")), (MEMBER, EditTask(task_id=TASK, state_id="done")))
    assert carriers(life) == {following: WEEKLY}


def test_a_recurrence_set_by_hand_is_undone_and_redone_beside_the_next_one() -> None:
    life = a_series()
    _, following = completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo", recurrence=DAILY)))
    by_hand = newest(life)
    happened(undo(life, by_hand, MEMBER))
    assert carriers(life) == {following: WEEKLY}
    happened(redo(life, by_hand, MEMBER))
    again, later = completed(life)
    assert carriers(life) == {following: WEEKLY, later: DAILY}
    happened(undo(life, again, MEMBER))
    assert carriers(life) == {TASK: DAILY, following: WEEKLY}


def test_what_one_command_took_from_two_by_hand_comes_back_to_both() -> None:
    life = a_series()
    _, following = completed(life)
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=DAILY)))
    both = carriers(life)
    life.given((MEMBER, EditTasks(edits=[EditTask(task_id=one, recurrence=None) for one in both])))
    assert carriers(life) == {}
    happened(undo(life, newest(life), MEMBER))
    assert carriers(life) == both == {TASK: DAILY, following: WEEKLY}


def test_a_kept_state_knows_the_series() -> None:
    life = a_series()
    meant, following = completed(life)
    completed(life, following)
    kept = restored(life.actor, life.stream, life.actor.parts(life.state))
    assert kept == life.state == life.replayed()
    assert len(kept.came_after) == 2
    assert isinstance(undo(life, meant, MEMBER), Rejection)
