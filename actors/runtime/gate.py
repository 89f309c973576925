"""The output gate: whatever leaves an actor waits until the state that it saw is durable.

After Cloudflare's Durable Objects (workerd, `io-gate.h`): outgoing messages are blocked while writes are in flight, and
if a write fails they are never sent.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from protocol.errors import Rejection


class Output(Protocol):
    """Something that wants to leave: an ack, a rejection, a reading, an entry for the followers, a snapshot."""

    def release(self, epoch: int) -> None:
        """The state is durable; `epoch` is that of the entry at the output's seq."""
        ...

    def abort(self, rejection: Rejection) -> None:
        """The state that it saw is gone; the output must never leave."""
        ...

    def expired(self, now_s: float) -> bool:
        """Whether its caller has stopped waiting."""
        ...


class OutputGate:
    """Outputs in order of the seq that they saw. Outputs of a durable seq pass at once."""

    __slots__ = ("_epoch", "_held", "durable")

    def __init__(self, durable: int, epoch: int) -> None:
        # The newest seq that is committed.
        self.durable = durable
        # The epoch of the entry at `durable`.
        self._epoch = epoch
        # (seq, held since, output), by seq, then by arrival.
        self._held: deque[tuple[int, float, Output]] = deque()

    @property
    def epoch(self) -> int:
        """The epoch of the newest durable entry."""
        return self._epoch

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, seq: int, output: Output, now_s: float) -> None:
        """Lets the output out when `seq` is durable: the actor's newest, or an older one for a retry."""
        if seq <= self.durable:
            output.release(self._epoch)
            return
        held = self._held
        if not held or held[-1][0] <= seq:
            held.append((seq, now_s, output))
            return
        place = len(held) - 1
        while place and held[place - 1][0] > seq:
            place -= 1
        held.insert(place, (seq, now_s, output))

    def open(self, durable: int, epoch: int) -> float | None:
        """Everything up to `durable` was committed under `epoch`. Returns since when the oldest of it was held."""
        self.durable, self._epoch = durable, epoch
        since = self._held[0][1] if self._held and self._held[0][0] <= durable else None
        while self._held and self._held[0][0] <= durable:
            self._held.popleft()[2].release(epoch)
        return since

    def abort(self, rejection: Rejection) -> None:
        """What is held will never be true."""
        held, self._held = self._held, deque()
        for _, _, output in held:
            output.abort(rejection)

    def expire(self, now_s: float, rejection: Rejection) -> None:
        """Answers the callers who have stopped waiting; their entries stay on their way."""
        for _, _, output in self._held:
            if output.expired(now_s):
                output.abort(rejection)
