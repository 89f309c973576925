"""A project on the client: what the server has confirmed, and our own commands on top of it.

    confirmed ──(entry)──► confirmed          the fold of what the server has sent, and nothing else
        └─ copy ─ pending 1 ─ pending 2 ─► shown      made anew when either of them changes

A command is pending from its sending until the confirmed state holds its entry, or until it is known that there will be
none. So its effect never goes away in between, and never stands there twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pantherahive_client.cursors import cursor_of, seq_of
from pantherahive_client.fold import evolve
from pantherahive_client.foresight.effects import is_foreseen, show
from pantherahive_client.models import WireEntry
from pantherahive_client.pending import PendingCommand
from pantherahive_client.project_state import ProjectState, from_parts

logger = logging.getLogger("pantherahive_client")

_UNFIT = (KeyError, TypeError, ValueError, AttributeError)
"""What comes out of data that do not fit the schema."""


class Replica:
    """What is held of a project (`following.Held`). A record that was read stays as it was."""

    def __init__(self, cursor: str | None, confirmed: ProjectState | None, pending_max: int) -> None:
        # The position after the last entry that was taken; None before the first state.
        self.cursor = cursor
        # What the server has confirmed; None until the first state has come (with a cursor alone: until one is sent).
        self.confirmed = confirmed
        self._pending_max = pending_max
        # opId → command, in the order of their sending.
        self._pending: dict[str, PendingCommand] = {}
        # opId → how many send it.
        self._senders: Counter[str] = Counter()
        # opId → the seq of its entry, of those that were acknowledged before their entry came.
        self._acknowledged: dict[str, int] = {}
        # The confirmed state with what is pending; None when it has to be made anew.
        self._shown: ProjectState | None = None
        # How often what is shown has become something else.
        self.version = 0

    @property
    def seq(self) -> int:
        """The last entry that was taken; 0 before the first."""
        return seq_of(self.cursor) if self.cursor is not None else 0

    @property
    def pending(self) -> Sequence[PendingCommand]:
        """What is on its way, in the order of its sending."""
        return list(self._pending.values())

    @property
    def shown(self) -> ProjectState | None:
        """The confirmed state with what is pending; the confirmed one itself where nothing is."""
        if self.confirmed is None or not self._pending:
            return self.confirmed
        if self._shown is None:
            self._shown = self.confirmed.copied()
            for pending in self._pending.values():
                self._shown = _with(self._shown, pending)
        return self._shown

    # ------------------------------------------------------------------ commands

    def expect(self, pending: PendingCommand) -> bool:
        """Shows a command's effect from now on. False: it waits for its entry, as some do, or as there are too many."""
        if pending.op_id in self._pending:
            self._senders[pending.op_id] += 1
            return False
        if not is_foreseen(pending.type) or len(self._pending) >= self._pending_max:
            return False
        if self._shown is not None:
            self._shown = _with(self._shown, pending)
        self._pending[pending.op_id] = pending
        self._senders[pending.op_id] = 1
        self.version += 1
        return True

    def acknowledge(self, op_id: str, seq: int) -> None:
        """The command took effect; it stays pending until its entry is here."""
        if op_id not in self._pending:
            return
        if seq <= self.seq:
            self.withdraw(op_id)
        else:
            self._acknowledged[op_id] = seq

    def give_up(self, op_id: str) -> None:
        """One of those who send the command expects nothing of it any more: it was refused, or took too long."""
        self._senders[op_id] -= 1
        if self._senders[op_id] <= 0 and op_id not in self._acknowledged:
            self.withdraw(op_id)

    def withdraw(self, op_id: str) -> None:
        """Nothing more is expected of the command."""
        self._acknowledged.pop(op_id, None)
        self._senders.pop(op_id, None)
        if self._pending.pop(op_id, None) is not None:
            self._make_anew()

    # ------------------------------------------------------------------ what the server sends

    def take(self, entry: WireEntry) -> None:
        """The next entry. Raises KeyError, TypeError or ValueError when it does not fit; then the state is broken."""
        if self.confirmed is not None:
            evolve(self.confirmed, entry)
        self.cursor = cursor_of(entry)
        self._make_anew()
        self._settle(entry["opId"])

    def restart(self, cursor: str, parts: Iterable[Mapping[str, Any]], *, lost_future: bool) -> None:
        """A whole state. What is pending and may be in it already changes nothing there a second time.

        `lost_future`: the server has gone back to an older point of its log; what it acknowledged after it is lost.
        """
        self.cursor, self.confirmed = cursor, from_parts(parts)
        self._make_anew()
        for op_id in list(self._acknowledged) if lost_future else ():
            self.withdraw(op_id)
        self._settle(None)

    def lose(self) -> None:
        """There is no state to go on from; the next one has to come whole."""
        self.cursor = self.confirmed = None
        self._make_anew()

    def end(self) -> None:
        """Nothing more comes, neither entries nor answers."""
        self._pending.clear()
        self._senders.clear()
        self._acknowledged.clear()
        self._make_anew()

    def _make_anew(self) -> None:
        self._shown = None
        self.version += 1

    def _settle(self, op_id: str | None) -> None:
        """Lets go of what the confirmed state holds now."""
        if op_id is not None:
            self.withdraw(op_id)
        for known, seq in list(self._acknowledged.items()):
            if seq <= self.seq:
                self.withdraw(known)


def _with(state: ProjectState, pending: PendingCommand) -> ProjectState:
    """The state with the effect of a command; without it where its data do not fit, which is for the server to say."""
    try:
        show(state, pending)
    except _UNFIT as error:
        logger.debug("the effect of %s cannot be foreseen: %r", pending.type, error)
    return state
