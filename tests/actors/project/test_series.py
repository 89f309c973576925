"""Who asks whether a series goes on looks at that series alone, however many there are and have been."""

from __future__ import annotations

from collections import Counter
from typing import Any, NoReturn

import pytest

from actors.project import carriers, series
from actors.project.state import Handover, ProjectState
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, Recurrence, RestoreTask
from protocol.timetravel import RestoreProjectTo
from tests.actors.given import MEMBER, OWNER, TASK, Life, a_team, happened
from tests.actors.undoing import newest, restore, undo

WEEKLY: Recurrence = {"every": 1, "unit": "week"}
LONG = 40


class Handovers(dict[str, Handover]):
    """Those of a project's whole life."""

    def items(self) -> NoReturn:
        """Raises AssertionError."""
        pytest.fail("all handovers were looked at")

    __iter__ = keys = values = items


def a_long_series() -> tuple[Life, list[str]]:
    """Tasks that came one after the other; the last one has the recurrence."""
    life, tasks = a_team(), [TASK]
    life.given((MEMBER, CreateTask(task_id=TASK, title="Water", recurrence=WEEKLY, due_date="2026-12-01")))
    for _ in range(LONG):
        life.given((MEMBER, EditTask(task_id=tasks[-1], state_id="done")))
        tasks.append(list(life.state.tasks)[-1])
    return life, tasks


def edit_all(life: Life, tasks: list[str], recurrence: Recurrence | None) -> None:
    life.given((MEMBER, EditTasks(edits=[EditTask(task_id=one, recurrence=recurrence) for one in tasks])))


def test_no_command_goes_through_all_handovers() -> None:
    life, tasks = a_long_series()
    life.state.came_after = Handovers(life.state.came_after)
    happened(restore(life, RestoreProjectTo(as_of=newest(life) - LONG), OWNER))
    assert list(life.state.carriers.values()) == [{TASK}]
    happened(undo(life, newest(life), OWNER))
    life.given((MEMBER, DeleteTask(task_id=tasks[-1])), (MEMBER, RestoreTask(task_id=tasks[-1])))
    assert list(life.state.carriers.values()) == [{tasks[-1]}]


@pytest.mark.parametrize(("place", "question"), [(series, "_taken_up"), (carriers, "first_of")])
def test_many_by_hand_in_one_series_are_looked_at_a_few_times_each(
    monkeypatch: pytest.MonkeyPatch, place: Any, question: str
) -> None:
    """By a restoration, and by an undo."""
    life, tasks = a_long_series()
    edit_all(life, tasks, WEEKLY)
    point = newest(life)
    edit_all(life, tasks[::2], None)
    looks = Counter[str]()
    look = getattr(place, question)

    def counted(state: ProjectState, task_id: str) -> Any:
        looks[task_id] += 1
        return look(state, task_id)

    monkeypatch.setattr(place, question, counted)
    happened(
        undo(life, newest(life), MEMBER) if place is carriers else restore(life, RestoreProjectTo(as_of=point), OWNER)
    )
    assert list(life.state.carriers.values()) == [set(tasks)]
    assert 0 < looks.total() <= 3 * len(tasks)
