"""A client of the SDK on a bad line: its own commands on their way, others' entries in between, in every order.

The client is the real one, from `project.send` to the replica; only the socket is played: what goes up waits until it
is served, what comes down waits until it is delivered, and both are lost when the line is cut. Acks and entries travel
side by side, so that either may come first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any, Literal

from actors.project.decider import ProjectActor
from pantherahive_client import Ack, Backoff, Client, HiveError, Project, Settings
from pantherahive_client.fold import evolve
from pantherahive_client.foresight.effects import is_foreseen, show
from pantherahive_client.link import OnAnswer
from pantherahive_client.project_state import ProjectState, from_parts
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command, Principal
from protocol.messages import decode_command, unpack_payload
from tests.actors.given import FACTS, OWNER, PROJECT_ID, Life, uuid
from tests.laws.law import opening

Weather = Literal["serve", "busy", "ack", "echo", "lose echo", "forget", "cut", "plug", "give up"]
_OFTEN: Sequence[tuple[Weather, int]] = (("serve", 6), ("echo", 5), ("ack", 4), ("plug", 2))
_SELDOM: Sequence[Weather] = ("busy", "lose echo", "forget", "cut", "give up")
WEATHER: Sequence[Weather] = (*(one for one, times in _OFTEN for _ in range(times)), *_SELDOM)
"""What happens between two commands, by how often."""

_FAIR: Sequence[Weather] = ("serve", "echo", "ack")

STREAM = f"project/{PROJECT_ID}"
EPOCH = 1
_SETTINGS = Settings(deadline_s=1e6, retry=Backoff(0, 0), in_flight_max=8)
_BUSY = Rejection(ErrorCode.OVERLOADED, "busy", {})


class Server:
    """The real actor, its log, and what it answered."""

    def __init__(self) -> None:
        self.life = Life(ProjectActor(), STREAM)
        # The entries as they travel.
        self.entries: list[Any] = []
        # opId → answer: a retry gets the first one.
        self.answers: dict[str, dict[str, Any]] = {}
        # opId → the seq of its entry.
        self.seqs: dict[str, int] = {}
        # The state after each entry, as it is folded.
        self.states = [ProjectState()]
        for step in opening():
            self.take(uuid(0x7000 + len(self.entries)), step.command, step.by)

    def take(self, op_id: str, command: Command, by: Principal) -> dict[str, Any]:
        """The answer to a command, as its author gets it."""
        if op_id in self.answers:
            return self.answers[op_id]
        now = f"2026-03-01T12:{len(self.entries) // 60:02d}:{len(self.entries) % 60:02d}.000Z"
        outcome = self.life.decide(command, by, now=now, facts=FACTS)
        if isinstance(outcome, Rejection):
            return {"error": outcome.as_json()}
        entry = self.life.take(outcome, now)
        self._publish(op_id, entry)
        result = self.life.actor.answer(outcome.events)
        self.answers[op_id] = {"cursor": self.cursor, "at": entry.at, "result": result}
        return self.answers[op_id]

    def _publish(self, op_id: str, entry: Any) -> None:
        wire = {
            "seq": entry.seq,
            "epoch": EPOCH,
            "opId": op_id,
            "author": entry.author,
            "at": entry.at,
            "recordedAt": entry.recorded_at,
            "events": unpack_payload(entry.payload)[0],
        }
        self.entries.append(wire)
        self.seqs[op_id] = entry.seq
        after = self.states[-1].copied()
        evolve(after, self.entries[-1])
        self.states.append(after)

    @property
    def cursor(self) -> str:
        return f"{len(self.entries)}.{EPOCH}"

    def parts(self) -> list[dict[str, Any]]:
        """The snapshot, one collection to a part."""
        whole = from_parts(self.life.actor.parts(self.life.state)).as_json()
        return [{name: value} for name, value in whole.items()]


@dataclass
class Line:
    """One connection. What is in its queues when it is cut is lost."""

    server: Server
    client: Client
    packet_bytes_max: int | None = None
    # From the client, in order.
    up: deque[tuple[str, Any, OnAnswer | None]] = field(default_factory=deque)
    # Acks of commands, in order.
    acks: deque[Callable[[], None]] = field(default_factory=deque)
    # Answers to joins, parts of snapshots and entries, in order; whether it is an entry, which may get lost.
    stream: deque[tuple[Callable[[], None], bool]] = field(default_factory=deque)
    is_followed: bool = False
    # Whether the next join gets a snapshot whatever its cursor.
    forgets: bool = False

    def send(self, event: str, payload: Mapping[str, Any], on_answer: OnAnswer | None = None) -> None:
        """See outbox.Sender."""
        self.up.append((event, payload, on_answer))

    def serve(self, *, busy: bool = False) -> None:
        """The server takes the next thing."""
        if not self.up:
            return
        event, payload, on_answer = self.up.popleft()
        if event == "join":
            self._join(payload, on_answer)
        elif event == "command":
            assert on_answer is not None
            self.acks.append(partial(on_answer, {"error": _BUSY.as_json()} if busy else self._command(payload)))

    def _command(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        command = decode_command(STREAM, payload["type"], payload["data"])
        if isinstance(command, Rejection):
            return {"error": command.as_json()}
        before = len(self.server.entries)
        answer = self.server.take(payload["opId"], command, OWNER)
        self.publish(before)
        return answer

    def publish(self, after: int) -> None:
        """Followers get what is new."""
        if self.is_followed:
            for entry in self.server.entries[after:]:
                message: Any = {"stream": STREAM, "entries": [entry]}
                self.stream.append((partial(self.client._followings.on_entries, message), True))

    def _join(self, payload: Mapping[str, Any], on_answer: OnAnswer | None) -> None:
        self.is_followed = True
        cursor, server = payload.get("cursor"), self.server
        resumes = cursor is not None and not self.forgets
        self.forgets = False
        parts = [] if resumes else server.parts()
        answer: dict[str, Any] = {
            "mode": "resume" if resumes else "snapshot" if cursor is None else "reset",
            "cursor": cursor if resumes else server.cursor,
            "parts": len(parts),
        }
        assert on_answer is not None
        self.stream.append((partial(on_answer, answer), False))
        for number, part in enumerate(parts):
            message: Any = {
                "stream": STREAM,
                "cursor": server.cursor,
                "part": number,
                "parts": len(parts),
                "state": part,
            }
            self.stream.append((partial(self.client._followings.on_snapshot, message), False))
        if cursor is not None and resumes:
            self.publish(int(cursor.split(".")[0]))


class Voyage:
    """One client in one project, through any weather, with its law checked at every turn."""

    def __init__(self) -> None:
        self.server = Server()
        self.client = Client("http://nowhere", token="t", settings=_SETTINGS)
        self.client._session.user_id = OWNER.id
        self.project = Project(self.client, PROJECT_ID, None, None, _SETTINGS)
        self.line: Line | None = None
        # What we sent, in order: opId → its type and whether it has come to an end.
        self.sent: dict[str, tuple[str, asyncio.Task[Ack]]] = {}
        # How often the law was looked at while something was pending.
        self.checked = 0
        self._ops = 0

    async def live(self, commands: Sequence[tuple[Command, Principal, bool]], weather: Sequence[Weather]) -> None:
        """Sends the commands (of others, or of ours on another device where the flag says so) through the weather."""
        try:
            await self._live(commands, weather)
        finally:
            for _, task in self.sent.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in self.sent.values()), return_exceptions=True)

    async def _live(self, commands: Sequence[tuple[Command, Principal, bool]], weather: Sequence[Weather]) -> None:
        self._plug()
        opened = asyncio.ensure_future(self.project.__aenter__())
        await self._calm()
        await opened
        turns = cycle(weather)
        for command, by, elsewhere in commands:
            if by == OWNER and not elsewhere:
                self._send(command)
            else:
                self._others(command, by)
            await self._settle()
            for _ in range(3):
                self._turn(next(turns))
                await self._settle()
                self.check()
        self._plug()
        await self._calm()
        self._check_end()
        await self.project.aclose()

    def _send(self, command: Command) -> None:
        self._ops += 1
        op_id, kind = uuid(0x9000 + self._ops), type(command).__name__
        sending = self.project.send(kind, command.as_json(), op_id=op_id)
        self.sent[op_id] = (kind, asyncio.ensure_future(sending))

    def _others(self, command: Command, by: Principal) -> None:
        self._ops += 1
        before = len(self.server.entries)
        self.server.take(uuid(0x9000 + self._ops), command, by)
        if self.line is not None:
            self.line.publish(before)

    def _turn(self, weather: Weather) -> None:
        line = self.line
        if weather == "plug":
            self._plug()
        elif weather == "give up":
            self._give_up()
        elif line is None:
            return
        elif weather == "cut":
            self._cut()
        elif weather == "forget":
            line.forgets = True
        elif weather in ("serve", "busy"):
            line.serve(busy=weather == "busy")
        elif weather == "ack":
            if line.acks:
                line.acks.popleft()()
        elif line.stream:
            deliver, is_entry = line.stream.popleft()
            if not (weather == "lose echo" and is_entry):
                deliver()

    def _plug(self) -> None:
        if self.line is None:
            self.line = Line(self.server, self.client)
            self.client._connection._connected(self.line)  # type: ignore[arg-type] # as much of a Link as is asked for

    def _give_up(self) -> None:
        """Whoever waits for the oldest command waits no longer; it may take effect all the same."""
        waiting = [task for _, task in self.sent.values() if not task.done()]
        if waiting:
            waiting[0].cancel()

    def _cut(self) -> None:
        self.line = None
        self.client._connection._disconnected()
        self.client._outbox.connection_over(refused=False)

    @staticmethod
    async def _settle() -> None:
        for _ in range(6):
            await asyncio.sleep(0)

    async def _calm(self) -> None:
        """Everything that is on its way arrives."""
        quiet = 0
        while quiet < 3:
            await self._settle()
            line = self.line
            assert line is not None
            if not (line.up or line.acks or line.stream):
                quiet += 1
                continue
            quiet = 0
            for weather in _FAIR:
                self._turn(weather)

    # ------------------------------------------------------------------ the law

    def check(self) -> None:
        """Confirmed is what the server had; shown is that and what is pending; pending is what has to be."""
        project = self.project
        try:
            confirmed = project.confirmed
        except HiveError:
            return  # between two states
        assert confirmed == self.server.states[project.seq], "what is confirmed is not what happened"
        pending = [one.op_id for one in project.pending]
        assert pending == [op_id for op_id in self.sent if op_id in pending], "the order of sending is lost"
        for op_id in self.sent:
            assert (op_id in pending) in self._may_be_pending(op_id), op_id
        expected = confirmed.copied()
        for one in project.pending:
            show(expected, one)
        assert project.state == expected, "what is shown is something else"
        _check_sets(project.state)
        self.checked += bool(pending)

    def _may_be_pending(self, op_id: str) -> set[bool]:
        kind, task = self.sent[op_id]
        if not is_foreseen(kind) or _has_failed(task):
            return {False}
        seq = self.server.seqs.get(op_id)
        if seq is None or seq > self.project.seq:
            return {True}
        # A snapshot may hold it before we are told so.
        return {False} if task.done() else {False, True}

    def _check_end(self) -> None:
        self.check()
        assert all(task.done() for _, task in self.sent.values())
        assert self.project.pending == []
        assert self.project.state is self.project.confirmed
        assert self.project.confirmed == from_parts(self.server.life.actor.parts(self.server.life.state))


def _has_failed(task: asyncio.Task[Ack]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _check_sets(state: ProjectState) -> None:
    """Nothing stands anywhere twice."""
    for task in state.tasks.values():
        for items in (task["labels"], task["assigneeIds"], task["watcherIds"]):
            assert len(set(items)) == len(items)
    for comment in state.comments.values():
        for reaction in comment["reactions"]:
            assert len(set(reaction["userIds"])) == len(reaction["userIds"])
