"""States on their way to clients, by their bytes: bounded in all and for each user, however slowly anybody reads.

A state counts once in all and once for each user whom it is on its way to, however many of their connections want it.
The first of a load is let through however large it is, so no state is too large to be had: a load holds no more than
its bound and one state beside.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from protocol.errors import ErrorCode, Rejection
from server.gateway.limits import GatewayLimits

_FULL: Final = Rejection(
    ErrorCode.OVERLOADED, "too many states are on their way", {"limit": "snapshots-sending", "retryAfterS": 2}
)
_FULL_FOR_USER: Final = Rejection(
    ErrorCode.OVERLOADED,
    "too many states are on their way to this user",
    {"limit": "snapshots-sending-per-user", "retryAfterS": 2},
)


class NoRoom(Exception):
    """A state would be more than may be on its way; `rejection` says which bound it is."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection


class EncodedState:
    """The frames of one state; it grows until they are all there."""

    __slots__ = ("encoding", "frames", "holders", "is_whole", "refusals", "size_bytes")

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.size_bytes = 0
        # User, None for the operator → to how many of their places it is on its way.
        self.holders: Counter[str | None] = Counter()
        # While it grows.
        self.encoding: asyncio.Task[None] | None = None
        # Whether all frames are there, and will not change any more.
        self.is_whole = False
        # Once it was given up: whom it was on its way to → why there was no room.
        self.refusals: dict[str | None, Rejection] = {}


class Load:
    """States that may not be more together than a bound, but for the first of them."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        # In the order in which they came; their sizes add up to `bytes`.
        self._states: dict[EncodedState, None] = {}
        self.bytes = 0

    def add(self, state: EncodedState) -> None:
        """Only what is not in it."""
        self._states[state] = None
        self.bytes += state.size_bytes

    def remove(self, state: EncodedState) -> None:
        """Only what is in it."""
        del self._states[state]
        self.bytes -= state.size_bytes

    def has_room_for(self, state: EncodedState) -> bool:
        """Whether one of them may stay. One that has no bytes yet will have some."""
        if next(iter(self._states)) is state:
            return True
        return self.bytes <= self._bytes_max if state.size_bytes else self.bytes < self._bytes_max

    def __len__(self) -> int:
        return len(self._states)


class Loads:
    """Of all users."""

    def __init__(self, limits: GatewayLimits) -> None:
        self._per_user_max_bytes = limits.snapshots_sending_per_user_max_bytes
        self._all = Load(limits.snapshots_sending_max_bytes)
        # User, with their bots → what is on its way to them. The operator has none: no bound but that of all.
        self._of_user: dict[str, Load] = {}

    @property
    def bytes(self) -> int:
        """What is on its way now."""
        return self._all.bytes

    def add(self, state: EncodedState, user: str | None) -> None:
        """It is on its way to one place more."""
        if not state.holders:
            self._all.add(state)
        if not state.holders[user] and user is not None:
            self._of_user.setdefault(user, Load(self._per_user_max_bytes)).add(state)
        state.holders[user] += 1

    def remove(self, state: EncodedState, user: str | None) -> None:
        """It is on its way to one place less."""
        state.holders[user] -= 1
        if not state.holders[user]:
            del state.holders[user]
            if user is not None:
                self._of_user[user].remove(state)
                if not self._of_user[user]:
                    del self._of_user[user]
        if not state.holders:
            self._all.remove(state)

    def grow(self, state: EncodedState, more_bytes: int) -> None:
        """It has become larger."""
        state.size_bytes += more_bytes
        if state.holders:
            self._all.bytes += more_bytes
        for user in state.holders:
            if user is not None:
                self._of_user[user].bytes += more_bytes

    def give_up(self, state: EncodedState) -> None:
        """It will not become whole. The room is there again at once, not when everybody who waits for it has heard."""
        for user in state.holders:
            if (refusal := self.refusal(state, user)) is not None:
                state.refusals[user] = refusal
        self.grow(state, -state.size_bytes)
        state.frames = []

    def refusal(self, state: EncodedState, user: str | None) -> Rejection | None:
        """Why what is on its way to the user may not stay, if that is so."""
        if user is not None and not self._of_user[user].has_room_for(state):
            return _FULL_FOR_USER
        return None if self._all.has_room_for(state) else _FULL

    def is_for_nobody(self, state: EncodedState) -> bool:
        """Whether nobody is left who may have it."""
        return all(self.refusal(state, user) is not None for user in state.holders)

    def __len__(self) -> int:
        """Users whom something is on its way to."""
        return len(self._of_user)
