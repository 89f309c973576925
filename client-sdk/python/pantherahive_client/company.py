"""The others who follow a stream: who is here, where they look, and what we let them see of ourselves.

None of it is in the log. Only the newest counts: states that were replaced before they could be sent are never sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pantherahive_client.errors import HiveError, PacketRefused, error_of
from pantherahive_client.models import AwarenessMessage, AwareState, PresentUser
from pantherahive_client.outbox import Sender
from pantherahive_client.sendable import packet_bytes
from pantherahive_client.settings import Settings
from pantherahive_client.signal import Signal


class Company:
    """All methods are synchronous. `changed` is told whenever somebody else comes, goes or looks elsewhere."""

    def __init__(self, stream: str, settings: Settings, changed: Signal) -> None:
        self._stream = stream
        self._settings = settings
        self._changed = changed
        # Who follows the stream now, ourselves among them; the last that was known while we are not connected.
        self.present: list[PresentUser] = []
        # Connection → what it lets others see; ours is not among them.
        self._aware: dict[str, AwareState] = {}
        # What we let others see, and the last of it that the server took; None for nothing.
        self._own: Mapping[str, Any] | None = None
        self._taken: Mapping[str, Any] | None = None
        # Whether the server has to be told that, and whether it is being told.
        self._is_new = False
        self._is_under_way = False
        # Those who wait until it is told: of what is new, and of what is under way.
        self._waiting: list[asyncio.Future[None]] = []
        self._told: list[asyncio.Future[None]] = []
        # The connection, while the stream is followed live on it; its number, as answers to earlier ones are late.
        self._link: Sender | None = None
        self._line = 0
        # Whether a state was under way when the connection was lost, and how many connections in a row the server has
        # ended over what was sent, with one among it.
        self._was_under_way = False
        self._refusals = 0
        # How often in a row we were to wait, and the wait.
        self._failures = 0
        self._pause: asyncio.TimerHandle | None = None

    @property
    def aware(self) -> list[AwareState]:
        """What the others let be seen, one state per connection."""
        return list(self._aware.values())

    # ------------------------------------------------------------------ the connection

    def joined(self, present: list[PresentUser]) -> None:
        """Everybody's states come anew, if there are any."""
        self._aware.clear()
        self.take_present(present)

    def live(self, link: Sender) -> None:
        """Our own state ended with the connection before."""
        self._link = link
        self._is_new = self._is_new or self._own is not None
        self._tell()

    def apart(self) -> None:
        """There is nobody to tell at this moment."""
        self._link = None
        self._line += 1
        self._waiting, self._told = [*self._told, *self._waiting], []
        self._is_new = self._is_new or self._is_under_way
        self._was_under_way = self._was_under_way or self._is_under_way
        self._is_under_way = False
        self._end_pause()

    def connection_over(self, *, refused: bool) -> None:
        """`refused`: the server ended it over what was sent. Nobody says over what, so the newest state counts."""
        self._refusals = self._refusals + 1 if refused and self._was_under_way else 0
        self._was_under_way = False
        if self._refusals >= self._settings.refusals_max:
            self._refusals = 0
            self._give_up(PacketRefused(None))

    def end(self, why: HiveError) -> None:
        """There will be nobody to tell."""
        self.apart()
        self._give_up(why)

    def _give_up(self, why: HiveError) -> None:
        """Nothing is shown."""
        self._own = self._taken = None
        self._is_new = False
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(why)
        self._waiting.clear()

    # ------------------------------------------------------------------ others

    def take_present(self, present: list[PresentUser]) -> None:
        """Others have come or gone."""
        self.present = present
        self._changed.notify()

    def take_awareness(self, message: AwarenessMessage) -> None:
        """Others look elsewhere."""
        if message.get("complete"):
            self._aware.clear()
        for state in message["states"]:
            if state["state"] is None:
                self._aware.pop(state["connection"], None)
            else:
                self._aware[state["connection"]] = state
        self._changed.notify()

    # ------------------------------------------------------------------ ourselves

    def show(self, state: Mapping[str, Any] | None) -> asyncio.Future[None]:
        """Lets the others see this from now on, on every connection to come; done when the server was told it or a
        newer one. Raises Invalid for what is no JSON, TooLarge for too many values; what has too many bytes for the
        server is answered so, and PacketRefused is the answer to what the server ends its connections over."""
        packet_bytes({"stream": self._stream, "state": state})
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._own, self._is_new = state, True
        self._waiting.append(waiter)
        self._tell()
        return waiter

    def _tell(self) -> None:
        if self._link is None or self._is_under_way or not self._is_new or self._pause is not None:
            return
        self._is_new, self._is_under_way = False, True
        self._told, self._waiting = self._waiting, []
        line, state = self._line, self._own

        def answered(answer: Any = None) -> None:
            if line == self._line:
                self._answered(state, answer)

        self._link.send("awareness", {"stream": self._stream, "state": state}, answered)

    def _answered(self, state: Mapping[str, Any] | None, answer: Any) -> None:
        self._is_under_way = False
        error = error_of(answer["error"]) if isinstance(answer, dict) and "error" in answer else None
        if error is not None and error.retryable:
            self._wait(error)
            return
        self._failures = 0
        if error is None:
            self._taken = state
        elif not self._is_new:
            self._own = self._taken
        told, self._told = self._told, []
        for waiter in told:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)
        self._tell()

    def _wait(self, error: HiveError) -> None:
        """The newest is told later."""
        self._is_new = True
        self._waiting, self._told = [*self._told, *self._waiting], []
        wait_s = self._settings.retry.wait_s(self._failures, error.retry_after_s)
        self._failures += 1
        self._pause = asyncio.get_running_loop().call_later(wait_s, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._tell()

    def _end_pause(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
