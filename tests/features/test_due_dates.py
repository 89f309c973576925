"""Due dates: when people are reminded, who they are, and what stops it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actors.project.decider import ProjectActor
from actors.runtime.actor import EntryMeta, TimerChange, TimerStep, TimersWoken, TimerWoken
from actors.runtime.timers import REST
from protocol.base import datetime_of, instant_of
from protocol.due_dates import DueDateNeared, RemindOfDueDate
from protocol.errors import ErrorCode
from protocol.event import OPERATOR, SYSTEM
from protocol.projects import ArchiveProject, DeleteProject, EditProject, RestoreProject, UnarchiveProject
from protocol.ranks import MoveTask
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.watchers import WatchTask
from tests.actors.given import (
    LATER,
    MEMBER,
    NOT_FOUND,
    OTHER_TASK,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_team,
    broken,
    happened,
    project_state,
    refused,
)
from tests.actors.undoing import newest, restore, undo

DUE = "2026-03-03"
"""The day after `LATER`."""
REMIND = RemindOfDueDate(task_id=TASK, due_date=DUE)


def a_due_task(**fields: Any) -> Life:
    life = a_team()
    life.given((MEMBER, CreateTask(task_id=TASK, title="File the report", due_date=DUE, **fields)))
    return life


def timers_of(life: Life, after: int = 0) -> list[TimerStep]:
    """What the log says about timers, in its order."""
    actor = ProjectActor()
    changes: list[TimerStep] = []
    for entry in life.entries[after:]:
        meta = EntryMeta(entry.seq, entry.op_id, entry.author, entry.at, entry.recorded_at)
        for event in life.events_json(entry):
            changes += actor.timers(event["kind"], event["data"], meta)
    return changes


def test_a_due_date_sets_a_timer_for_the_day_before() -> None:
    life = a_due_task()
    life.given((MEMBER, EditTask(task_id=TASK, due_date="2026-05-01")), (MEMBER, EditTask(task_id=TASK, due_date=None)))
    name = f"due:{TASK}"
    assert timers_of(life) == [
        TimerChange(name, "2026-03-02T00:00:00.000Z"),
        TimerChange(name, "2026-04-30T00:00:00.000Z"),
        TimerChange(name, None),
    ]


def test_a_date_that_had_passed_already_sets_none() -> None:
    life = a_team()
    life.given((MEMBER, CreateTask(task_id=TASK, title="Late", due_date="2026-02-28")))
    assert timers_of(life) == [TimerChange(f"due:{TASK}", None)]


def test_other_edits_leave_the_timer_alone() -> None:
    life = a_due_task()
    life.given((MEMBER, EditTask(task_id=TASK, title="File it")), (MEMBER, CreateTask(task_id=OTHER_TASK, title="x")))
    assert len(timers_of(life)) == 1


BACK = {
    "reopened": (EditTask(task_id=TASK, state_id="done"), EditTask(task_id=TASK, state_id="todo")),
    "reopened among others": (
        EditTask(task_id=TASK, state_id="cancelled"),
        EditTasks(edits=[EditTask(task_id=TASK, title="Again", state_id="in-progress")]),
    ),
    "moved back": (EditTask(task_id=TASK, state_id="done"), MoveTask(task_id=TASK, state_id="todo")),
    "restored": (DeleteTask(task_id=TASK), RestoreTask(task_id=TASK)),
}
"""Two commands: one after which the task is not due any more, and one after which it is again."""
PROJECT_BACK = {
    "unarchived": (ArchiveProject(), UnarchiveProject()),
    "active again": (EditProject(status="Archived"), EditProject(status="OnHold")),
    "project restored": (DeleteProject(), RestoreProject()),
}


@pytest.mark.parametrize(("away", "back"), BACK.values(), ids=BACK)
def test_a_task_that_comes_back_wakes_its_timer_and_is_due_as_before(away: Any, back: Any) -> None:
    life = a_due_task()
    life.given((OWNER, away))
    assert timers_of(life, len(life.entries) - 1) == []
    life.given((OWNER, back))
    assert timers_of(life, len(life.entries) - 1) == [TimerWoken(f"due:{TASK}")]
    assert happened(life.decide(REMIND, SYSTEM, now=LATER)) == [DueDateNeared(task_id=TASK, due_date=DUE)]


@pytest.mark.parametrize(
    ("away", "woken"),
    [
        (EditTask(task_id=TASK, state_id="done"), TimerWoken(f"due:{TASK}")),
        (DeleteTask(task_id=TASK), TimerWoken(f"due:{TASK}")),
        (ArchiveProject(), TimersWoken("due:")),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_undone_wakes_as_its_opposite_does(away: Any, woken: TimerStep) -> None:
    life = a_due_task()
    life.given((OWNER, away))
    happened(undo(life, newest(life), OWNER))
    assert timers_of(life, len(life.entries) - 1) == [woken]


@pytest.mark.parametrize("away", [EditTask(task_id=TASK, state_id="done"), DeleteTask(task_id=TASK)])
@pytest.mark.parametrize("of", ["task", "project"])
def test_the_way_back_to_the_past_wakes_too(away: Any, of: str) -> None:
    life = a_due_task()
    point = len(life.entries)
    life.given((OWNER, away))
    way_back = RestoreTaskTo(task_id=TASK, as_of=point) if of == "task" else RestoreProjectTo(as_of=point)
    happened(restore(life, way_back, OWNER))
    assert timers_of(life, point + 1) == [TimerWoken(f"due:{TASK}")]


@pytest.mark.parametrize(("away", "back"), PROJECT_BACK.values(), ids=PROJECT_BACK)
def test_a_project_that_comes_back_wakes_the_timers_of_all_its_tasks(away: Any, back: Any) -> None:
    life = a_due_task()
    life.given((OWNER, away))
    assert [step for step in timers_of(life, len(life.entries) - 1) if isinstance(step, TimersWoken)] == []
    life.given((OWNER, back))
    assert timers_of(life, len(life.entries) - 1)[-1] == TimersWoken("due:")
    assert happened(life.decide(REMIND, SYSTEM, now=LATER)) == [DueDateNeared(task_id=TASK, due_date=DUE)]


def test_a_reopened_task_with_another_date_sets_its_timer() -> None:
    life = a_due_task()
    life.given((MEMBER, EditTask(task_id=TASK, state_id="done")))
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo", due_date="2026-03-09")))
    assert timers_of(life, len(life.entries) - 1) == [TimerChange(f"due:{TASK}", "2026-03-08T00:00:00.000Z")]


def test_edits_that_bring_nothing_back_wake_nobody() -> None:
    life = a_due_task()
    life.given(
        (OWNER, EditProject(name="Gemini")),
        (OWNER, EditProject(status="OnHold")),
        (OWNER, EditTask(task_id=TASK, state_id="in-progress")),
        (OWNER, EditTask(task_id=TASK, state_id="done")),
    )
    assert timers_of(life)[1:] == []


def test_a_timer_can_be_woken_until_the_day_is_over() -> None:
    life = a_due_task()
    [timer] = timers_of(life)
    assert isinstance(timer, TimerChange)
    assert timer.due_at is not None
    end = datetime_of(timer.due_at) + REST
    assert happened(life.decide(REMIND, SYSTEM, now=instant_of(end - timedelta(milliseconds=1))))
    assert refused(life.decide(REMIND, SYSTEM, now=instant_of(end))) == broken("not_due")


def test_a_timer_becomes_the_command_for_its_task() -> None:
    assert ProjectActor().timer_command(f"due:{TASK}", "2026-03-02T00:00:00.000Z") == REMIND
    with pytest.raises(ValueError, match="no timer"):
        ProjectActor().timer_command("lunch", LATER)


def test_who_works_on_it_and_who_watches_is_told() -> None:
    life = a_due_task(assignee_ids=[MEMBER.id])
    life.given((VIEWER, WatchTask(task_id=TASK)))
    [event] = happened(life.send(REMIND, SYSTEM, now=LATER, facts={}))
    assert event == DueDateNeared(task_id=TASK, due_date=DUE)
    told = ProjectActor().notices(project_state(life), [event], SYSTEM.id)
    assert [(notice["userId"], notice["reasons"]) for notice in told] == [
        (MEMBER.id, ["dueSoon"]),
        (VIEWER.id, ["dueSoon"]),
    ]


def test_where_nobody_works_on_it_its_creator_is_told() -> None:
    life = a_due_task()
    events = happened(life.send(REMIND, SYSTEM, now=LATER))
    told = ProjectActor().notices(project_state(life), events, SYSTEM.id)
    assert [notice["userId"] for notice in told] == [MEMBER.id]


@pytest.mark.parametrize(
    "meanwhile",
    [
        EditTask(task_id=TASK, state_id="done"),
        EditTask(task_id=TASK, state_id="cancelled"),
        EditTask(task_id=TASK, due_date="2026-03-09"),
        DeleteTask(task_id=TASK),
        ArchiveProject(),
        DeleteProject(),
    ],
    ids=lambda command: type(command).__name__,
)
def test_nobody_is_told_of_what_is_not_due_any_more(meanwhile: Any) -> None:
    life = a_due_task()
    life.given((OWNER, meanwhile))
    assert refused(life.decide(REMIND, SYSTEM, now=LATER)) == broken("not_due")


def test_nobody_is_told_after_the_day() -> None:
    assert refused(a_due_task().decide(REMIND, SYSTEM, now="2026-03-04T00:00:00.000Z")) == broken("not_due")


@pytest.mark.parametrize("by", [OWNER, STRANGER, OPERATOR], ids=["owner", "stranger", "operator"])
def test_nobody_but_the_server_reminds(by: Any) -> None:
    code, reason = refused(a_due_task().decide(REMIND, by, now=LATER))
    assert (code, reason) == (NOT_FOUND if by is STRANGER else (ErrorCode.FORBIDDEN, None))
