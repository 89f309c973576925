"""Where a task stood among cards that an entry has moved aside, found without a look at each of them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from actors.project import undo as undoing
from actors.project.events import evolve
from actors.project.gaps import ranks_between
from actors.project.moved_aside import MovedAside
from actors.project.past_entries import PastEntry, past_entry
from actors.project.places import spot_of
from actors.project.state import ProjectState
from actors.runtime.actor import EntryMeta
from protocol.messages import ProjectEvent
from protocol.ranks import Rank, TasksReranked
from protocol.tasks import CreateTask, EditTask, EditTasks, TaskEdited
from tests.actors.given import MEMBER, NOW, OWNER, Life, a_team, happened, uuid
from tests.actors.undoing import newest, undo

STATE = "backlog"
META = EntryMeta(1000, uuid(1), OWNER.id, NOW, NOW)
LIVES = 60
STEPS = 15
MANY = 30


def a_board(count: int) -> Life:
    """So many tasks in one state."""
    life = a_team()
    life.given(*((MEMBER, CreateTask(task_id=uuid(0xB00 + one), title="x")) for one in range(count)))
    return life


def any_aside(chance: Random, state: ProjectState) -> TasksReranked | None:
    """Some neighbours get other ranks, in the order in which they stand."""
    cards = state.cards[STATE]
    first = chance.randrange(len(cards))
    group = cards[first : first + chance.randint(1, 6)]
    after = first + len(group)
    low, high = cards[first - 1][0] if first else None, cards[after][0] if after < len(cards) else None
    ranks = ranks_between(low, high, len(group) + 1)
    if ranks is None:
        return None  # two of them have one rank
    spared = chance.randrange(len(ranks))
    ranks = ranks[:spared] + ranks[spared + 1 :]
    moved = {card[1]: rank for card, rank in zip(group, ranks, strict=True) if rank != card[0]}
    was = {one: state.tasks[one]["rank"] for one in moved}
    return TasksReranked(state_id=STATE, ranks=moved, was=was) if moved else None


def any_move(chance: Random, state: ProjectState, ranks: list[Rank]) -> TaskEdited:
    """To a rank that there has been, or into another state."""
    task = state.tasks[chance.choice(list(state.tasks))]
    changes: Any = {"rank": chance.choice(ranks), "stateId": chance.choice([STATE, STATE, STATE, "todo"])}
    was: Any = {"rank": task["rank"], "stateId": task["stateId"]}
    return TaskEdited(task_id=task["id"], changes=changes, was=was)


def plain_spot(state: ProjectState, events: list[TasksReranked], rank: Rank) -> int:
    """Behind all cards whose rank is smaller, each taken with the rank from which one of the events moved it here."""
    were = dict[str, Rank]()
    for event in events:
        here = (one for one in event.ranks if (one, event.ranks[one]) in standing(state))
        were.update((one, event.was[one]) for one in here)
    cards = state.cards.get(STATE, [])
    return max((index + 1 for index, card in enumerate(cards) if were.get(card[1], card[0]) < rank), default=0)


def standing(state: ProjectState) -> set[tuple[str, Rank]]:
    """Id and rank of the tasks in the state."""
    return {(task_id, rank) for rank, task_id in state.cards.get(STATE, [])}


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_place_is_found_as_if_every_card_were_asked(seed: int) -> None:
    chance, state = Random(seed), a_board(12).state
    asides: list[TasksReranked] = []
    ranks = [rank for rank, _ in state.cards[STATE]]
    for _ in range(STEPS):
        event = any_aside(chance, state) if chance.random() < 0.5 else any_move(chance, state, ranks)
        if event is None:
            continue
        evolve(state, event, META)
        if isinstance(event, TasksReranked):
            asides.append(event)
            ranks += event.ranks.values()
        found = MovedAside(state)
        found.take(asides)
        for rank in ranks:
            assert spot_of(state, STATE, rank, "nobody", found)[0] == plain_spot(state, asides, rank), (seed, rank)


class Events(list[ProjectEvent]):
    """Those of an entry; how often all of them were gone through."""

    rounds = 0

    def __iter__(self) -> Iterator[ProjectEvent]:
        """From the first one on."""
        self.rounds += 1
        return super().__iter__()

    def __reversed__(self) -> Iterator[ProjectEvent]:
        """From the last one on."""
        self.rounds += 1
        return super().__reversed__()


@pytest.mark.parametrize("count", [1, MANY])
def test_an_entry_is_gone_through_a_few_times_however_much_it_did(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    life = a_board(count)
    edits = [EditTask(task_id=task_id, state_id="todo") for task_id in life.state.tasks]
    life.given((MEMBER, EditTasks(edits=edits)))
    read: list[Events] = []

    def counted(fact: Any) -> PastEntry:
        entry = past_entry(fact)
        read.append(Events(entry.events))
        return PastEntry(entry.op_id, entry.seq, entry.author, entry.at, read[-1])

    monkeypatch.setattr(undoing, "past_entry", counted)
    happened(undo(life, newest(life), MEMBER))
    assert 0 < sum(one.rounds for one in read) < MANY
