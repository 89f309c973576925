"""Recurrence: which tasks come again, when, and with what."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.limits import ProjectLimits
from actors.project.recurring_dates import next_dates
from protocol.custom_fields import DefineField
from protocol.errors import ErrorCode
from protocol.members import RemoveMember
from protocol.milestones import CreateMilestone
from protocol.projects import DEFAULT_STATES, EditProject
from protocol.ranks import MoveTask
from protocol.tasks import CreateTask, EditTask, Recurrence, TaskCreated, TaskEdited, TaskRecurred, TaskView
from tests.actors.given import (
    LATER,
    MEMBER,
    NOW,
    OTHER_TASK,
    OWNER,
    TASK,
    VIEWER,
    Life,
    a_team,
    as_imported,
    broken,
    happened,
    project_state,
    refused,
    uuid,
)

MONTHLY: Recurrence = {"every": 1, "unit": "month"}
NOTE, BETA = uuid(0x601), uuid(0x501)
DONE = EditTask(task_id=TASK, state_id="done")


def a_recurring_task(limits: ProjectLimits | None = None, **fields: Any) -> Life:
    life = a_team(limits)
    life.given((MEMBER, CreateTask(task_id=TASK, title="Water the flowers", recurrence=MONTHLY, **fields)))
    return life


def following(life: Life, command: EditTask = DONE) -> TaskView:
    """The task that comes after, made by this command."""
    [_, recurred, created] = happened(life.send(command, MEMBER, now=LATER))
    assert isinstance(created, TaskCreated)
    assert recurred.next_task_id == created.task["id"]
    return created.task


def test_the_entry_that_completes_it_makes_the_next_one() -> None:
    life = a_recurring_task(due_date="2026-03-31")
    [edited, recurred, created] = happened(life.send(DONE, MEMBER, now=LATER))
    assert (edited.changes["stateId"], edited.closed_at) == ("done", LATER)
    assert "recurrence" not in edited.changes
    task = created.task
    assert recurred == TaskRecurred(task_id=TASK, next_task_id=task["id"], was=MONTHLY)
    assert (task["key"], task["title"], task["stateId"]) == ("APOLLO-2", "Water the flowers", "backlog")
    assert (task["dueDate"], task["startDate"]) == ("2026-04-30", None)
    assert task["recurrence"] == {**MONTHLY, "dueDay": 31}
    assert (task["createdBy"], task["createdAt"], task["closedAt"]) == (MEMBER.id, LATER, None)
    assert project_state(life).tasks[TASK]["recurrence"] is None
    result = life.actor.answer([edited, recurred, created])
    assert result == {"taskId": task["id"], "key": "APOLLO-2", "number": 2}


def test_the_next_one_is_the_same_work() -> None:
    life = a_team()
    life.given(
        (OWNER, DefineField(field_id=NOTE, name="Note", type="text")),
        (OWNER, CreateMilestone(milestone_id=BETA, name="Beta")),
        (
            MEMBER,
            CreateTask(
                task_id=TASK,
                title="Water",
                description="All of them.",
                priority="high",
                labels=["garden"],
                assignee_ids=[VIEWER.id, MEMBER.id],
                estimate=2.0,
                external_id="github:a/b#1",
                milestone_id=BETA,
                fields={NOTE: "tap"},
                recurrence=MONTHLY,
            ),
        ),
        (MEMBER, EditTask(task_id=TASK, add_watchers=[OWNER.id])),
        (OWNER, RemoveMember(user_id=VIEWER.id)),
    )
    edit = EditTask(task_id=TASK, state_id="done", title="Water them", fields={NOTE: "can"}, add_labels=["soon"])
    [_, _, _, created] = happened(life.send(edit, MEMBER))
    same = ("title", "description", "priority", "labels", "estimate", "milestoneId", "fields")
    closed: Any = project_state(life).tasks[TASK]
    assert {name: created.task[name] for name in same} == {name: closed[name] for name in same}
    assert (created.task["title"], created.task["fields"]) == ("Water them", {NOTE: "can"})
    assert created.task["assigneeIds"] == [MEMBER.id]
    assert (created.task["watcherIds"], created.task["externalId"]) == ([], None)
    assert life.replayed() == life.state


def test_it_goes_on_from_the_next_one_alone() -> None:
    life = a_recurring_task()
    task = following(life)
    [reopened] = happened(life.send(EditTask(task_id=TASK, state_id="todo"), MEMBER))
    [closed] = happened(life.send(DONE, MEMBER))
    assert isinstance(reopened, TaskEdited)
    assert isinstance(closed, TaskEdited)
    [_, again, created] = happened(life.send(EditTask(task_id=task["id"], state_id="done"), MEMBER))
    assert (again.task_id, created.task["number"]) == (task["id"], 3)


def test_only_completing_makes_it_come_again() -> None:
    for path in (["cancelled"], ["todo"], ["in-progress", "cancelled"]):
        life = a_recurring_task()
        for state in path:
            [edited] = happened(life.send(EditTask(task_id=TASK, state_id=state), MEMBER))
            assert isinstance(edited, TaskEdited)
    life = a_recurring_task()
    life.given((MEMBER, EditTask(task_id=TASK, state_id="cancelled")))
    following(life)
    life = a_recurring_task()
    [edited] = happened(life.send(EditTask(task_id=TASK, state_id="done", recurrence=None), MEMBER))
    assert edited.was["recurrence"] == MONTHLY
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=MONTHLY)))
    assert len(project_state(life).tasks) == 1
    made_done = CreateTask(task_id=OTHER_TASK, title="x", state_id="done", recurrence=MONTHLY)
    assert len(happened(life.send(made_done, MEMBER))) == 1


def test_from_one_completed_state_to_another_it_does_not() -> None:
    life = a_team()
    shipped: Any = {"id": "shipped", "name": "Shipped", "group": "completed", "waiting": False}
    life.given(
        (OWNER, EditProject(states=[*DEFAULT_STATES, shipped])),
        (MEMBER, CreateTask(task_id=TASK, title="x", state_id="done", recurrence=MONTHLY)),
    )
    assert len(happened(life.send(EditTask(task_id=TASK, state_id="shipped"), MEMBER))) == 1


def test_moving_the_card_to_a_completed_state_counts_too() -> None:
    life = a_recurring_task()
    [_, recurred, created] = happened(life.send(MoveTask(task_id=TASK, state_id="done"), MEMBER, now=LATER))
    assert (recurred.task_id, created.task["dueDate"]) == (TASK, "2026-04-02")
    assert life.replayed() == life.state


def test_a_project_without_an_open_state_has_no_place_for_it() -> None:
    life = a_recurring_task()
    states: Any = [DEFAULT_STATES[3], DEFAULT_STATES[4]]
    life.given((MEMBER, EditTask(task_id=TASK, state_id="cancelled")), (OWNER, EditProject(states=states)))
    [edited] = happened(life.send(DONE, MEMBER))
    assert isinstance(edited, TaskEdited)
    assert project_state(life).tasks[TASK]["recurrence"] == MONTHLY


def test_the_rule_may_come_with_the_completion() -> None:
    life = a_team()
    life.given((MEMBER, CreateTask(task_id=TASK, title="x")))
    events = happened(life.send(EditTask(task_id=TASK, state_id="done", recurrence=MONTHLY), MEMBER))
    assert [event.kind for event in events] == ["TaskEdited", "TaskRecurred", "TaskCreated"]
    assert project_state(life).tasks[TASK]["recurrence"] is None


def test_without_dates_it_is_due_that_long_after_the_day_of_completion() -> None:
    assert following(a_recurring_task())["dueDate"] == "2026-04-02"
    task = following(a_recurring_task(start_date="2026-03-01"))
    assert (task["startDate"], task["dueDate"]) == ("2026-04-01", None)


@pytest.mark.parametrize(
    ("start", "due", "rule", "expected"),
    [
        (None, "2026-12-30", {"every": 3, "unit": "day"}, (None, "2027-01-02")),
        ("2026-02-20", "2026-02-27", {"every": 2, "unit": "week"}, ("2026-03-06", "2026-03-13")),
        (None, "2026-01-31", {"every": 1, "unit": "month"}, (None, "2026-02-28", None, 31)),
        (None, "2026-02-28", {"every": 1, "unit": "month", "dueDay": 31}, (None, "2026-03-31")),
        (None, "2026-02-28", {"every": 2, "unit": "month", "dueDay": 31}, (None, "2026-04-30", None, 31)),
        (None, "2026-02-14", {"every": 1, "unit": "month", "dueDay": 31}, (None, "2026-03-14")),
        (None, "2026-02-28", {"every": 1, "unit": "month"}, (None, "2026-03-28")),
        ("2026-01-30", "2026-01-31", {"every": 1, "unit": "month"}, ("2026-02-28", "2026-02-28", 30, 31)),
        ("2026-02-28", "2026-02-28", {"every": 1, "unit": "month", "startDay": 31}, ("2026-03-28", "2026-03-28")),
        (None, "2024-02-29", {"every": 1, "unit": "year"}, (None, "2025-02-28", None, 29)),
        (None, "2027-02-28", {"every": 1, "unit": "year", "dueDay": 29}, (None, "2028-02-29")),
        (None, "2026-11-30", {"every": 15, "unit": "month"}, (None, "2028-02-29", None, 30)),
        (None, "9999-12-31", {"every": 1, "unit": "day"}, None),
        (None, "9999-12-31", {"every": 1, "unit": "month"}, None),
        ("9700-01-01", None, {"every": 366, "unit": "year"}, None),
    ],
)
def test_dates_move_by_the_rule_and_remember_their_day(
    start: str | None, due: str | None, rule: Recurrence, expected: tuple[Any, ...] | None
) -> None:
    task: Any = {"startDate": start, "dueDate": due}
    found = next_dates(task, rule, NOW)
    if expected is None:
        assert found is None
        return
    days = dict(zip(("startDay", "dueDay"), expected[2:], strict=False))
    kept = {name: day for name, day in days.items() if day is not None}
    assert found == (*expected[:2], {"every": rule["every"], "unit": rule["unit"], **kept})


def test_the_day_of_a_date_that_was_taken_away_is_forgotten() -> None:
    rule: Recurrence = {**MONTHLY, "startDay": 31, "dueDay": 31}
    life = a_recurring_task(start_date="2026-02-28", due_date="2026-02-28")
    life.given((MEMBER, EditTask(task_id=TASK, recurrence=rule)))
    [edited] = happened(life.decide(EditTask(task_id=TASK, start_date=None, due_date=None), MEMBER))
    assert (edited.changes["recurrence"], edited.was["recurrence"]) == (MONTHLY, rule)
    life.given((MEMBER, EditTask(task_id=TASK, due_date=None)))
    assert project_state(life).tasks[TASK]["recurrence"] == {**MONTHLY, "startDay": 31}
    life.given((MEMBER, EditTask(task_id=TASK, start_date="2026-02-27", due_date="2026-02-28")))
    assert project_state(life).tasks[TASK]["recurrence"] == {**MONTHLY, "startDay": 31}, "a date that is moved is there"
    assert following(life)["dueDate"] == "2026-03-28"


def test_who_takes_a_date_away_may_say_another_rule() -> None:
    life = a_recurring_task(due_date="2026-02-28")
    rule: Recurrence = {"every": 2, "unit": "month", "dueDay": 31}
    [edited] = happened(life.send(EditTask(task_id=TASK, due_date=None, recurrence=rule), MEMBER))
    assert edited.changes["recurrence"] == rule


def test_without_dates_it_goes_by_the_day_of_completion_whatever_the_rule_remembers() -> None:
    task: Any = {"startDate": None, "dueDate": None}
    rule: Recurrence = {**MONTHLY, "startDay": 31, "dueDay": 31}
    assert next_dates(task, rule, "2026-11-30T09:00:00.000Z") == (None, "2026-12-30", MONTHLY)


def test_beyond_the_calendar_it_ends() -> None:
    life = a_recurring_task(due_date="9999-12-31")
    [edited] = happened(life.send(DONE, MEMBER))
    assert isinstance(edited, TaskEdited)


def test_where_no_next_task_fits_it_is_not_completed_silently() -> None:
    life = a_recurring_task(ProjectLimits(tasks_max=1))
    assert refused(life.decide(DONE, MEMBER)) == broken("tasks_limit")
    happened(life.decide(EditTask(task_id=TASK, state_id="done", recurrence=None), MEMBER))
    life = a_team(ProjectLimits(tasks_per_milestone_max=2))
    life.given(
        (MEMBER, CreateMilestone(milestone_id=BETA, name="Beta")),
        (MEMBER, CreateTask(title="other", milestone_id=BETA)),
        (MEMBER, CreateTask(task_id=TASK, title="x", recurrence=MONTHLY)),
    )
    both = EditTask(task_id=TASK, state_id="done", milestone_id=BETA)
    assert refused(life.decide(both, MEMBER)) == broken("milestone_tasks_limit")


def test_history_brings_its_next_tasks_itself() -> None:
    life = a_team()
    happened(life.send(CreateTask(task_id=TASK, title="x", recurrence=MONTHLY), OWNER, origin=as_imported()))
    [edited] = happened(life.send(DONE, OWNER, origin=as_imported()))
    assert isinstance(edited, TaskEdited)
    assert project_state(life).tasks[TASK]["recurrence"] == MONTHLY


def test_who_completes_it_says_nothing_of_the_rule_that_somebody_else_changed() -> None:
    life = a_recurring_task()
    base = len(life.entries)
    life.given((OWNER, EditTask(task_id=TASK, recurrence={"every": 2, "unit": "week"})))
    [_, recurred, _] = happened(life.send(DONE, MEMBER, base=base))
    assert recurred.was == {"every": 2, "unit": "week"}
    stale = EditTask(task_id=TASK, recurrence=MONTHLY)
    assert refused(life.decide(stale, MEMBER, base=base)) == (ErrorCode.CONFLICT, "changed_since_base")
