"""Commands that come after others of the same client: each goes right behind the one before it, once.

The server refuses for now whatever comes after a command that it has not decided, and so all that were sent behind one
that it refused. Each of these waits here for the outcome of the one before it, and is then sent without naming it. So a
chain keeps its order, and none is sent again in vain.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pantherahive_client.errors import HiveError, Unavailable
from pantherahive_client.outcomes import AFTER, KnownOutcomes, Name, name_of


@dataclass(slots=True, eq=False)
class _Command:
    """One that is sent here, or that others come after."""

    # Who sends it, oldest first.
    members: list[Member] = field(default_factory=list)
    # Whose try is on its way: neither answered nor lost with its connection.
    away: Member | None = None
    # Who waits for something to happen to it.
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def wake(self) -> None:
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)


class Member:
    """A command in its chain, from its first try to the end of its last."""

    def __init__(self, commands: _Commands, outcomes: KnownOutcomes, frame: Mapping[str, Any]) -> None:
        self._commands = commands
        self._outcomes = outcomes
        self._frame = frame
        self._name = name_of(frame)
        # Behind whom it was last sent.
        self._behind: Name | None = None
        # The number of its last sending among all of this client; 0: none.
        self._sending = 0
        # Why it was last refused, for now.
        self.refusal: HiveError | None = None

    async def turn(self) -> None:
        """Returns when it may go.

        One try at a time under one opId, so that its order and its outcome are those of the newest content. And not
        before the one before it; where it was sent right behind that one already, not before that one's outcome.
        """
        while (name := self._awaited()) is not None:
            await self._commands.change_of(name, None)

    async def pause(self, error: HiveError, wait_s: float) -> None:
        """After a refusal for now: so long, or less where the one before it is why and something happens to that."""
        self.refusal = error
        behind = self._behind
        if not isinstance(error, Unavailable) or behind is None:
            await asyncio.sleep(wait_s)
        elif behind == self._before() and not self._commands[behind].members:
            await self._commands.change_of(behind, wait_s)

    def due(self) -> Mapping[str, Any]:
        """The frame as it is to be sent now: behind the one before it, if that has no outcome."""
        return self._outcomes.due(self._frame)

    def left(self) -> None:
        """It was sent so: what comes after it may go, right behind it."""
        self._sending = next(self._commands.sendings)
        self._behind = self._before()
        self._outcomes.sent(self._frame)
        self._commands.kept(self._name).away = self
        self._commands.changed(self._name)

    def back(self) -> None:
        """It was answered, or its connection is over."""
        self._commands[self._name].away = None
        self._commands.changed(self._name)

    def _awaited(self) -> Name | None:
        """What has to happen something to, before this one may go."""
        own = self._commands[self._name]
        if own.away is not None or own.members[0] is not self:
            return self._name
        before = self._before()
        if before is None or before == self._name:
            return before
        command = self._commands[before]
        if not command.members:
            return None
        is_in_front = command.members == [command.away] and before != self._behind
        return None if is_in_front and command.members[0]._is_led() else before

    def _is_led(self) -> bool:
        """Whether all those that it was sent behind are on their way too, up to one that was accepted."""
        member = self
        while member._behind is not None:
            ahead = self._commands[member._behind].away
            if ahead is None or ahead._sending > member._sending:
                return ahead is None and self._outcomes.is_accepted(member._behind)
            member = ahead
        return True

    def _before(self) -> Name | None:
        """The next one before it that has no outcome."""
        frame = self.due()
        return name_of(frame, AFTER) if frame.get(AFTER) is not None else None


class _Commands:
    def __init__(self) -> None:
        self.sendings = itertools.count(1)
        self._commands: dict[Name, _Command] = {}

    def __getitem__(self, name: Name) -> _Command:
        """As it stands; one that nobody sends or waits for is not kept."""
        return self._commands.get(name) or _Command()

    def kept(self, name: Name) -> _Command:
        return self._commands.setdefault(name, _Command())

    def changed(self, name: Name) -> None:
        """Tells who waits for it."""
        self[name].wake()
        self._tidy(name)

    async def change_of(self, name: Name, wait_s: float | None) -> None:
        """Until something happens to it, at most so long."""
        command = self.kept(name)
        waiter = asyncio.get_running_loop().create_future()
        command.waiting.append(waiter)
        try:
            await asyncio.wait({waiter}, timeout=wait_s)
        finally:
            command.waiting.remove(waiter)
            self._tidy(name)

    def _tidy(self, name: Name) -> None:
        command = self[name]
        if not (command.members or command.away or command.waiting):
            self._commands.pop(name, None)


class Chains:
    """The commands of one client."""

    def __init__(self, outcomes: KnownOutcomes) -> None:
        self._outcomes = outcomes
        self._commands = _Commands()

    @contextmanager
    def member(self, frame: Mapping[str, Any]) -> Iterator[Member]:
        """As long as somebody waits for the command."""
        name = name_of(frame)
        member = Member(self._commands, self._outcomes, frame)
        self._outcomes.begun(frame)
        self._commands.kept(name).members.append(member)
        try:
            yield member
        finally:
            self._outcomes.ended(frame)
            self._commands[name].members.remove(member)
            self._commands.changed(name)
