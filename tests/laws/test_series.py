"""However much is completed, deleted, taken back and restored: one series never becomes two."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from actors.runtime.actor import Decision
from protocol.event import Command
from protocol.tasks import CreateTask, DeleteTask, EditTask, Recurrence, RestoreTask
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import RedoCommand, UndoCommand
from tests.actors.given import OWNER, Life, a_team, uuid
from tests.actors.undoing import facts_of

FIRST = [uuid(0xB00), uuid(0xB01)]
RULES: list[Recurrence] = [{"every": 1, "unit": "day"}, {"every": 1, "unit": "week"}, {"every": 2, "unit": "month"}]
STEPS = 60
LIVES = 60
OVERTAKEN = 0.3
"""So often a restoration is decided on after another command, which came while the past was looked at."""


def series_of(life: Life, task_id: str) -> str:
    """The task that began it."""
    came = life.state.came_after
    while task_id in came:
        task_id = came[task_id].task_id
    return task_id


def carriers(life: Life) -> Counter[str]:
    """The first task of a series → how many of the series are there and have a recurrence."""
    tasks = life.state.tasks.values()
    return Counter(series_of(life, one["id"]) for one in tasks if one["recurrence"] and one["deletedAt"] is None)


def any_command(chance: Random, life: Life) -> Command:
    """Nobody gives a recurrence to a task that has none: that would begin a series by hand."""
    task = chance.choice(list(life.state.tasks.values()))
    past = chance.choice(life.entries[1:])
    if task["deletedAt"] is not None:
        return RestoreTask(task_id=task["id"])
    kinds: list[Command] = [
        EditTask(task_id=task["id"], state_id="done"),
        EditTask(task_id=task["id"], state_id="todo"),
        DeleteTask(task_id=task["id"]),
        UndoCommand(op_id=past.op_id),
        UndoCommand(op_id=past.op_id),
        RedoCommand(op_id=chance.choice([*life.state.undone, past.op_id])),
        RestoreTaskTo(task_id=task["id"], as_of=past.seq),
        RestoreProjectTo(as_of=past.seq),
    ]
    if task["recurrence"] is not None:
        kinds.append(EditTask(task_id=task["id"], recurrence=chance.choice([*RULES, None])))
    return chance.choice(kinds)


def live(seed: int) -> Counter[str]:
    """One project's life; what was accepted, by kind."""
    chance, life, accepted = Random(seed), a_team(), Counter[str]()
    life.given(*((OWNER, CreateTask(task_id=one, title="x", recurrence=RULES[0])) for one in FIRST))
    for number in range(STEPS):
        command = any_command(chance, life)
        now, facts = f"2026-03-01T12:{number:02d}:00.000Z", facts_of(life, command)
        if isinstance(command, RestoreTaskTo | RestoreProjectTo) and chance.random() < OVERTAKEN:
            between = any_command(chance, life)
            life.send(between, OWNER, now=now, facts=facts_of(life, between))
        if isinstance(life.send(command, OWNER, now=now, facts=facts), Decision):
            accepted[type(command).__name__] += 1
        twice = {one: count for one, count in carriers(life).items() if count > 1}
        assert not twice, f"{type(command).__name__} in step {number} of life {seed}: {twice}"
    return accepted


def live_many() -> Counter[str]:
    """What was accepted in all of them."""
    return sum((live(seed) for seed in range(LIVES)), Counter[str]())


@pytest.mark.parametrize("events_max", [1, 3, 2000])
def test_one_series_stays_one(monkeypatch: pytest.MonkeyPatch, events_max: int) -> None:
    """Also where the way back takes several entries."""
    monkeypatch.setattr("actors.project.rewinding.EVENTS_MAX", events_max)
    accepted = live_many()
    told = ("UndoCommand", "RedoCommand", "RestoreTask", "RestoreTaskTo", "RestoreProjectTo")
    assert all(accepted[kind] > LIVES // 2 for kind in told), accepted


@pytest.mark.parametrize("question", ["tombstones.goes_on_elsewhere", "series.Successors.has_other_than"])
def test_a_second_series_is_caught(monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    monkeypatch.setattr(f"actors.project.{question}", lambda *_: False)
    with pytest.raises(AssertionError, match="in step"):
        live_many()
