"""A client of the load: one command after the other, each sent with the same opId until it is answered."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import aiohttp

from pantherahive_client import new_id
from protocol.cursors import Cursor
from tests.chaos.endpoint import Endpoint, Incarnation
from tests.chaos.history import Accepted, Answer, Attempt, History, Operation, Rejected
from tests.chaos.socket import ConnectionFailed, Socket

RETRY_PAUSE_S: Final = 0.02
ANSWER_TIMEOUT_S: Final = 60.0
"""Longer than any deadline of the server: an answer that does not come by then is a hang."""
OLD_SOCKETS_MAX: Final = 4


class Account(NamedTuple):
    """Who a client is."""

    id: str
    token: str


class Wish(NamedTuple):
    """A command to be sent."""

    stream: str
    type: str
    data: Mapping[str, Any]


class NoAnswer(AssertionError):
    """The server is there and does not answer."""


class LoadClient:
    """One account on one connection at a time."""

    def __init__(
        self, name: str, account: Account, http: aiohttp.ClientSession, endpoint: Endpoint, history: History
    ) -> None:
        self.name = name
        self.account = account
        self._http = http
        self._endpoint = endpoint
        self._history = history
        # The connection in use and the server that it leads to.
        self._socket: Socket | None = None
        self._incarnation: Incarnation | None = None
        # Connections to servers that are over: what a frozen one says later is still taken down.
        self._old: list[Socket] = []

    async def submit(self, wish: Wish) -> tuple[Operation, Answer]:
        """Sends a new operation until it is answered."""
        operation = Operation(self.name, new_id(), wish.stream, wish.type)
        self._history.operations.append(operation)
        return operation, await self.repeat(operation, wish)

    async def repeat(self, operation: Operation, wish: Wish) -> Answer:
        """Sends an operation (again) until it is answered. Raises NoAnswer."""
        payload = {"stream": wish.stream, "opId": operation.op_id, "type": wish.type, "data": wish.data}
        while True:
            socket, incarnation = await self._connected()
            attempt = Attempt(incarnation.generation, time.monotonic())
            operation.attempts.append(attempt)
            wait_s = await self._send(socket, incarnation, payload, attempt)
            if attempt.answer is not None:
                return attempt.answer
            await asyncio.sleep(wait_s)

    async def _send(
        self, socket: Socket, incarnation: Incarnation, payload: Mapping[str, Any], attempt: Attempt
    ) -> float:
        """Waits for the answer or for the end of the connection. How long to wait before another attempt."""
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        retry_after_s = RETRY_PAUSE_S

        def take(answer: Any) -> None:
            nonlocal retry_after_s
            attempt.answered_s = time.monotonic()
            attempt.answer = answer_of(answer)
            if "error" in answer:
                retry_after_s = answer["error"]["details"].get("retryAfterS", RETRY_PAUSE_S)
            answered.set_result(None)

        try:
            await socket.ask("command", payload, take)
        except ConnectionFailed:
            return RETRY_PAUSE_S
        if not await first_of(ANSWER_TIMEOUT_S, answered, socket.lost, incarnation.over):
            raise NoAnswer(f"{self.name}: no answer to {payload} from generation {incarnation.generation}")
        return float(retry_after_s)

    async def _connected(self) -> tuple[Socket, Incarnation]:
        while True:
            incarnation = await self._endpoint.reach()
            if self._socket is not None and self._incarnation is incarnation and not self._socket.lost.done():
                return self._socket, incarnation
            await self._retire()
            socket = Socket()
            try:
                await socket.open(self._http, incarnation.url, self.account.token)
            except ConnectionFailed:
                await asyncio.sleep(RETRY_PAUSE_S)
                continue
            self._socket, self._incarnation = socket, incarnation

    async def _retire(self) -> None:
        if self._socket is not None:
            self._old.append(self._socket)
            self._socket = None
        while len(self._old) > OLD_SOCKETS_MAX:
            await self._old.pop(0).close()

    async def close(self) -> None:
        """Ends all connections."""
        await self._retire()
        for socket in self._old:
            await socket.close()


def answer_of(answer: Mapping[str, Any]) -> Answer | None:
    """The answer of an ack; None when it says to try again."""
    if "error" not in answer:
        cursor = Cursor.parse(answer["cursor"])
        return Accepted(cursor.seq, cursor.epoch, answer["at"], answer["result"])
    return None if answer["error"]["retryable"] else Rejected(answer["error"]["code"])


async def first_of(timeout_s: float, *futures: asyncio.Future[Any]) -> bool:
    """Waits until one of them is done; whether one was in time."""
    done, _ = await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


async def reached(condition: Callable[[], bool], within_s: float) -> bool:
    """Waits for a condition; whether it came true in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() >= deadline_s:
            return False
        await asyncio.sleep(RETRY_PAUSE_S)
    return True


async def until(condition: Callable[[], bool], within_s: float, otherwise: Callable[[], str]) -> None:
    """Waits for a condition. Raises AssertionError with what `otherwise` says."""
    if not await reached(condition, within_s):
        raise AssertionError(otherwise())


def chance(random_: random.Random, percent: float) -> bool:
    """True so often."""
    return random_.random() * 100 < percent
