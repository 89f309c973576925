"""Milestones and fields are listed in the order they were made, also when one of them was gone in between."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.decider import ProjectActor
from actors.project.milestones import list_milestones
from actors.project.state import ProjectState, place_of, put_in_order
from actors.runtime.actor import restored
from pantherahive_client.fold import evolve
from pantherahive_client.project_state import ProjectState as Replica
from pantherahive_client.project_state import from_parts
from protocol.custom_fields import DefineField, RemoveField
from protocol.event import Command
from protocol.messages import unpack_payload
from protocol.milestones import CreateMilestone, DeleteMilestone
from protocol.timetravel import RestoreProjectTo
from tests.actors.given import LATER, MEMBER, OWNER, VIEWER, Life, a_team, happened, project_state, uuid
from tests.actors.undoing import newest, restore, undo

MILESTONES, FIELDS = (tuple(uuid(first + n) for n in range(3)) for first in (0x503, 0x603))
KINDS = pytest.mark.parametrize(
    ("kind", "remove"),
    [
        ("milestones", DeleteMilestone(milestone_id=MILESTONES[0])),
        ("fields", RemoveField(field_id=FIELDS[0])),
    ],
    ids=["milestones", "fields"],
)


def three_of_each() -> Life:
    """Each a second younger than the one before."""
    life = a_team()
    for number, (milestone, field) in enumerate(zip(MILESTONES, FIELDS, strict=True)):
        life.given(
            (OWNER, CreateMilestone(milestone_id=milestone, name=f"Version {number}")),
            (OWNER, DefineField(field_id=field, name=f"Field {number}", type="text")),
            now=f"2026-03-01T12:00:0{number}.000Z",
        )
    return life


def replica_of(life: Life) -> Replica:
    """What a client folded of all entries."""
    replica = Replica()
    for entry in life.entries:
        wire: Any = {"author": entry.author, "at": entry.at, "events": unpack_payload(entry.payload)[0]}
        evolve(replica, wire)
    return replica


def order_of(state: ProjectState | Replica, kind: str) -> list[int]:
    """Which of the three stands where."""
    ids = MILESTONES if kind == "milestones" else FIELDS
    return [ids.index(one) for one in getattr(state, kind)]


@KINDS
def test_what_is_undone_stands_where_it_stood(kind: str, remove: Command) -> None:
    life = three_of_each()
    life.given((OWNER, remove), now=LATER)
    assert order_of(project_state(life), kind) == [1, 2]
    happened(undo(life, newest(life), OWNER, LATER))
    assert order_of(project_state(life), kind) == [0, 1, 2]
    assert order_of(replica_of(life), kind) == [0, 1, 2]
    assert order_of(life.replayed(), kind) == [0, 1, 2]


@KINDS
def test_a_project_that_is_restored_has_its_old_order(kind: str, remove: Command) -> None:
    life = three_of_each()
    point = newest(life)
    life.given((OWNER, remove), now=LATER)
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER, LATER))
    assert order_of(project_state(life), kind) == [0, 1, 2]
    assert order_of(replica_of(life), kind) == [0, 1, 2]


@pytest.mark.parametrize("kind", ["milestones", "fields"])
def test_a_snapshot_of_another_order_is_put_in_order(kind: str) -> None:
    life = three_of_each()
    parts = [
        {name: [*reversed(records)] if name == kind else records for name, records in part.items()}
        for part in life.actor.parts(life.state)
    ]
    assert order_of(restored(ProjectActor(), life.stream, parts), kind) == [0, 1, 2]
    assert order_of(from_parts(parts), kind) == [0, 1, 2]


def test_those_of_one_moment_stand_by_id() -> None:
    state = project_state(three_of_each())
    first, *_, last = state.milestones.values()
    twin: Any = {**last, "id": uuid(0x501)}
    put_in_order(state.milestones, twin)
    assert [*state.milestones] == [*MILESTONES[:2], twin["id"], MILESTONES[2]]
    assert place_of(first) < place_of(twin) < place_of(last)


def test_a_page_goes_on_behind_a_milestone_that_is_gone() -> None:
    life = three_of_each()
    place = place_of(project_state(life).milestones[MILESTONES[1]])
    life.given((OWNER, DeleteMilestone(milestone_id=MILESTONES[1])), now=LATER)
    state = project_state(life)
    assert list_milestones(state, VIEWER, place) == [state.milestones[MILESTONES[2]]]
    happened(undo(life, newest(life), OWNER, LATER))
    assert list_milestones(state, VIEWER, place) == [state.milestones[MILESTONES[2]]]
    assert list_milestones(state, MEMBER, place_of(state.milestones[MILESTONES[2]])) == []
