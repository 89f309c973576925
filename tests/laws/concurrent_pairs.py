"""Concurrent pairs of link and parent commands, each good alone, that would close a cycle together.

    .venv/bin/python -m tests.laws.concurrent_pairs --pairs 10000

They go through the real runtime over storage in memory, many pairs at a time, with restarts in between. Afterwards the
log alone is read: no entry may have closed a cycle, and every refusal must have had its reason at a point between the
sending of its command and its answer.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from actors.project.decider import ProjectActor
from actors.runtime.request import Accepted, Outcome, Request
from protocol.event import Command, Principal
from protocol.links import AddLink, RemoveLink
from protocol.messages import digest_of
from protocol.projects import CreateProject
from protocol.tasks import CreateTask, DeleteTask, EditTask, RestoreTask
from tests.actors.given import uuid
from tests.actors.runtime.world import World, a_world
from tests.laws.reasons import Answered, Reader

STREAM: Final = f"project/{uuid(0xA)}"
OWNER: Final = Principal(uuid(0x100))
PAIRS_AT_ONCE: Final = 12
PAIRS_PER_RESTART: Final = 600
EDGES_KEPT: Final = 60
NOISE: Final = 0.08
DELETIONS: Final = 0.1


@dataclass
class Result:
    """What became of the pairs, and what is wrong."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    entries: int = 0

    def lines(self) -> list[str]:
        return [
            f"pairs: {dict(self.outcomes)}",
            f"refusals by reason: {dict(self.reasons)}",
            f"entries: {self.entries}",
            f"violations: {len(self.violations)}",
            *self.violations[:20],
        ]


class Field:
    """One project that the pairs meet in."""

    def __init__(self, world: World, chance: Random, tasks: int) -> None:
        self._world = world
        self._chance = chance
        self.tasks = [uuid(0x2000 + number) for number in range(tasks)]
        self.answered: list[Answered] = []
        # What was put into the project and not yet asked to be taken out.
        self._standing: list[Command] = []

    async def open(self) -> None:
        """The project and its tasks."""
        await self.send(CreateProject(name="Apollo"), projectKey="APOLLO")
        for task_id in self.tasks:
            await self.send(CreateTask(task_id=task_id, title="x"))

    async def send(self, command: Command, **facts: Any) -> Outcome:
        """A command, noted with the heads of the log before it and after its answer."""
        world = self._world
        before = len(world.journal.entries(STREAM))
        digest = digest_of(OWNER.id, command, None, None)
        deadline_s = world.clock.monotonic_s() + 30
        request = Request(STREAM, world.ids.new_id(), command, OWNER, digest, deadline_s, facts=facts)
        outcome = await world.region.command(request)
        self.answered.append(Answered(command, outcome, before, len(world.journal.entries(STREAM))))
        if isinstance(outcome, Accepted):
            self._note(command, outcome)
        return outcome

    def _note(self, command: Command, outcome: Accepted) -> None:
        if isinstance(command, AddLink):
            self._standing.append(RemoveLink(link_id=outcome.result["linkId"]))
        elif isinstance(command, EditTask) and command.parent_id is not None:
            self._standing.append(EditTask(task_id=command.task_id, parent_id=None))

    async def pair(self) -> str:
        """Two that contradict each other, and now and then somebody who clears up or deletes."""
        first, second = self._chance.sample(self.tasks, 2)
        commands = [self._before(first, second), self._before(second, first)]
        if self._chance.random() < NOISE:
            task_id = self._chance.choice(self.tasks)
            is_deleted = self._chance.random() < DELETIONS
            commands.append(DeleteTask(task_id=task_id) if is_deleted else RestoreTask(task_id=task_id))
        while len(self._standing) > EDGES_KEPT:
            commands.append(self._standing.pop(self._chance.randrange(len(self._standing))))
        outcomes = await asyncio.gather(*(self.send(command) for command in commands))
        accepted = sum(isinstance(outcome, Accepted) for outcome in outcomes[:2])
        return ("both refused", "one accepted", "both accepted")[accepted]

    def _before(self, first: str, then: str) -> Command:
        """One of the ways to put a task before another."""
        match self._chance.choice(["blocks", "precedes", "parent"]):
            case "blocks":
                return AddLink(type="blocks", task_id=first, other_id=then)
            case "precedes":
                return AddLink(type="precedes", task_id=first, other_id=then)
            case _:
                return EditTask(task_id=first, parent_id=then)


async def run(pairs: int, seed: int, tasks: int = 60) -> Result:
    """Plays the pairs and reads what the log says of them."""
    result = Result()
    async with a_world(ProjectActor()) as world:
        ground = Field(world, Random(seed), tasks)
        await ground.open()
        for begun in range(0, pairs, PAIRS_AT_ONCE):
            if begun % PAIRS_PER_RESTART == 0:
                await world.restart()
            count = min(PAIRS_AT_ONCE, pairs - begun)
            result.outcomes.update(await asyncio.gather(*(ground.pair() for _ in range(count))))
        entries = world.journal.entries(STREAM)
        reader = Reader(entries)
        result.entries = len(entries)
        result.violations += reader.cycles
        for one in ground.answered:
            if not isinstance(one.outcome, Accepted):
                reason = one.outcome.details.get("reason", one.outcome.code.value)
                result.reasons[reason] += 1
                if not reader.is_justified(one):
                    result.violations.append(f"refused without reason: {one}")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    result = asyncio.run(run(arguments.pairs, arguments.seed))
    print(*result.lines(), f"seconds: {time.monotonic() - began_s:.0f}", sep="\n")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
