"""One removal in the middle of traffic, from the guest's arrival to the verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from pantherahive_client import new_id
from protocol.cursors import Cursor
from tests.chaos.client import Account, chance
from tests.chaos.exits import EXITS, RACING, RENAME, Attempt, Ground, Unexpected
from tests.chaos.listener import Listener
from tests.chaos.socket import ConnectionFailed
from tests.chaos.verdict import GRACE_S, Findings

KINDS: Final = ("removed", "removed", "removed", "left", "left", "deleted")
LAGGING_PERCENT: Final = 50.0
TAKEN_BACK_PERCENT: Final = 30.0
BURST: Final = 16
BURST_CHARACTERS: Final = 30_000
CLOSED_TIMEOUT_S: Final = 20.0


@dataclass
class Board:
    """A project that interleavings are played on, one after the other."""

    url: str
    http: aiohttp.ClientSession
    slow_http: aiohttp.ClientSession
    owner: Account
    guests: Sequence[Account]
    project_id: str
    socket: Listener
    task_id: str = ""
    # Whether the last interleaving left it deleted.
    deleted: bool = False

    @property
    def stream(self) -> str:
        return f"project/{self.project_id}"

    async def open(self) -> None:
        """The task, the members, and the owner as a follower."""
        self.task_id = (await self.do("CreateTask", title="The task"))["result"]["taskId"]
        for guest in self.guests:
            await self.do("AddMember", userId=guest.id, role="member")
        assert "error" not in await self.socket.join()

    async def do(self, type_: str, **data: Any) -> dict[str, Any]:
        """A command of the owner's, which has to be accepted."""
        answer = await command(self.socket, self.stream, type_, data)
        assert "error" not in answer, (type_, answer)
        return answer

    async def admit(self, guest: Account, role: str) -> str:
        """Makes sure that the guest is in and has the task; the cursor and time of it."""
        if self.deleted:
            await self.do("RestoreProject")
            self.deleted = False
        answer = await command(self.socket, self.stream, "AddMember", {"userId": guest.id, "role": role})
        assert "error" not in answer or answer["error"]["code"] == "already_exists", answer
        return str((await self.do("EditTask", taskId=self.task_id, addAssignees=[guest.id]))["at"])

    async def close(self) -> None:
        await self.socket.close()


async def command(socket: Listener, stream: str, type_: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Sends a command until its answer is a final one."""
    payload = {"stream": stream, "opId": new_id(), "type": type_, "data": data}
    while True:
        answer = await socket.request("command", payload)
        if "error" not in answer or not answer["error"]["retryable"]:
            return answer
        await asyncio.sleep(0.02)


class Interleaving:
    """`run` it once."""

    def __init__(self, number: int, board: Board, random_: random.Random, findings: Findings) -> None:
        self._number = number
        self._board = board
        self._random = random_
        self._findings = findings
        self._guest = random_.choice(board.guests)
        self._kind = random_.choice(KINDS)
        self._live = Listener(board.stream)
        self._lagging = Listener(board.stream) if chance(random_, LAGGING_PERCENT) else None
        # When the commit of the removal was acknowledged, and its seq; set by it.
        self._gone_s = float("inf")
        self._gone_seq = 0
        # Seqs of all removals, and the newest entry that the live socket had when it joined again after the first.
        self._shut_out: list[int] = []
        self._rejoined_after: int | None = None
        # Seq of every command of the guest's that was accepted.
        self._accepted: list[int] = []
        # Exit → when it gave something last.
        self._granted_s: dict[str, float] = {}
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Plays it and judges it."""
        self._findings.kinds[self._kind] += 1
        try:
            ground = await self._arrive()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._chatter(self._board.socket, mine=False))
                tasks.create_task(self._chatter(self._live, mine=True))
                tasks.create_task(self._race(ground))
                await self._remove()
                await asyncio.sleep(max(0.0, self._gone_s + GRACE_S - time.monotonic()))
                for name in self._random.sample(list(EXITS), len(EXITS)):
                    await self._try(name, EXITS[name], ground)
                    self._findings.tried[name] += 1
                await self._read_on()
                self._over.set()
            self._judge()
        finally:
            await self._live.close()
            if self._lagging is not None:
                await self._lagging.close()

    # — before ———————————————————————————————————————————————————————————————————————————————————————

    async def _arrive(self) -> Ground:
        board = self._board
        board.socket.heard.clear()
        at = await board.admit(self._guest, self._random.choice(("admin", "member")))
        await self._live.open(board.http, board.url, self._guest.token)
        joined = await self._live.join()
        assert "error" not in joined, joined
        if self._lagging is not None:
            await self._lagging.open(board.slow_http, board.url, self._guest.token)
            assert "error" not in await self._lagging.join(joined["cursor"])
            self._lagging.pause()
            for number in range(BURST):
                text = str(number % 10) * BURST_CHARACTERS
                await board.do("EditTask", taskId=board.task_id, description=text)
        ground = Ground(
            board.url,
            board.http,
            self._guest,
            board.project_id,
            board.task_id,
            joined["cursor"],
            at,
            self._live,
            new_id(),
        )
        await RENAME(ground)
        return ground

    # — meanwhile ————————————————————————————————————————————————————————————————————————————————————

    async def _chatter(self, socket: Listener, mine: bool) -> None:
        board = self._board
        while not self._over.is_set():
            text = f"{self._number} {self._random.random()}"
            if self._random.random() < 0.5:
                type_, data = "AddComment", {"taskId": board.task_id, "body": text}
            else:
                type_, data = "EditTask", {"taskId": board.task_id, "title": text}
            answer = await command(socket, board.stream, type_, data)
            if mine:
                self._note(answer)
            await asyncio.sleep(self._random.uniform(0, 0.03 if time.monotonic() < self._gone_s else 0.2))

    def _note(self, answer: Mapping[str, Any]) -> None:
        if "error" in answer:
            self._findings.commands["refused"] += 1
            if answer["error"]["code"] != "not_found":
                self._violated(f"a command was answered with {answer}")
        else:
            self._findings.commands["accepted"] += 1
            self._accepted.append(Cursor.parse(answer["cursor"]).seq)

    async def _race(self, ground: Ground) -> None:
        """Tries the exits without a pause, from before the removal on."""
        while time.monotonic() < self._gone_s + GRACE_S:
            name = self._random.choice(list(RACING))
            await self._try(name, RACING[name], ground)
            self._findings.raced[name] += 1

    async def _try(self, name: str, attempt: Attempt, ground: Ground) -> None:
        try:
            if await attempt(ground):
                self._granted_s[name] = time.monotonic()
        except (Unexpected, ConnectionFailed, aiohttp.ClientError, TimeoutError) as failed:
            self._violated(f"{name}: {failed!r}")

    # — the removal ——————————————————————————————————————————————————————————————————————————————————

    async def _remove(self) -> None:
        board = self._board
        await asyncio.sleep(self._random.uniform(0, 0.3))
        if chance(self._random, TAKEN_BACK_PERCENT):
            await self._take_back()
        if self._kind == "removed":
            answer = await board.do("RemoveMember", userId=self._guest.id)
        elif self._kind == "left":
            answer = await command(self._live, board.stream, "RemoveMember", {"userId": self._guest.id})
            assert "error" not in answer, answer
        else:
            answer = await board.do("DeleteProject")
            board.deleted = True
        self._gone_seq = Cursor.parse(answer["cursor"]).seq
        self._gone_s = time.monotonic()
        self._shut_out.append(self._gone_seq)

    async def _take_back(self) -> None:
        """A removal and a new admission: what followed before gets nothing more unless it joins again."""
        board = self._board
        self._findings.taken_back += 1
        answer = await board.do("RemoveMember", userId=self._guest.id)
        self._shut_out.append(Cursor.parse(answer["cursor"]).seq)
        await asyncio.sleep(self._random.uniform(0, 0.05))
        await board.admit(self._guest, "member")
        if chance(self._random, 50):
            self._rejoined_after = max(self._live.seqs, default=0)
            assert "error" not in await self._live.join()
        await asyncio.sleep(self._random.uniform(0, 0.05))

    async def _read_on(self) -> None:
        """The client that did not read reads on, until it hears that it is out, or was let go because it did not."""
        if self._lagging is None:
            return
        self._lagging.read_on()
        told = asyncio.create_task(self._lagging.closed.wait())
        done, _ = await asyncio.wait(
            (told, self._lagging.lost), timeout=CLOSED_TIMEOUT_S, return_when="FIRST_COMPLETED"
        )
        told.cancel()
        if not done:
            self._violated("a follower that read on was never told that it is out")

    # — the verdict ——————————————————————————————————————————————————————————————————————————————————

    def _judge(self) -> None:
        for name in EXITS:
            granted_s = self._granted_s.get(name)
            if granted_s is not None:
                self._findings.late(name, granted_s - self._gone_s)
        if any(seq > self._gone_seq for seq in self._accepted):
            self._violated(f"a command was accepted after {self._gone_seq}: {self._accepted[-3:]}")
        self._judge_live()
        self._judge_lagging()
        self._judge_presence()

    def _judge_live(self) -> None:
        pushed = {"live entries": "entries", "live heads": "heads", "live presence": "presence", "told out": "closed"}
        for exit_, name in pushed.items():
            times = [one.at_s for one in self._live.heard if one.name == name]
            if times:
                self._findings.late(exit_, times[-1] - self._gone_s)
        first = self._shut_out[0]
        if self._rejoined_after is None:
            self._judge_seqs("the live socket", self._live, first)
        else:
            if self._rejoined_after >= first:
                self._violated(f"the live socket got {self._rejoined_after} although the first removal is {first}")
            self._judge_seqs("the live socket", self._live, self._gone_seq)

    def _judge_seqs(self, what: str, socket: Listener, removal: int) -> None:
        """Neither the entry of the removal nor a later one."""
        leaked = [seq for seq in socket.seqs if seq >= removal]
        if leaked:
            self._violated(f"{what} got {leaked[:5]} although the removal is {removal}")

    def _judge_lagging(self) -> None:
        if self._lagging is None:
            return
        first = self._shut_out[0]
        self._judge_seqs("the follower that did not read", self._lagging, first)
        newest = max(self._lagging.seqs, default=0)
        counts = self._findings.lagging
        counts["followers"] += 1
        counts["were behind"] += newest < first - 1
        counts["entries in buffers"] += len(self._lagging.seqs)
        counts["entries kept back"] += max(0, first - 1 - newest)

    def _judge_presence(self) -> None:
        """What the owner is told about who is here."""
        told = [one for one in self._board.socket.heard if one.name == "presence"]
        there = [one.at_s for one in told if self._guest.id in one.users]
        if there:
            self._findings.late("named as present", there[-1] - self._gone_s)
        if told and self._guest.id in told[-1].users:
            self._violated("the owner is still told that the guest is here")

    def _violated(self, what: str) -> None:
        self._findings.violated(f"{self._number} ({self._kind}): {what}")
