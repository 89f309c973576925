"""Turns at the past: a state of it costs much, so few are at it at once, and nobody alone has all the places."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from protocol.errors import ErrorCode, Rejected, Rejection
from server.streams import History

_TOO_MANY: Final = Rejection(
    ErrorCode.OVERLOADED, "too many looks into the past at once", {"limit": "past-waiting", "retryAfterS": 1}
)
_TOO_MANY_OF_ONE: Final = Rejection(
    ErrorCode.OVERLOADED,
    "too many looks into the past by this user at once",
    {"limit": "past-waiting-per-user", "retryAfterS": 1},
)
_TOO_LONG: Final = Rejection(ErrorCode.TIMEOUT, "no turn to look into the past came in time", {"retryAfterS": 1})
_GONE: Final = Rejection(ErrorCode.UNAVAILABLE, "who asked for the past has hung up")


@dataclass(frozen=True, slots=True)
class PastLimits:
    """How many look into the past at once, and wait for it: in the whole process, and of one user."""

    at_once_max: int = 4
    at_once_per_user_max: int = 2
    waiting_max: int = 256
    waiting_per_user_max: int = 64


@dataclass(eq=False, slots=True)
class _Waiting:
    """One who waits; `entered` is done when a place is theirs."""

    user_id: str
    is_gone: Callable[[], bool]
    entered: asyncio.Future[None]


def never() -> bool:
    """Of those who are not seen to hang up, such as a command: it goes on without its sender."""
    return False


class PastTurns:
    """The only way to states of the past. Users take turns, each with those of theirs who came first."""

    def __init__(self, history: History, limits: PastLimits, wait_max_s: float) -> None:
        self._history = history
        self._limits = limits
        self._wait_max_s = wait_max_s
        # User → how many places they have now.
        self._at_work: Counter[str] = Counter()
        # User → who of theirs waits; the user who had the last turn stands last.
        self._waiting: OrderedDict[str, deque[_Waiting]] = OrderedDict()

    @property
    def at_work(self) -> int:
        """How many places are taken."""
        return self._at_work.total()

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, user_id: str, is_gone: Callable[[], bool] = never) -> AsyncIterator[History]:
        """A place, to be held while its states are needed; nobody may ask for a second one meanwhile.

        Raises Rejected: `overloaded` when too many wait, `timeout` when none came free in time. Who `is_gone` when it
        is their turn gets none.
        """
        await self._enter(user_id, is_gone)
        try:
            yield self._history
        finally:
            self._leave(user_id)

    async def _enter(self, user_id: str, is_gone: Callable[[], bool]) -> None:
        if self._has_place(user_id):
            self._at_work[user_id] += 1
            return
        self._make_room(user_id)
        one = _Waiting(user_id, is_gone, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(user_id, deque()).append(one)
        try:
            async with asyncio.timeout(self._wait_max_s):
                await one.entered
        except TimeoutError as over:
            self._give_up(one)
            raise Rejected(_TOO_LONG) from over
        except asyncio.CancelledError:
            self._give_up(one)
            raise

    def _has_place(self, user_id: str) -> bool:
        limits = self._limits
        return self.at_work < limits.at_once_max and self._at_work[user_id] < limits.at_once_per_user_max

    def _make_room(self, user_id: str) -> None:
        """Whoever has hung up takes no place from others. Raises Rejected when there is none all the same."""
        if self._no_room(user_id) is None:
            return
        for one in [one for queue in self._waiting.values() for one in queue if one.is_gone()]:
            self._remove(one)
            self._send_away(one)
        if (full := self._no_room(user_id)) is not None:
            raise Rejected(full)

    def _no_room(self, user_id: str) -> Rejection | None:
        if len(self._waiting.get(user_id, ())) >= self._limits.waiting_per_user_max:
            return _TOO_MANY_OF_ONE
        return _TOO_MANY if self.waiting >= self._limits.waiting_max else None

    def _leave(self, user_id: str) -> None:
        self._at_work[user_id] -= 1
        if not self._at_work[user_id]:
            del self._at_work[user_id]
        self._let_in()

    def _let_in(self) -> None:
        """As many as there are places for."""
        while (user_id := next(filter(self._has_place, self._waiting), None)) is not None:
            one = self._waiting[user_id][0]
            self._remove(one)
            if one.entered.done() or one.is_gone():
                self._send_away(one)
                continue
            if user_id in self._waiting:
                self._waiting.move_to_end(user_id)
            self._at_work[user_id] += 1
            one.entered.set_result(None)

    def _give_up(self, one: _Waiting) -> None:
        """The place may have become theirs in this very turn of the loop: then somebody else gets it."""
        self._remove(one)
        if one.entered.done() and not one.entered.cancelled() and one.entered.exception() is None:
            self._leave(one.user_id)

    def _remove(self, one: _Waiting) -> None:
        """Takes it out, unless that has been done."""
        queue = self._waiting.get(one.user_id, deque())
        if one in queue:
            queue.remove(one)
            if not queue:
                del self._waiting[one.user_id]

    @staticmethod
    def _send_away(one: _Waiting) -> None:
        """Nobody waits any more, unless it is the connection's own handler."""
        if not one.entered.done():
            one.entered.set_exception(Rejected(_GONE))
