"""A way back that takes more than one entry: each of them is small, leaves a sound project and is undone by itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from actors.project import rewinding
from actors.project.differences import is_back
from actors.project.old_places import OldPlaces
from actors.project.restoration import Restoration
from protocol.custom_fields import DefineField, EditField
from protocol.milestones import CreateMilestone, EditMilestone
from protocol.tasks import CreateTask, DeleteTask, EditTask, TaskView
from protocol.timetravel import RestoreProjectTo
from tests.actors.given import MEMBER, OWNER, TASK, Life, a_task, a_team, events_of, happened, uuid
from tests.actors.undoing import newest, restore, seen, undo

TASKS = [uuid(0xA00 + number) for number in range(12)]


def go_back(life: Life, point: int) -> list[int]:
    """The seqs of the entries that it took; each changes something."""
    taken: list[int] = []
    while True:
        marker, *changes = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
        assert changes, "it was there already, and the entry before did not say so"
        assert life.replayed() == life.state
        taken.append(newest(life))
        if marker.remaining == 0:
            return taken


def and_forth(life: Life, taken: list[int]) -> None:
    for seq in reversed(taken):
        happened(undo(life, seq, OWNER))


def longest(life: Life, taken: list[int]) -> int:
    """How many changes the largest of the entries holds."""
    return max(len(events_of(life.entries[seq - 1])) for seq in taken) - 1


def test_many_parents_come_back_in_several_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewinding, "EVENTS_MAX", 3)
    life = a_task()
    life.given(*((MEMBER, CreateTask(task_id=one, title="t", parent_id=TASK)) for one in TASKS))
    point, then = newest(life), seen(life)
    life.given(*((MEMBER, EditTask(task_id=one, parent_id=None)) for one in TASKS))
    before, taken = seen(life), go_back(life, point)
    assert seen(life) == then
    assert (len(taken), longest(life, taken)) == (4, 3)
    and_forth(life, taken)
    assert seen(life) == before


def test_a_family_turned_upside_down_is_turned_back_however_its_entries_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewinding, "EVENTS_MAX", 1)
    life, family = a_team(), TASKS[:9]
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in family))
    life.given(*((MEMBER, EditTask(task_id=one, parent_id=two)) for two, one in pairwise(family)))
    point, then = newest(life), seen(life)
    life.given(*((MEMBER, EditTask(task_id=one, parent_id=None)) for one in family[1:]))
    life.given(*((MEMBER, EditTask(task_id=two, parent_id=one)) for two, one in pairwise(family)))
    before, taken = seen(life), go_back(life, point)
    assert seen(life) == then
    assert longest(life, taken) == 1
    and_forth(life, taken)
    assert seen(life) == before


def test_the_last_full_entry_says_that_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewinding, "EVENTS_MAX", 1)
    life = a_task()
    point = newest(life)
    life.given((MEMBER, EditTask(task_id=TASK, title="later")), (MEMBER, CreateTask(task_id=TASKS[0], title="t")))
    remaining = []
    for _ in range(2):
        [marker, _] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
        remaining.append(marker.remaining)
    assert remaining[0] > 0
    assert remaining[1] == 0


def test_no_entry_ends_between_names_that_change_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewinding, "EVENTS_MAX", 1)
    life = a_team()
    milestones, fields = [uuid(0x900), uuid(0x901)], [uuid(0x902), uuid(0x903)]
    for number, name in enumerate(("One", "Two")):
        life.given((OWNER, CreateMilestone(milestone_id=milestones[number], name=name)))
        life.given((OWNER, DefineField(field_id=fields[number], name=name, type="text")))
    point, then = newest(life), seen(life)
    for turn, name in ((0, "Three"), (1, "One"), (0, "Two")):
        life.given((OWNER, EditMilestone(milestone_id=milestones[turn], name=name, description=name)))
        life.given((OWNER, EditField(field_id=fields[turn], name=name)))
    before, taken = seen(life), go_back(life, point)
    assert seen(life) == then
    and_forth(life, taken)
    assert seen(life) == before


def test_long_texts_end_an_entry_too() -> None:
    life = a_team()
    life.given(*((MEMBER, CreateTask(task_id=one, title="t", description="a" * 50_000)) for one in TASKS))
    point = newest(life)
    life.given(*((MEMBER, EditTask(task_id=one, description="b" * 50_000)) for one in TASKS))
    [marker, *changes] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert marker.remaining > 0
    assert 2 <= len(changes) < len(TASKS)


def test_the_way_to_a_place_does_not_lead_past_all_that_were_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    settled = OldPlaces._is_settled

    def counted(places: OldPlaces, task_id: str, state_id: str) -> bool:
        asked.append(task_id)
        return settled(places, task_id, state_id)

    life, many = a_team(), [uuid(0xA00 + number) for number in range(200)]
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in many))
    point, then = newest(life), seen(life)
    life.given(*((MEMBER, EditTask(task_id=one, state_id="done")) for one in many))
    monkeypatch.setattr(OldPlaces, "_is_settled", counted)
    go_back(life, point)
    assert seen(life) == then
    assert len(asked) < 3 * len(many)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("tasks", {"updatedAt": "later", "watcherIds": ["somebody"], "closedAt": "later"}, True),
        ("tasks", {"title": "another"}, False),
        ("tasks", {"deletedAt": "later"}, False),
        ("milestones", {"updatedAt": "later"}, False),
    ],
)
def test_what_is_left_to_bring_back(name: str, changes: dict[str, Any], expected: bool) -> None:
    life = a_task()
    then = life.state.tasks[TASK]
    assert is_back(name, then, {**then, **changes}) is expected


def test_a_tombstone_of_what_was_not_there_is_as_good_as_nothing() -> None:
    life = a_task()
    life.given((MEMBER, DeleteTask(task_id=TASK)))
    assert is_back("tasks", None, life.state.tasks[TASK])
    assert not is_back("links", None, {"id": "a"})
    assert not is_back("tasks", None, {**life.state.tasks[TASK], "deletedAt": None})


def test_who_only_needs_a_parent_is_not_looked_at_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    edited: list[str] = []
    life = a_task()
    life.given(*((MEMBER, CreateTask(task_id=one, title="t", parent_id=TASK)) for one in TASKS))
    point = newest(life)
    life.given((MEMBER, EditTask(task_id=TASKS[0], title="later", parent_id=None)))
    life.given(*((MEMBER, EditTask(task_id=one, parent_id=None)) for one in TASKS[1:]))
    edit = Restoration._edit

    def noted(restoration: Restoration, task: TaskView, then: TaskView) -> None:
        edited.append(then["id"])
        edit(restoration, task, then)

    monkeypatch.setattr(Restoration, "_edit", noted)
    go_back(life, point)
    assert edited == [TASKS[0]]
