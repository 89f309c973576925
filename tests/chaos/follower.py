"""A follower of the load: joins with its cursor, takes down what comes, hangs up now and then, and comes back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
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
        # The incarnation that is being taken down.
        self._following: Following | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            incarnation = await self._endpoint.reach()
            socket = Socket(self._take)
            try:
                await socket.open(self._http, incarnation.url, self._account.token)
                await self._follow(socket, incarnation)
            except ConnectionFailed:
                await asyncio.sleep(RETRY_PAUSE_S)
            finally:
                await socket.close()
                self._following = None

    async def _follow(self, socket: Socket, incarnation: Incarnation) -> None:
        if chance(self._random, FRESH_PERCENT):
            self.cursor = None
        request = {"stream": self.stream} | ({"cursor": str(self.cursor)} if self.cursor is not None else {})
        joined: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()

        def answered(answer: Mapping[str, Any]) -> None:
            # At once, not when the waiting task wakes up: entries may stand right behind the answer.
            self._joined(answer)
            joined.set_result(answer)

        await socket.ask("join", request, answered)
        if not await first_of(JOIN_TIMEOUT_S, joined, socket.lost, incarnation.over):
            raise AssertionError(f"{self.name}: no answer to the join")
        if self._following is not None:
            await first_of(self._random.uniform(*HANG_UP_AFTER_S), socket.lost, incarnation.over)
        elif joined.done() and not joined.result()["error"]["retryable"]:
            raise AssertionError(f"{self.name}: the join was refused: {joined.result()}")

    def _joined(self, answer: Mapping[str, Any]) -> None:
        if "error" in answer:
            return
        cursor = Cursor.parse(answer["cursor"])
        self._following = Following(
            self.name, self.stream, self.cursor, answer["mode"], cursor, answer.get("reason"), [], answer["parts"]
        )
        self._history.followings.append(self._following)

    def _take(self, event: str, body: Any) -> None:
        following = self._following
        if following is None or body.get("stream") != self.stream:
            return
        if event == "snapshot":
            following.parts.append(body["state"])
            if following.has_state:
                self.cursor = following.cursor
        elif event == "entries":
            for wire in body["entries"]:
                seen = seen_entry(wire)
                following.seen.append(seen)
                if following.mode == "resume" or following.has_state:
                    self.cursor = Cursor(seen.seq, seen.epoch)
