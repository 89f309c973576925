"""Long histories, made in bulk by what makes them in the product: the actor decides, evolves and is snapshot, and the
entries go into the log by its own append. Only the gateway, the socket and the wait for each ack are left out.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from actors.project.decider import ProjectActor
from actors.project.state import ProjectState
from actors.runtime.actor import Context, Decision, EntryMeta
from actors.runtime.limits import RuntimeLimits
from actors.runtime.outcomes import OutcomeMemory, SeenCommand
from actors.runtime.replay import pack_snapshot
from protocol.base import instant_of
from protocol.comments import AddComment, EditComment
from protocol.event import Principal
from protocol.log import AppendBatch, ClaimedShard, NewEntry, ShardFence, Snapshot, shard_of
from protocol.messages import ProjectCommand, digest_of, event_json, pack_payload
from protocol.projects import CreateProject
from protocol.tasks import CreateTask, EditTask
from server.ids import SystemIds
from storage.embedded import EmbeddedPostgres
from storage.postgres.storage import PostgresStorage

BATCH_ENTRIES = 2_000
_STATES = ("backlog", "todo", "in-progress", "done")


@dataclass(frozen=True, slots=True)
class History:
    """What a project is to have behind it: so many entries and tasks, from `began` on until now, evenly."""

    entries: int
    tasks: int
    began: datetime
    key: str
    comment_share: float = 0.02


@dataclass(slots=True)
class _Life:
    """One project while it is made."""

    stream: str
    key: str
    owner: Principal
    ids: SystemIds
    state: ProjectState
    actor: ProjectActor = field(default_factory=ProjectActor)
    memory: OutcomeMemory = field(default_factory=lambda: OutcomeMemory(RuntimeLimits().outcomes_remembered_max))
    seq: int = 0

    def send(self, command: ProjectCommand, now: str) -> NewEntry:
        """As `actors.runtime.cell` accepts it. Raises TypeError for a refusal."""
        op_id, digest = self.ids.new_id(), digest_of(self.owner.id, command, None, None)
        context = Context(now, op_id, self.owner, self.ids.new_id, facts={"projectKey": self.key}, seq=self.seq)
        decision = self.actor.decide(self.state, command, context)
        if not isinstance(decision, Decision):
            raise TypeError(decision)
        self.seq += 1
        meta = EntryMeta(self.seq, op_id, decision.author, decision.at, now)
        for event in decision.events:
            self.actor.evolve(self.state, event, meta)
        notices = self.actor.notices(self.state, decision.events, decision.author)
        payload = pack_payload([event_json(event) for event in decision.events], None, notices)
        self.memory.remember(op_id, now, SeenCommand(self.seq, 1, digest, decision.at, None))
        return NewEntry(self.stream, self.seq, op_id, digest, payload, decision.author, decision.at, now)

    def snapshot(self, epoch: int) -> Snapshot:
        """As `actors.runtime.snapshots` writes it."""
        packed = b"".join(pack_snapshot(self.memory.as_json(), self.actor.parts(self.state)))
        at = self.actor.content_at(self.state)
        return Snapshot(self.stream, self.seq, epoch, at, self.actor.schema_version, packed)


def _commands(history: History, chance: random.Random) -> Iterator[ProjectCommand]:
    """A creation, then tasks at an even pace among edits and comments."""
    yield CreateProject(name=f"A history of {history.entries:,} entries")
    tasks: list[str] = []
    comments: list[str] = []
    ids = SystemIds()
    for number in range(1, history.entries):
        if len(tasks) < history.tasks and len(tasks) * history.entries <= number * history.tasks:
            tasks.append(ids.new_id())
            yield CreateTask(
                task_id=tasks[-1],
                title=f"Task {len(tasks)} of a project that somebody works on",
                description="What is to be done here takes a line or two to say. " * 4,
                labels=["server", "later"],
            )
            continue
        task = chance.choice(tasks)
        if chance.random() < history.comment_share:
            if comments and chance.random() < 0.3:
                yield EditComment(comment_id=chance.choice(comments), body=f"On second thought {number}")
            else:
                comments.append(ids.new_id())
                yield AddComment(comment_id=comments[-1], task_id=task, body=f"Comment as of entry {number}")
        elif chance.random() < 0.3:
            yield EditTask(task_id=task, state_id=chance.choice(_STATES))
        else:
            yield EditTask(task_id=task, title=f"Task as of entry {number}, which somebody works on")


@asynccontextmanager
async def opened(data_dir: Path) -> AsyncIterator[Seeder]:
    """On the database of a product that does not run."""
    postgres = EmbeddedPostgres(data_dir)
    storage = await PostgresStorage.open(postgres.start(), SystemIds().new_id())
    try:
        await storage.ownership.open_session(storage.database.session, "seeder", "nowhere", 24 * 3600)
        yield Seeder(storage)
        await storage.ownership.close_session(storage.database.session)
    finally:
        await storage.close()
        postgres.stop()


@dataclass(frozen=True, slots=True)
class Seeder:
    """Writes histories into an open database."""

    storage: PostgresStorage

    async def seed(self, owner_id: str, history: History) -> str:
        """A project of the owner with this history: its id. Snapshots are made, and thinned, when the product does."""
        ids, session = SystemIds(), self.storage.database.session
        project_id = ids.new_id()
        stream = f"project/{project_id}"
        await self.storage.project_keys.claim(history.key, project_id)
        shard = await self._claimed(shard_of(stream))
        lane = await self.storage.journal.open_lane()
        life = _Life(stream, history.key, Principal(owner_id), ids, ProjectActor().initial(stream))
        limits, snapshot_seq, snapshot_bytes = RuntimeLimits(), 0, 0
        step = (datetime.now(UTC) - history.began) / history.entries
        batch: list[NewEntry] = []
        for number, command in enumerate(_commands(history, random.Random(history.entries))):
            batch.append(life.send(command, instant_of(history.began + number * step)))
            if life.seq - snapshot_seq >= limits.snapshot_entries(snapshot_bytes):
                snapshot = life.snapshot(shard.epoch)
                await self.storage.journal.save_snapshot(snapshot)
                snapshot_seq, snapshot_bytes = snapshot.seq, len(snapshot.state)
            if len(batch) == BATCH_ENTRIES or life.seq == history.entries:
                fence = ShardFence(shard.shard, shard.epoch, shard.head + life.seq - len(batch))
                await lane.append(AppendBatch(session, [fence], batch))
                batch = []
        await lane.close()
        return project_id

    async def _claimed(self, shard: int) -> ClaimedShard:
        ownership = self.storage.ownership
        seen = {row.shard: row.epoch for row in await ownership.shards() if row.shard == shard}
        [claimed] = await ownership.claim(self.storage.database.session, seen, 1)
        return claimed
