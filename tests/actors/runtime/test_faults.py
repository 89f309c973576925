"""Clients that send again, over a log that fails in every way it can and a node that dies, and one history checker."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.runtime.actor import meta_of
from actors.runtime.delivery import UNAVAILABLE
from actors.runtime.region import Region
from actors.runtime.request import Accepted, Outcome
from protocol.errors import Rejection
from protocol.event import Command
from protocol.log import Entry
from protocol.messages import decode_event, unpack_payload
from storage.memory.faulty import Hold, LoseAnswer, Refuse
from tests.actors.runtime.notes import Notes, NotesActor, add, edit
from tests.actors.runtime.stepped_loop import SteppedLoop, run_stepped
from tests.actors.runtime.world import World, a_world, accepted, settle

STREAMS = [f"notes/{number}" for number in range(4)]
RUNTIME_TASKS = {"lane", "sweep", "load streams", "look up opIds", "write snapshots", "read page"}
PATIENCE_S = 5.0
"""Of the loop's time. A fault lasts for 2 ms of it at most, so a command without an answer has none to come."""


def look_at_all(state: Notes) -> tuple[dict[str, str], int]:
    return dict(state.texts), state.applied


class Clients:
    """Everything that was sent and heard."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        # Answers that somebody still waits for, and the node that was asked.
        self.waiting: dict[asyncio.Future[Any], Region] = {}
        # (stream, opId) → the final answer.
        self.answers: dict[tuple[str, str], Outcome] = {}
        # Stream → the newest seq that somebody was told.
        self.told: dict[str, int] = dict.fromkeys(STREAMS, 0)

    def watched(self, reply: asyncio.Future[Any]) -> asyncio.Future[Any]:
        self.waiting[reply] = self.world.region
        reply.add_done_callback(self.waiting.pop)
        return reply

    async def send(self, stream: str, command: Command, op_id: str) -> None:
        """Sends until there is an answer that is final, sometimes twice at once, and once more after it."""
        told, until_s = self.told[stream], asyncio.get_running_loop().time() + PATIENCE_S
        while not (final := await self.try_once(stream, command, op_id)):
            assert asyncio.get_running_loop().time() < until_s, "never answered"
            await settle(self.chance.choice([0, 1, 2, 3, 4, 5, 5, 40]))  # 40 turns: as long as a fault lasts
        assert all(answer == final[0] for answer in final)
        self.answers[stream, op_id] = final[0]
        if isinstance(final[0], Accepted):
            assert final[0].cursor.seq > told, "order of acks"
            self.told[stream] = max(self.told[stream], final[0].cursor.seq)
            if self.chance.random() < 0.3:
                await settle(self.chance.randint(0, 30))
                again = await self.watched(self.world.send(command, stream, op_id=op_id))
                assert again == final[0] or (isinstance(again, Rejection) and again.retryable)

    async def try_once(self, stream: str, command: Command, op_id: str) -> list[Outcome]:
        """The final ones among the answers to the command and its copy."""
        count = self.chance.choice([1, 1, 2])
        copies = [self.watched(self.world.send(command, stream, op_id=op_id)) for _ in range(count)]
        answers = await asyncio.gather(*copies)
        return [answer for answer in answers if isinstance(answer, Accepted) or not answer.retryable]

    async def read(self, stream: str) -> None:
        """A reading shows at least what was told before, and exactly the log up to its seq."""
        told = self.told[stream]
        reading = await self.watched(self.world.read(look_at_all, stream=stream))
        if isinstance(reading, Rejection):
            assert reading.retryable
            return
        assert reading.cursor.seq >= told
        texts, applied = reading.value
        assert fold(self.world, stream, reading.cursor.seq) == (texts, applied)

    async def kill_the_node(self) -> None:
        """The node is gone; every connection is lost and the next session takes over."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SteppedLoop)
        tasks = loop.tasks_named(RUNTIME_TASKS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        dead = self.world.region
        await self.world.start()
        # Also what was sent to the dead node until the next one stood has nobody left to answer it.
        for reply, asked in list(self.waiting.items()):
            if asked is dead and not reply.done():
                reply.set_result(UNAVAILABLE)

    def check(self) -> None:
        """Every accepted command stands in the log once, at its cursor; no rejected one does."""
        for (stream, op_id), answer in self.answers.items():
            entries = [entry for entry in self.world.journal.entries(stream) if entry.op_id == op_id]
            if isinstance(answer, Accepted):
                assert [(entry.seq, entry.epoch) for entry in entries] == [answer.cursor]
            else:
                assert entries == []


def fold(world: World, stream: str, seq: int) -> tuple[dict[str, str], int]:
    """The state that the log alone leads to."""
    actor = NotesActor()
    state = actor.initial(stream)
    for entry in world.journal.entries(stream)[:seq]:
        for event in unpack_payload(entry.payload)[0]:
            actor.evolve(state, decode_event(event), meta_of(entry))
    return dict(state.texts), state.applied


async def clients_over_faults(seed: int) -> list[list[Entry]]:
    """Returns the log of each stream."""
    chance = random.Random(seed)
    limits: dict[str, Any] = {
        "outcomes_remembered_max": chance.choice([1, 3, 1_000]),
        "unsettled_entries_max": chance.choice([1, 4, 64]),
        "mailbox_messages_max": chance.choice([3, 1_000]),
        "batch_entries_max": chance.choice([2, 2_000]),
        "snapshot_every_entries": chance.choice([4, 500]),
        "load_page_entries": chance.choice([3, 1_000]),
        "turn_messages_max": chance.choice([1, 64]),
        # The clock stands within a turn: either a fold pauses after each of its pieces, or never.
        "loop_slice_s": chance.choice([0.0, 0.005]),
        "crashes_before_quarantine": 10_000,
    }
    async with a_world(lanes=chance.choice([1, 2]), **limits) as world:
        clients = Clients(world, chance)
        tasks: list[asyncio.Task[None]] = []
        for step in range(60):
            await settle(chance.randint(0, 6))
            world.clock.advance(chance.choice([0.0, 0.001, 0.1]))
            stream = chance.choice(STREAMS)
            match chance.randint(0, 9):
                case 0 | 1 | 2 | 3 | 4:
                    made_ms = world.clock.now_ms + chance.choice([0, 0, 0, -3_600_000, 3_600_000])
                    edited = edit(chance.randint(0, 20), f"{step}")
                    command = chance.choice([add(step), edited, add(chance.randint(0, 9))])
                    tasks.append(asyncio.create_task(clients.send(stream, command, world.ids.made_at(made_ms))))
                    if chance.random() < 0.1:
                        tasks.append(asyncio.create_task(_crash(clients, stream, step)))
                case 5:
                    tasks.append(asyncio.create_task(clients.read(stream)))
                case 6:
                    fate: Any = chance.choice(["applied", "never", "late"])
                    world.journal.next(LoseAnswer(fate))
                case 7:
                    world.journal.next(Refuse())
                case 8:
                    hold = world.journal.next(Hold(applied_first=chance.random() < 0.5))
                    asyncio.get_running_loop().call_later(chance.random() * 0.002, hold.release)
                case _:
                    if chance.random() < 0.3:
                        await clients.kill_the_node()
                    else:
                        world.region.passivate(stream)
        async with asyncio.timeout(20):
            await asyncio.gather(*tasks)
            world.journal._plan.clear()
            for stream in STREAMS:
                await clients.read(stream)
        clients.check()
        accepted(await world.send(add(1), "notes/9"))
        return [world.journal.entries(stream) for stream in STREAMS]


async def _crash(clients: Clients, stream: str, step: int) -> None:
    """A command at which `evolve` breaks down, in the middle of everything."""
    reply = await clients.watched(clients.world.send(add(5_000 + step, "evolve!"), stream))
    assert isinstance(reply, Rejection)
    assert reply.retryable


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32))
def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(seed: int) -> None:
    run_stepped(clients_over_faults(seed))


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_a_seed_has_one_history_on_a_busy_machine_too(seed: int) -> None:
    """What fails once fails again, and nothing fails because others had the processor."""
    assert run_stepped(clients_over_faults(seed)) == run_stepped(clients_over_faults(seed))
