"""Commands that come after others of the same client wait for them here, and go right behind them.

The server refuses for now whatever comes after a command that it has not decided, and so all that were sent behind one
that it refused. Each of them would try again by itself, at a time of its own, mostly in vain. Here it waits until the
one before it has left again, or has its outcome; then it goes at once. So a chain is sent again in its order, and at
once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pantherahive_client.outcomes import AFTER, KnownOutcomes, Name, name_of


@dataclass(slots=True, eq=False)
class _Command:
    """One that is sent here, from its first try to the end of its last, or that others come after."""

    # Who waits for its ack.
    callers: int = 0
    # How often it has left, and whether it is away now: neither answered nor lost with its connection.
    departures: int = 0
    is_away: bool = False
    # Those who come after it.
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def wake(self) -> None:
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)
        self.waiting.clear()


class Member:
    """A command in its chain."""

    def __init__(self, commands: dict[Name, _Command], outcomes: KnownOutcomes, frame: Mapping[str, Any]) -> None:
        self._commands = commands
        self._outcomes = outcomes
        self._frame = frame
        # Whom it came after when it last left, and, if that one was sent here, how often it had left then.
        self._sent_after: Name | None = None
        self._sent_behind: _Command | None = None
        self._seen_departures = 0

    async def turn(self) -> None:
        """Returns when it makes sense to send it: not while the one before it waits here, or is asked for as it was."""
        while (before := self._before()) is not None:
            name, command = before
            seen = self._seen_departures if command is self._sent_behind else 0
            if command.is_away and command.departures > seen:
                return
            await self._change_of(name, None)

    @property
    def is_explained(self) -> bool:
        """Whether it may be unavailable for the one before it, which has its outcome now or is sent here."""
        if self._sent_after is None:
            return False
        return self._before() is not None or name_of(self._outcomes.due(self._frame), AFTER) != self._sent_after

    async def pause(self, wait_s: float) -> None:
        """Before it is tried again: so long, or until the one before it leaves here, where its outcome is not known."""
        if self._sent_after is None or self.is_explained:
            await asyncio.sleep(wait_s)
        else:
            await self._change_of(self._sent_after, wait_s)

    async def _change_of(self, name: Name, wait_s: float | None) -> None:
        """Until something happens to the command with this name."""
        command = self._commands.setdefault(name, _Command())
        waiter = asyncio.get_running_loop().create_future()
        command.waiting.append(waiter)
        try:
            await asyncio.wait({waiter}, timeout=wait_s)
        finally:
            if waiter in command.waiting:
                command.waiting.remove(waiter)
            if not command.callers and not command.waiting and self._commands.get(name) is command:
                del self._commands[name]

    def leaves(self, frame: Mapping[str, Any]) -> None:
        """It is sent as this frame, which names the one before it or, as that has its outcome, none."""
        self._sent_after = name_of(frame, AFTER) if frame.get(AFTER) is not None else None
        self._sent_behind = self._commands.get(self._sent_after) if self._sent_after is not None else None
        self._seen_departures = self._sent_behind.departures if self._sent_behind is not None else 0

    def _before(self) -> tuple[Name, _Command] | None:
        """The one before it, if it has no outcome and somebody waits for it here."""
        frame = self._outcomes.due(self._frame)
        if frame.get(AFTER) is None:
            return None
        name = name_of(frame, AFTER)
        command = self._commands.get(name)
        return None if command is None or not command.callers or name == name_of(frame) else (name, command)


class Chains:
    """The commands of one client."""

    def __init__(self, outcomes: KnownOutcomes) -> None:
        self._outcomes = outcomes
        self._commands: dict[Name, _Command] = {}

    @contextmanager
    def member(self, frame: Mapping[str, Any]) -> Iterator[Member]:
        """As long as somebody waits for the command."""
        name = name_of(frame)
        command = self._commands.setdefault(name, _Command())
        command.callers += 1
        try:
            yield Member(self._commands, self._outcomes, frame)
        finally:
            command.callers -= 1
            command.is_away = command.is_away and command.callers > 0
            command.wake()
            if not command.callers:
                del self._commands[name]

    def left(self, frame: Mapping[str, Any]) -> None:
        """It was sent: what comes after it may go, right behind it."""
        if (command := self._commands.get(name_of(frame))) is not None:
            command.departures += 1
            command.is_away = True
            command.wake()

    def back(self, frame: Mapping[str, Any]) -> None:
        """It was answered, or its connection is over."""
        if (command := self._commands.get(name_of(frame))) is not None:
            command.is_away = False
            command.wake()
