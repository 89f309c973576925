"""Kills the server among mentions, assignments and bulk edits, and compares every inbox with what the log implies.

    .venv/bin/python -m tests.chaos.notifications --kills 20 --clients 50 --projects 6

Ten sessions of one person follow the same inbox the whole time and move its read marker. At the end everybody has been
told exactly what a naive fold of the log says, once, and all ten sessions count the same unread notifications.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from pantherahive_client import Client, HiveError, LiveInbox, new_id
from storage.embedded import running_dsn
from tests.acceptance.product import PASSWORD, Product, launch, ready
from tests.chaos.client import Account, LoadClient, Wish, reached, until
from tests.chaos.endpoint import Endpoint
from tests.chaos.history import Accepted, History, Log
from tests.chaos.inboxes import Inbox, differences, implied, inboxes
from tests.chaos.port import free_port
from tests.chaos.reading import read_log

SESSIONS: Final = 10
COMMANDS_BETWEEN_KILLS: Final = 60
SETTLE_S: Final = 120.0
EDITS_MAX: Final = 6
STATES: Final = ("backlog", "todo", "in-progress", "done")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done."""

    kills: int
    clients: int
    projects: int
    seed: int
    between_kills: int = COMMANDS_BETWEEN_KILLS


@dataclass(slots=True)
class Board:
    """A project as its clients know it."""

    stream: str
    members: list[int]
    tasks: list[str] = field(default_factory=list)
    comments: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """What happened and what is wrong with it."""

    commands: int = 0
    entries: int = 0
    implied: int = 0
    told: int = 0
    unread: int = 0
    ready_after_s: list[float] = field(default_factory=list)
    took_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The figures, for people."""
        ready_s = self.ready_after_s or [0.0]
        return [
            f"kills                    {len(self.ready_after_s)}",
            f"commands answered        {self.commands}",
            f"entries of projects      {self.entries}",
            f"notifications implied    {self.implied}",
            f"notifications told       {self.told}",
            f"unread, on {SESSIONS} sessions   {self.unread}",
            f"ready after a kill       median {statistics.median(ready_s):.2f} s, longest {max(ready_s):.2f} s",
            f"took                     {self.took_s:.0f} s",
            f"wrong                    {len(self.wrong)}",
            *(f"  {one}" for one in self.wrong[:20]),
        ]


class Run:
    """One run: a server that is killed, clients that write, sessions that read."""

    def __init__(self, plan: Plan, folder: Path, tell: Callable[[str], None] = lambda line: None) -> None:
        self._plan = plan
        self._tell = tell
        self._data_dir = folder / "data"
        self._port = free_port()
        self._random = random.Random(plan.seed)
        self._endpoint = Endpoint()
        self._history = History()
        self._clients: list[LoadClient] = []
        self._boards: list[Board] = []
        self._closing = asyncio.Event()
        self._product: Product | None = None
        self._result = Result()

    async def run(self) -> Result:
        """The whole of it."""
        began_s = time.monotonic()
        try:
            await self._start()
            async with (
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
                AsyncExitStack() as stack,
            ):
                await self._prepare(http)
                sessions = [await stack.enter_async_context(self._session()) for _ in range(SESSIONS)]
                live = [await stack.enter_async_context(session.live_inbox()) for session in sessions]
                await self._under_kills(sessions, live)
                await self._judge(http, live)
                await asyncio.gather(*(client.close() for client in self._clients))
        finally:
            if self._product is not None and self._product.process.poll() is None:
                await self._product.stop()
        self._result.took_s = time.monotonic() - began_s
        return self._result

    # — the server ———————————————————————————————————————————————————————————————————————————————————

    async def _start(self) -> None:
        settings = {"port": self._port, "access_token_lifetime_s": 3600, "log_level": "warning"}
        self._product = launch(self._data_dir, **settings)
        await ready(self._product)
        self._endpoint.up(self._product.url)

    async def _kill(self) -> None:
        assert self._product is not None
        self._product.process.kill()
        self._endpoint.down()
        self._product.process.wait()
        began_s = time.monotonic()
        await self._start()
        self._result.ready_after_s.append(time.monotonic() - began_s)

    # — people ———————————————————————————————————————————————————————————————————————————————————————

    async def _prepare(self, http: aiohttp.ClientSession) -> None:
        """Accounts, projects, and members: everybody is in about half of the projects."""
        for number in range(self._plan.clients):
            name = f"client{number}"
            account = await self._register(http, name)
            self._clients.append(LoadClient(name, account, http, self._endpoint, self._history))
        for number in range(self._plan.projects):
            owner = number % self._plan.clients
            others = [
                one for one in range(self._plan.clients) if one != owner and (one == 0 or self._random.random() < 0.5)
            ]
            board = Board(f"project/{new_id()}", [owner, *others])
            await self._submit(owner, board, "CreateProject", {"name": f"Project {number}"})
            for one in others:
                data = {"userId": self._clients[one].account.id, "role": "admin"}
                await self._submit(owner, board, "AddMember", data)
            self._boards.append(board)

    async def _register(self, http: aiohttp.ClientSession, name: str) -> Account:
        url = (await self._endpoint.reach()).url
        async with http.post(f"{url}/v1/users/register", json={"username": name, "password": PASSWORD}) as response:
            body: Any = await response.json(content_type=None)
            assert response.status == 201, body
        return Account(body["userId"], body["accessToken"])

    def _session(self) -> Client:
        """Another device of the first client."""
        return Client(f"http://127.0.0.1:{self._port}", token=self._clients[0].account.token)

    # — the load —————————————————————————————————————————————————————————————————————————————————————

    async def _under_kills(self, sessions: Sequence[Client], live: Sequence[LiveInbox]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for place in range(len(self._clients)):
                tasks.create_task(self._work(place, random.Random(self._random.random())))
            tasks.create_task(self._read_on(sessions, live, random.Random(self._random.random())))
            for number in range(1, self._plan.kills + 1):
                between = self._plan.between_kills
                await self._until_answered(self._random.randint(between // 2, between))
                await asyncio.sleep(self._random.uniform(0.0, 0.05))  # anywhere between two steps of the server
                await self._kill()
                ready_s = self._result.ready_after_s[-1]
                self._tell(f"kill {number}: {self._result.commands} commands, ready in {ready_s:.1f} s")
            await self._until_answered(self._plan.between_kills)
            self._closing.set()

    async def _until_answered(self, more: int) -> None:
        """So many commands more."""
        goal = self._result.commands + more
        await until(lambda: self._result.commands >= goal, SETTLE_S, lambda: "no command is answered any more")

    async def _work(self, place: int, random_: random.Random) -> None:
        mine = [board for board in self._boards if place in board.members]
        for number in itertools.count():
            if self._closing.is_set() or not mine:
                return
            board = random_.choice(mine)
            await self._submit(place, board, *self._wish(board, random_, f"{place} {number}"))

    def _wish(self, board: Board, random_: random.Random, text: str) -> tuple[str, dict[str, Any]]:
        people = [self._clients[one] for one in random_.sample(board.members, min(3, len(board.members)))]
        ids = [one.account.id for one in people]
        kinds = ["task", "task", "assign", "comment", "comment", "reply", "correct", "watch", "move", "bulk", "bulk"]
        kind = random_.choice(kinds) if board.tasks and board.comments else "task" if not board.tasks else "comment"
        task_id = random_.choice(board.tasks) if board.tasks else ""
        body = f"{text}: {' '.join(f'@{one.name}' for one in people[: random_.randrange(4)])} have a look"
        match kind:
            case "task":
                return "CreateTask", {"taskId": new_id(), "title": text, "assigneeIds": ids[: random_.randrange(3)]}
            case "assign":
                return "EditTask", {"taskId": task_id, "addAssignees": ids[:1], "removeAssignees": ids[1:2]}
            case "comment":
                return "AddComment", {"commentId": new_id(), "taskId": task_id, "body": body}
            case "reply":
                reply_to, task_id = random_.choice(board.comments)
                return "AddComment", {"commentId": new_id(), "taskId": task_id, "body": body, "replyTo": reply_to}
            case "correct":
                return "EditComment", {"commentId": random_.choice(board.comments)[0], "body": body}
            case "watch":
                return "EditTask", {"taskId": task_id, "addWatchers": ids[:1], "removeWatchers": ids[1:2]}
            case "bulk":
                return "EditTasks", {"edits": self._edits(board, random_, ids, text)}
            case _:
                return "EditTask", {"taskId": task_id, "stateId": random_.choice(STATES), "title": text}

    def _edits(self, board: Board, random_: random.Random, ids: Sequence[str], text: str) -> list[dict[str, Any]]:
        """Edits of many tasks at once, of some of them several: who is assigned one may watch the next."""
        changes: list[dict[str, Any]] = [
            {"title": text},
            {"addAssignees": ids[:2], "removeAssignees": ids[2:3]},
            {"addAssignees": ids[1:2], "addWatchers": ids[:1]},
            {"title": text, "removeWatchers": ids[1:2]},
        ]
        tasks = random_.choices(board.tasks, k=random_.randint(2, EDITS_MAX))
        return [{"taskId": task_id, **random_.choice(changes)} for task_id in tasks]

    async def _submit(self, place: int, board: Board, kind: str, data: Mapping[str, Any]) -> None:
        _, answer = await self._clients[place].submit(Wish(board.stream, kind, data))
        self._result.commands += 1
        if isinstance(answer, Accepted) and kind == "CreateTask":
            board.tasks.append(data["taskId"])
        if isinstance(answer, Accepted) and kind == "AddComment":
            board.comments.append((data["commentId"], data["taskId"]))

    async def _read_on(self, sessions: Sequence[Client], live: Sequence[LiveInbox], random_: random.Random) -> None:
        """A random session reads up to a random place of what it knows, again and again."""
        while not self._closing.is_set():
            place = random_.randrange(SESSIONS)
            newest = max((one["number"] for one in live[place].notifications[:1]), default=0)
            if newest:
                try:
                    await sessions[place].mark_read(up_to=random_.randint(1, newest), deadline_s=SETTLE_S)
                except HiveError as error:
                    self._result.wrong.append(f"a read marker could not be moved: {error}")
            await asyncio.sleep(random_.uniform(0.0, 0.1))  # a person looks, and looks again

    # — judging ——————————————————————————————————————————————————————————————————————————————————————

    async def _judge(self, http: aiohttp.ClientSession, live: Sequence[LiveInbox]) -> None:
        result, ids = self._result, {client.name: client.account.id for client in self._clients}
        log = await self._settled(ids)
        found = inboxes(log.entries)
        result.wrong += differences(log.entries, ids)
        result.entries = sum(entry.stream.startswith("project/") for entry in log.entries)
        result.implied = sum(sum(lines.values()) for lines in implied(log.entries, ids).values())
        result.told = sum(inbox.count for inbox in found.values())
        for client in self._clients:
            await self._compare_rest(http, client, found.get(client.account.id, Inbox()))
        first = found.get(self._clients[0].account.id, Inbox())
        result.unread = first.unread
        await reached(lambda: all(one.unread == first.unread for one in live), SETTLE_S)
        counts = [(one.unread, one.read_up_to) for one in live]
        if set(counts) != {(first.unread, first.read_up_to)}:
            result.wrong.append(f"sessions count {counts}, the log {(first.unread, first.read_up_to)}")

    async def _settled(self, ids: Mapping[str, str]) -> Log:
        """The log, once everybody has been told as much as it implies, or after the time that this may take."""
        dsn = running_dsn(self._data_dir)
        assert dsn is not None, "the embedded Postgres does not run"
        until_s = time.monotonic() + SETTLE_S
        while True:
            log = await read_log(dsn)
            if not differences(log.entries, ids) or time.monotonic() > until_s:
                return log
            await asyncio.sleep(0.2)  # the notifier has some entries to go

    async def _compare_rest(self, http: aiohttp.ClientSession, client: LoadClient, inbox: Inbox) -> None:
        url = f"{(await self._endpoint.reach()).url}/v1/users/{client.account.id}/notifications"
        async with http.get(url, headers={"Authorization": f"Bearer {client.account.token}"}) as response:
            body: Any = await response.json()
        if (body["unread"], body["readUpTo"]) != (inbox.unread, inbox.read_up_to):
            self._result.wrong.append(f"{client.name} has {body['unread']} unread over REST, {inbox.unread} in the log")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--projects", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    plan = Plan(given.kills, given.clients, given.projects, given.seed)
    with tempfile.TemporaryDirectory(prefix="pantherahive-notifications-") as folder:
        result = asyncio.run(Run(plan, Path(folder), lambda line: print(line, file=sys.stderr, flush=True)).run())
    print("\n".join(result.lines()))
    return 0 if not result.wrong else 1


if __name__ == "__main__":
    sys.exit(main())
