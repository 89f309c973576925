"""A follower of the load: joins with its cursor, takes down what comes, hangs up now and then, and comes back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import aiohttp

from protocol.cursors import Cursor
from tests.chaos.client import RETRY_PAUSE_S, Account, chance, first_of
from tests.chaos.endpoint import Endpoint, Incarnation
from tests.chaos.history import Following, History, seen_entry
from tests.chaos.socket import ConnectionFailed, Socket

HANG_UP_AFTER_S: Final = (0.2, 3.0)
FRESH_PERCENT: Final = 10.0
"""How often a follower forgets its cursor and starts with the state."""
JOIN_TIMEOUT_S: Final = 60.0
OLD_SOCKETS_MAX: Final = 4


class _Place:
    """One connection's place in the history."""

    def __init__(self) -> None:
        # None until the join was answered.
        self.following: Following | None = None


class Follower:
    """Follows one stream until it is told to stop."""

    def __init__(
        self,
        name: str,
        stream: str,
        account: Account,
        http: aiohttp.ClientSession,
        endpoint: Endpoint,
        history: History,
        random_: random.Random,
    ) -> None:
        self.name = name
        self.stream = stream
        self._account = account
        self._http = http
        self._endpoint = endpoint
        self._history = history
        self._random = random_
        # Where it stands; None before the first state.
        self.cursor: Cursor | None = None
        # The place that counts.
        self._place = _Place()
        # Connections to servers that are over: what a frozen one says later is still taken down.
        self._old: list[Socket] = []

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                incarnation = await self._endpoint.reach()
                self._place = _Place()
                socket = Socket(partial(self._take, self._place))
                try:
                    await socket.open(self._http, incarnation.url, self._account.token)
                    await self._follow(socket, incarnation)
                except ConnectionFailed:
                    await asyncio.sleep(RETRY_PAUSE_S)
                await self._retire(socket, incarnation)
        finally:
            for socket in self._old:
                await socket.close()

    async def _retire(self, socket: Socket, incarnation: Incarnation) -> None:
        if incarnation.over.done():
            self._old.append(socket)
        else:
            await socket.close()
        while len(self._old) > OLD_SOCKETS_MAX:
            await self._old.pop(0).close()

    async def _follow(self, socket: Socket, incarnation: Incarnation) -> None:
        if chance(self._random, FRESH_PERCENT):
            self.cursor = None
        request = {"stream": self.stream} | ({"cursor": str(self.cursor)} if self.cursor is not None else {})
        joined: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        place = self._place

        def answered(answer: Mapping[str, Any]) -> None:
            # At once, not when the waiting task wakes up: entries may stand right behind the answer.
            self._joined(place, answer)
            joined.set_result(answer)

        await socket.ask("join", request, answered)
        if not await first_of(JOIN_TIMEOUT_S, joined, socket.lost, incarnation.over):
            raise AssertionError(f"{self.name}: no answer to the join")
        if place.following is not None:
            await first_of(self._random.uniform(*HANG_UP_AFTER_S), socket.lost, incarnation.over)
        elif joined.done() and not joined.result()["error"]["retryable"]:
            raise AssertionError(f"{self.name}: the join was refused: {joined.result()}")

    def _joined(self, place: _Place, answer: Mapping[str, Any]) -> None:
        if "error" in answer or place is not self._place:
            return
        cursor = Cursor.parse(answer["cursor"])
        place.following = Following(
            self.name, self.stream, self.cursor, answer["mode"], cursor, answer.get("reason"), [], answer["parts"]
        )
        self._history.followings.append(place.following)

    def _take(self, place: _Place, event: str, body: Any) -> None:
        following = place.following
        if following is None or body.get("stream") != self.stream:
            return
        if event == "snapshot":
            following.parts.append(body["state"])
            if following.has_state:
                self._move(place, following.cursor)
        elif event == "entries":
            for wire in body["entries"]:
                seen = seen_entry(wire)
                following.seen.append(seen)
                if following.mode == "resume" or following.has_state:
                    self._move(place, Cursor(seen.seq, seen.epoch))

    def _move(self, place: _Place, cursor: Cursor) -> None:
        if place is self._place:
            self.cursor = cursor
