"""A bounded queue of deliveries with a lane for control messages, which overtake and are never refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

D = TypeVar("D")

Control = Callable[[], None]


class Mailbox(Generic[D]):
    """Deliveries in order of arrival. Control messages come from the runtime alone and are few by construction."""

    __slots__ = ("_control", "_data", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Messages of the runtime itself: taken before anything else.
        self._control: deque[Control] = deque()
        # Commands and reads, first come first served.
        self._data: deque[D] = deque()

    def put(self, delivery: D) -> bool:
        """False when the mailbox is full: nothing was queued."""
        if len(self._data) >= self._limit:
            return False
        self._data.append(delivery)
        return True

    def put_back(self, delivery: D) -> None:
        """Queues what had a place here before; it may pass the limit by what was on its way."""
        self._data.append(delivery)

    def put_control(self, control: Control) -> None:
        self._control.append(control)

    def take_control(self) -> Control | None:
        return self._control.popleft() if self._control else None

    def take(self) -> D | None:
        return self._data.popleft() if self._data else None

    def drain(self) -> Iterator[D]:
        """Takes everything that waits, in order."""
        while self._data:
            yield self._data.popleft()

    def remove_where(self, predicate: Callable[[D], bool]) -> list[D]:
        """Takes out what the predicate names; the others keep their order."""
        taken = [delivery for delivery in self._data if predicate(delivery)]
        if taken:
            self._data = deque(delivery for delivery in self._data if not predicate(delivery))
        return taken

    def __len__(self) -> int:
        return len(self._data)

    def __bool__(self) -> bool:
        return bool(self._data) or bool(self._control)
