"""The mixed load: clients that write to projects, and followers that watch them, all on one endpoint."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from pantherahive_client import new_id
from tests.acceptance.product import PASSWORD
from tests.chaos.client import Account, LoadClient, Wish, chance, reached, until
from tests.chaos.endpoint import Endpoint
from tests.chaos.follower import Follower
from tests.chaos.history import Accepted, History, Operation
from tests.chaos.workload import Board, next_wish

BOARDS_PER_CLIENT: Final = 3
GUESTS: Final = 4
REPEAT_PERCENT: Final = 5.0
"""How often an accepted command is sent once more, as a client does that lost the ack."""
SETTLE_TIMEOUT_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large the load is."""

    clients: int
    projects: int


class Load:
    """`prepare` it on a running server, `run` it until cancelled or `settle`d."""

    def __init__(self, size: Size, seed: int, http: aiohttp.ClientSession, endpoint: Endpoint) -> None:
        self._size = size
        self._random = random.Random(seed)
        self._http = http
        self._endpoint = endpoint
        self.history = History()
        self.clients: list[LoadClient] = []
        self.followers: list[Follower] = []
        self._boards: list[Board] = []
        # The boards of each client, by its place.
        self._shares: list[list[Board]] = []
        # Set when no new wishes are to be sent.
        self._closing = asyncio.Event()
        # Wishes that were answered, in all.
        self.answered = 0
        self._working = 0

    # — before ———————————————————————————————————————————————————————————————————————————————————————

    async def prepare(self) -> None:
        """Accounts, projects and members. Its commands are part of the history."""
        names = [f"client{n}" for n in range(self._size.clients)]
        guests = [(await self._register(f"guest{n}")).id for n in range(GUESTS)]
        for name in names:
            account = await self._register(name)
            self.clients.append(LoadClient(name, account, self._http, self._endpoint, self.history))
        for number in range(self._size.projects):
            await self._make_board(number, guests)
        for place in range(self._size.clients):
            self._shares.append(self._share(place))
        await self._add_members()
        for number, board in enumerate(self._boards):
            owner = self.clients[number % len(self.clients)].account
            follower = Follower(
                f"follower{number}",
                board.stream,
                owner,
                self._http,
                self._endpoint,
                self.history,
                random.Random(self._random.random()),
            )
            self.followers.append(follower)

    async def _register(self, name: str) -> Account:
        incarnation = await self._endpoint.reach()
        wish = {"username": name, "password": PASSWORD}
        async with self._http.post(f"{incarnation.url}/v1/users/register", json=wish) as response:
            body: Any = await response.json(content_type=None)
            assert response.status == 201, body
        return Account(body["userId"], body["accessToken"])

    async def _make_board(self, number: int, guests: Sequence[str]) -> None:
        board = Board(new_id(), guests)
        owner = self.clients[number % len(self.clients)]
        _, answer = await owner.submit(Wish(board.stream, "CreateProject", {"name": f"Project {number}"}))
        assert isinstance(answer, Accepted), answer
        self._boards.append(board)

    def _share(self, place: int) -> list[Board]:
        """Everybody has one board of their own and some that others use too."""
        own = [board for number, board in enumerate(self._boards) if number % len(self.clients) == place]
        others = [board for board in self._boards if board not in own]
        wanted = max(0, min(BOARDS_PER_CLIENT, len(self._boards)) - len(own))
        return own + self._random.sample(others, wanted)

    async def _add_members(self) -> None:
        wanted: defaultdict[int, list[Wish]] = defaultdict(list)
        for place, (client, share) in enumerate(zip(self.clients, self._shares, strict=True)):
            for board in share:
                owner = self._boards.index(board) % len(self.clients)
                if owner != place:
                    # Every tenth may only look: what it wishes is refused.
                    role = "viewer" if place % 10 == 9 else "admin"
                    wanted[owner].append(Wish(board.stream, "AddMember", {"userId": client.account.id, "role": role}))
        await asyncio.gather(*(self._submit_all(self.clients[owner], wishes) for owner, wishes in wanted.items()))

    async def _submit_all(self, client: LoadClient, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            _, answer = await client.submit(wish)
            assert isinstance(answer, Accepted), (wish, answer)

    # — the run ——————————————————————————————————————————————————————————————————————————————————————

    def start(self, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Starts everybody. The followers' tasks are given back: they run until they are cancelled."""
        for client, share in zip(self.clients, self._shares, strict=True):
            tasks.create_task(self._work(client, share, random.Random(self._random.random())), name=client.name)
        return [tasks.create_task(follower.run(), name=follower.name) for follower in self.followers]

    async def _work(self, client: LoadClient, share: Sequence[Board], random_: random.Random) -> None:
        self._working += 1
        for number in itertools.count():
            if self._closing.is_set():
                break
            board = random_.choice(share)
            wish = next_wish(random_, client.name, board, number)
            operation, answer = await client.submit(wish)
            board.learn(client.name, wish, answer)
            self.answered += 1
            if isinstance(answer, Accepted) and chance(random_, REPEAT_PERCENT):
                await client.repeat(operation, wish)
        self._working -= 1

    async def settle(self) -> list[str]:
        """No new wishes; returns when every wish is answered and every follower has seen all that was acknowledged.

        The followers that have not, in words: empty as it should be. Raises AssertionError when clients get no answer.
        """
        self._closing.set()
        await until(lambda: self._working == 0, SETTLE_TIMEOUT_S, lambda: f"{self._working} clients get no answer")
        heads = self._heads()
        await reached(lambda: not self._behind(heads), SETTLE_TIMEOUT_S)
        return self._behind(heads)

    def _behind(self, heads: Mapping[str, int]) -> list[str]:
        return [
            f"{one.name} at {one.cursor}, {heads[one.stream]} expected"
            for one in self.followers
            if one.cursor is None or one.cursor.seq < heads[one.stream]
        ]

    def _heads(self) -> dict[str, int]:
        heads: defaultdict[str, int] = defaultdict(int)
        for operation in self.history.operations:
            if isinstance(outcome := operation.outcome, Accepted):
                heads[operation.stream] = max(heads[operation.stream], outcome.seq)
        return heads

    async def close(self) -> None:
        """Ends all connections."""
        await asyncio.gather(*(client.close() for client in self.clients))


def unacknowledged(operations: Sequence[Operation], generation: int) -> list[Operation]:
    """Operations that were sent to this incarnation of the server and got no answer of it, ever."""
    return [
        operation
        for operation in operations
        if any(attempt.generation == generation and attempt.answered_s is None for attempt in operation.attempts)
    ]
