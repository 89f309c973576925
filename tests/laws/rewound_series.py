"""What is done to the tasks of one series, taken back and done again, by one person and by several.

By hand:

    python -m tests.laws.rewound_series --lives 1000
"""

from __future__ import annotations

import argparse
from collections import Counter
from random import Random
from typing import Any, NamedTuple

from actors.runtime.actor import Decision
from protocol.errors import Rejection
from protocol.event import Command, Principal
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, Recurrence, RestoreTask, TaskDeleted, TaskEdited
from protocol.timetravel import RestoreProjectTo, RestoreTaskTo
from protocol.undo import RedoCommand, UndoCommand
from tests.actors.given import ADMIN, OWNER, TASK, Life, a_team, events_of
from tests.actors.undoing import facts_of, newest, seen, state_before
from tests.laws.undoing import told, without_new

RULES: list[Recurrence | None] = [None, {"every": 1, "unit": "day"}, {"every": 2, "unit": "week"}]
STEPS = 40
PEOPLE = (ADMIN, OWNER)
TASKS_MAX = 3
"""So many of the series are there at once: beyond it nothing is completed."""


class Taken(NamedTuple):
    """A command that changed something, and what people saw before and after it."""

    op_id: str
    before: Any
    after: Any


class Walk:
    """One person's commands; those up to `place` are done, and the later ones are undone."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.life = a_series()
        self.taken: list[Taken] = []
        self.place = 0
        self.happened: Counter[str] = Counter()

    def step(self) -> None:
        """On by a new command, for which what was undone is left undone, or back, or on again."""
        kind = self.chance.choice(["new", "new", "undo", "redo"])
        if kind == "new":
            self._new()
        elif kind == "undo" and self.place > 0:
            self._undo()
        elif kind == "redo" and self.place < len(self.taken):
            self._redo()

    def back_and_forth(self) -> None:
        """All is undone, the newest first, then redone, then undone again."""
        while self.place > 0:
            self._undo()
        while self.place < len(self.taken):
            self._redo()
        while self.place > 0:
            self._undo()

    def _new(self) -> None:
        before, everything = told(self.life), seen(self.life)
        command = any_command(self.chance, self.life)
        outcome = sent(self.life, command, OWNER)
        if isinstance(outcome, Decision) and seen(self.life) != everything:  # a tombstone's state counts, too
            del self.taken[self.place :]
            self.taken.append(Taken(self.life.entries[-1].op_id, before, told(self.life)))
            self.place += 1
            self.happened[type(command).__name__] += 1

    def _undo(self) -> None:
        self.place -= 1
        self._leads_to(UndoCommand(op_id=self.taken[self.place].op_id), self.taken[self.place].before)

    def _redo(self) -> None:
        self._leads_to(RedoCommand(op_id=self.taken[self.place].op_id), self.taken[self.place].after)
        self.place += 1

    def _leads_to(self, command: UndoCommand | RedoCommand, expected: Any) -> None:
        """What was made since is a tombstone then."""
        outcome = sent(self.life, command, OWNER)
        assert isinstance(outcome, Decision), f"{type(command).__name__} in entry {newest(self.life)}: {outcome}"
        known = {*expected["tasks"], *expected["comments"]}
        assert without_new(told(self.life), known) == expected, "it leads elsewhere"
        self.happened[type(command).__name__] += 1


class Meeting:
    """Several people who do, undo, redo and restore what they like."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.life = a_series()
        # Author → the opIds of their commands.
        self.own: dict[str, list[str]] = {person.id: [] for person in PEOPLE}
        self.happened: Counter[str] = Counter()

    def step(self) -> None:
        """A command by anybody, or an undo or a redo of what was theirs."""
        person, life = self.chance.choice(PEOPLE), self.life
        own = self.own[person.id]
        if not own or self.chance.random() < 0.5:
            command = any_command(self.chance, life)
            if isinstance(sent(life, command, person), Decision):
                own.append(life.entries[-1].op_id)
                self.happened[type(command).__name__] += 1
            return
        op_id = self.chance.choice(own)
        self._take_back(op_id, person, op_id in life.state.undone)

    def _take_back(self, op_id: str, person: Principal, is_redo: bool) -> None:
        """Nobody carries beside another one who did not so before the entry, and nobody is kept from it otherwise."""
        life, command = self.life, RedoCommand(op_id=op_id) if is_redo else UndoCommand(op_id=op_id)
        taken_back = life.state.undone[op_id].op_id if is_redo else op_id
        seq = next(entry.seq for entry in life.entries if entry.op_id == taken_back)
        then, before, tasks = carriers(state_before(life, seq)), carriers(life.state), dict(life.state.tasks)
        outcome = sent(life, command, person)
        now, kind = carriers(life.state), type(command).__name__
        if isinstance(outcome, Rejection):
            reason = str(outcome.details.get("reason", outcome.code))
            self.happened[f"{kind} refused: {reason}"] += 1
            is_new = (before | _would_have(life, seq)) - then
            assert "came_again" not in reason or is_new, f"{kind} is refused, and nobody came by the recurrence"
            return
        self.happened[kind] += 1
        assert not now - before or len(now) == 1 or now <= then, f"{kind} makes two of one series"
        came_back = {one for one in then - now if tasks[one]["deletedAt"] and not life.state.tasks[one]["deletedAt"]}
        self.happened["came back without"] += len(came_back)
        without_rule = {one for one in came_back if tasks[one]["recurrence"] is None}
        assert not came_back - without_rule or now - then, f"{kind} takes a recurrence from what it brings back"


def _would_have(life: Life, seq: int) -> set[str]:
    """The tasks to which the entry's end would give a recurrence; a tombstone may have come by it since."""
    events, tasks = events_of(life.entries[seq - 1]), life.state.tasks
    edited = {one.task_id for one in events if isinstance(one, TaskEdited) and one.was.get("recurrence")}
    deleted = {one.task_id for one in events if isinstance(one, TaskDeleted)}
    return edited | {one for one in deleted if tasks[one]["recurrence"] is not None}


def a_series() -> Life:
    """A task that comes again."""
    life = a_team()
    life.given((OWNER, CreateTask(task_id=TASK, title="Water", recurrence=RULES[1], due_date="2026-12-01")))
    return life


def carriers(state: Any) -> set[str]:
    """The tasks that are there and have a recurrence."""
    return {one["id"] for one in state.tasks.values() if one["recurrence"] and one["deletedAt"] is None}


def sent(life: Life, command: Command, person: Principal) -> Decision[Any] | Rejection:
    """A second later than what was before."""
    minutes, seconds = divmod(newest(life), 60)
    return life.send(
        command, person, now=f"2026-03-01T13:{minutes:02d}:{seconds:02d}.000Z", facts=facts_of(life, command)
    )


def any_command(chance: Random, life: Life) -> Command:
    """Whatever changes who has the recurrence, of one task or of some."""
    tasks = list(life.state.tasks.values())
    there = [one["id"] for one in tasks if one["deletedAt"] is None]
    gone = [one["id"] for one in tasks if one["deletedAt"] is not None]
    point = chance.choice(life.entries[len(life.state.members) :]).seq
    kinds: list[Command] = [RestoreTaskTo(task_id=chance.choice(tasks)["id"], as_of=point)]
    if chance.random() < 0.5:
        kinds.append(RestoreProjectTo(as_of=point))
    if gone:
        kinds.append(RestoreTask(task_id=chance.choice(gone)))
    if there:
        may_grow = len(there) < TASKS_MAX
        some = chance.sample(there, chance.randint(1, len(there)))
        kinds += [an_edit(chance, chance.choice(there), may_grow) for _ in range(4)]
        kinds += [EditTasks(edits=[an_edit(chance, one, may_grow) for one in some]) for _ in range(2)]
        kinds.append(DeleteTask(task_id=chance.choice(there)))
    return chance.choice(kinds)


def an_edit(chance: Random, task_id: str, may_grow: bool) -> EditTask:
    """Completed or reopened, and given a recurrence by hand or none."""
    changes: dict[str, Any] = {}
    if chance.random() < 0.6:
        changes["state_id"] = chance.choice(["done", "done", "todo"] if may_grow else ["todo", "backlog"])
    if not changes or chance.random() < 0.5:
        changes["recurrence"] = chance.choice(RULES)
    return EditTask(task_id=task_id, **changes)


def walk(seed: int) -> Counter[str]:
    """One person's life; says how often what happened."""
    walked = Walk(Random(seed))
    for _ in range(STEPS):
        walked.step()
    walked.back_and_forth()
    return walked.happened


def meet(seed: int) -> Counter[str]:
    """A life of several people; says how often what happened."""
    meeting = Meeting(Random(seed))
    for _ in range(STEPS * 2):
        meeting.step()
    return meeting.happened


def main() -> None:
    """The run, with what it saw."""
    parser = argparse.ArgumentParser(description="A series that is taken back and done again.")
    parser.add_argument("--lives", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for live in (walk, meet):
        happened = sum((live(given.seed + number) for number in range(given.lives)), Counter[str]())
        print(live.__name__)
        for what, count in sorted(happened.items()):
            print(f"{count:8} {what}")


if __name__ == "__main__":
    main()
