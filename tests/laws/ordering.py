"""Many moves of cards through the actor: no ties, every card beside the neighbour that was named, short ranks.

By hand, for as long as it takes:

    python -m tests.laws.ordering --random 1000000 --gap 100000 --cards 10000
"""

from __future__ import annotations

import argparse
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from actors.project.decider import ProjectActor
from actors.project.limits import ProjectLimits
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.members import AddMember
from protocol.messages import ProjectCommand
from protocol.projects import CreateProject
from protocol.ranks import MoveTask, TasksReranked
from protocol.tasks import CreateTask
from tests.actors.given import FACTS, NOW, OWNER, PROJECT_ID, uuid

STATE = "backlog"
CLIENTS = 5
LOOK_EVERY_MOVES = 200


@dataclass
class Tally:
    """What was seen."""

    moves: int = 0
    moved: int = 0
    neighbours_moved: int = 0
    longest_rank: int = 0
    reranks: int = 0
    reranked_tasks: int = 0
    largest_rerank: int = 0
    seconds: float = 0.0


class Board:
    """A project with many cards in one state, and several people who move them."""

    def __init__(self, cards: int, limits: ProjectLimits | None = None) -> None:
        self.actor = ProjectActor(limits)
        self.state: ProjectState = self.actor.initial(f"project/{PROJECT_ID}")
        self.tally = Tally()
        self._seq = 0
        self.people = [OWNER, *(Principal(uuid(0x900 + number)) for number in range(CLIENTS - 1))]
        self.ids = [uuid(0x10_0000 + number) for number in range(cards)]
        self.send(CreateProject(name="Apollo"), OWNER)
        for person in self.people[1:]:
            self.send(AddMember(user_id=person.id, role="member"), OWNER)
        for task_id in self.ids:
            self.send(CreateTask(task_id=task_id, title="card", state_id=STATE), OWNER)

    def send(self, command: ProjectCommand, by: Principal) -> Sequence[Any] | Rejection:
        """The events of an accepted command."""
        context = Context(NOW, uuid(self._seq), by, lambda: uuid(0), facts=FACTS, seq=self._seq)
        outcome = self.actor.decide(self.state, command, context)
        if isinstance(outcome, Rejection):
            return outcome
        self._seq += 1
        for event in outcome.events:
            self.actor.evolve(self.state, event, EntryMeta(self._seq, context.op_id, by.id, NOW, NOW))
        return outcome.events

    @property
    def order(self) -> list[str]:
        """The cards as they stand."""
        return [task_id for _, task_id in self.state.cards[STATE]]

    def move(self, command: MoveTask, by: Principal) -> None:
        """Moves, and looks whether the card stands where it was put, alone in its place."""
        tally = self.tally
        tally.moves += 1
        outcome = self.send(command, by)
        if isinstance(outcome, Rejection):
            assert outcome.details["reason"] == "neighbours_moved", outcome
            tally.neighbours_moved += 1
            return
        tally.moved += bool(outcome)
        for event in outcome:
            ranks = event.ranks.values() if isinstance(event, TasksReranked) else [event.changes["rank"]]
            tally.longest_rank = max(tally.longest_rank, *map(len, ranks))
            if isinstance(event, TasksReranked):
                tally.reranks += 1
                tally.reranked_tasks += len(event.ranks)
                tally.largest_rerank = max(tally.largest_rerank, len(event.ranks))
        self._check_place(command)

    def _check_place(self, command: MoveTask) -> None:
        cards = self.state.cards[STATE]
        rank = self.state.tasks[command.task_id]["rank"]
        at = bisect_left(cards, (rank, command.task_id))
        assert cards[at] == (rank, command.task_id)
        assert at == 0 or cards[at - 1][0] < rank, "a tie"
        assert at == len(cards) - 1 or rank < cards[at + 1][0], "a tie"
        if command.after is not None:
            assert cards[at - 1][1] == command.after, "it stands elsewhere"
        elif command.before is not None:
            assert cards[at + 1][1] == command.before, "it stands elsewhere"

    def check(self) -> None:
        """The whole board: every card once, no ties, and the index is what the tasks say."""
        cards = self.state.cards[STATE]
        assert cards == sorted((task["rank"], task["id"]) for task in self.state.tasks.values())
        assert len({rank for rank, _ in cards}) == len(cards) == len(self.ids), "a tie"


def at_random(board: Board, moves: int, seed: int = 1) -> Tally:
    """Several people drop cards between neighbours that they see: each sees a part, as it stood a while ago."""
    chance = Random(seed)
    started = time.perf_counter()
    views: list[list[str]] = [[] for _ in board.people]
    for number in range(moves):
        if number % LOOK_EVERY_MOVES == 0:
            order = board.order
            views = [[task_id for task_id in order if chance.random() < 0.7] or order for _ in board.people]
        client = chance.randrange(len(board.people))
        view, task_id = views[client], chance.choice(board.ids)
        board.move(_dropped(view, task_id, chance), board.people[client])
    board.check()
    board.tally.seconds = time.perf_counter() - started
    return board.tally


def _dropped(view: list[str], task_id: str, chance: Random) -> MoveTask:
    """Where a person lets go of a card: between two, or with one neighbour alone, or at the end."""
    at = chance.randrange(len(view))
    where: dict[str, str] = {}
    way = chance.randrange(20)
    if way < 14 and view[at] != task_id:
        where["after"] = view[at]
    if way > 6 and at + 1 < len(view) and view[at + 1] != task_id:
        where["before"] = view[at + 1]
    return MoveTask(task_id=task_id, **where)


def into_one_gap(board: Board, moves: int) -> Tally:
    """The last card of the board, always right behind the first one."""
    started = time.perf_counter()
    for number in range(moves):
        cards = board.state.cards[STATE]
        command = MoveTask(task_id=cards[-1][1], after=cards[0][1])
        board.move(command, board.people[number % len(board.people)])
    board.check()
    board.tally.seconds = time.perf_counter() - started
    return board.tally


def main() -> None:
    """Both runs, with what they saw."""
    parser = argparse.ArgumentParser(description="Many moves of cards through the actor.")
    parser.add_argument("--random", type=int, default=1_000_000, help="moves to random places")
    parser.add_argument("--gap", type=int, default=100_000, help="moves into always the same gap")
    parser.add_argument("--cards", type=int, default=10_000, help="cards on the board")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("at random:", at_random(Board(given.cards), given.random, given.seed), flush=True)
    print("one gap:", into_one_gap(Board(given.cards), given.gap), flush=True)


if __name__ == "__main__":
    main()
