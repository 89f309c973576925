"""Many edits of the same tasks by people who have not seen each other's: what merges, what is refused, and why.

A model that knows nothing of the product says for each edit what has to come of it. By hand:

    python -m tests.laws.concurrent_edits --edits 10000
"""

from __future__ import annotations

import argparse
from collections import Counter
from random import Random
from typing import Any

from actors.runtime.actor import Decision
from protocol.errors import ErrorCode
from protocol.event import Principal
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import ADMIN, MEMBER, NOW, OWNER, Life, a_team, uuid

PEOPLE = (OWNER, ADMIN, MEMBER)
TASKS = [uuid(0x800 + number) for number in range(20)]
VALUES: dict[str, list[Any]] = {
    "title": ["one", "two", "three", "four"],
    "description": ["", "long", "longer"],
    "priority": ["none", "low", "high", "urgent"],
    "estimate": [None, 1.0, 2.0, 3.0],
}
LABELS = ["a", "b", "c", "d"]


class Model:
    """What the tasks are by the rules, told a second time."""

    def __init__(self) -> None:
        # (task, field) → value, and the entry and person that changed it last.
        self.fields: dict[tuple[str, str], tuple[Any, int, str]] = {}
        self.labels: dict[str, set[str]] = {task_id: set() for task_id in TASKS}
        for task_id in TASKS:
            for field, value in (("title", "one"), ("description", ""), ("priority", "none"), ("estimate", None)):
                self.fields[task_id, field] = (value, 0, "")

    def conflicts(self, edit: EditTask, base: int) -> dict[str, tuple[Any, Any, int, str]]:
        """Field → the edit's value, the current one, and who set it where."""
        found = {}
        for field in VALUES.keys() & edit.model_fields_set:
            current, seq, author = self.fields[edit.task_id, field]
            if seq > base and getattr(edit, field) != current:
                found[field] = (getattr(edit, field), current, seq, author)
        return found

    def take(self, edit: EditTask, seq: int, author: str) -> None:
        """The edit took effect as this entry."""
        for field in VALUES.keys() & edit.model_fields_set:
            if self.fields[edit.task_id, field][0] != getattr(edit, field):
                self.fields[edit.task_id, field] = (getattr(edit, field), seq, author)
        labels = self.labels[edit.task_id]
        labels -= set(edit.remove_labels)
        labels |= set(edit.add_labels)


def live(edits: int, seed: int = 1) -> Counter[str]:
    """Sends so many edits and checks each; says how many were merged, refused and so on."""
    chance, life, model, seen = Random(seed), a_team(), Model(), Counter[str]()
    life.given(*((OWNER, CreateTask(task_id=task_id, title="one")) for task_id in TASKS))
    start = len(life.entries)
    has_seen = dict.fromkeys(PEOPLE, start)
    taken: list[tuple[Principal, EditTask]] = []
    for _ in range(edits):
        person = chance.choice(PEOPLE)
        if chance.random() < 0.1:
            has_seen[person] = len(life.entries)
        edit = _edit(chance)
        if _send(life, model, seen, person, edit, has_seen[person]):
            taken.append((person, edit))
    _check(life, model)
    _check_serial(life, taken)
    return seen


def _send(life: Life, model: Model, seen: Counter[str], person: Principal, edit: EditTask, base: int) -> bool:
    expected = model.conflicts(edit, base)
    outcome = life.send(edit, person, base=base)
    if isinstance(outcome, Decision):
        assert not expected, f"it overwrote {expected}"
        model.take(edit, len(life.entries), person.id)
        seen["merged" if base < len(life.entries) - 1 else "alone"] += 1
        return True
    assert outcome.code is ErrorCode.CONFLICT
    told = {
        item["field"]: (item["yours"], item["current"], item["seq"], item["author"])
        for item in outcome.details["fields"]
    }
    assert told == expected
    assert {(item["id"], item["at"]) for item in outcome.details["fields"]} == {(edit.task_id, NOW)}
    seen["refused"] += 1
    return False


def _edit(chance: Random) -> EditTask:
    fields: dict[str, Any] = {name: chance.choice(values) for name, values in VALUES.items() if chance.random() < 0.3}
    if chance.random() < 0.5:
        fields["add_labels"] = chance.sample(LABELS, 1)
        fields["remove_labels"] = [label for label in chance.sample(LABELS, 1) if label not in fields["add_labels"]]
    return EditTask(task_id=chance.choice(TASKS), **fields)


def _check(life: Life, model: Model) -> None:
    for task_id in TASKS:
        task = life.state.tasks[task_id]
        assert {name: task[name] for name in VALUES} == {name: model.fields[task_id, name][0] for name in VALUES}
        assert set(task["labels"]) == model.labels[task_id]
        assert len(task["labels"]) == len(set(task["labels"]))
    assert life.replayed() == life.state, "the log leads elsewhere"


def _check_serial(life: Life, taken: list[tuple[Principal, EditTask]]) -> None:
    """The edits that were taken, one after the other and without any base, lead to the same."""
    serial = a_team()
    serial.given(*((OWNER, CreateTask(task_id=task_id, title="one")) for task_id in TASKS))
    serial.given(*taken)
    assert serial.state == life.state


def main() -> None:
    """The run, with what it saw."""
    parser = argparse.ArgumentParser(description="Many concurrent edits of the same tasks.")
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(dict(live(given.edits, given.seed)))


if __name__ == "__main__":
    main()
