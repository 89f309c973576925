"""What is done once at the end of a turn of the loop: entries and news are brought, then everything leaves.

So a client gets all that one turn brings, its answers first, in one write; and what is the same for many is built once.
"""

from __future__ import annotations

import asyncio
import logging

from actors.runtime.hub import StreamHub
from server.gateway.delivery import Batch, Delivery
from server.gateway.limits import GatewayLimits
from server.gateway.outlet import Outlet

log = logging.getLogger("pantherahive.gateway")


class Tick:
    """Collects the work of a turn and does it at its end. What fails for one client is its end, and nobody else's."""

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits
        # Whether the end is on the loop's list already.
        self._is_due = False
        # Places for which there is something new, in order and once each.
        self._woken: dict[Delivery, None] = {}
        # The stream of the one that was woken last, and how often that was another than before.
        self._last_woken: StreamHub | None = None
        self._stretches = 0
        # Streams whose followers have something to be told of each other.
        self._aware: dict[StreamHub, None] = {}
        # Whoever has written, perhaps more than once.
        self._outlets: list[Outlet] = []
        # While it is done: whether it brings every client one frame at most, beside answers.
        self.brings_one = False

    def wake(self, delivery: Delivery) -> None:
        """There are new entries for a place."""
        if not self._is_due:
            self._call()
        hub = delivery.following.hub
        if hub is not self._last_woken:
            self._last_woken = hub
            self._stretches += 1
        self._woken[delivery] = None

    def tell_awareness(self, hub: StreamHub) -> None:
        """The followers of a stream have something to be told of each other."""
        if not self._is_due:
            self._call()
        self._aware[hub] = None

    def flush_later(self, outlet: Outlet) -> None:
        """A client has been written to."""
        if not self._is_due:
            self._call()
        self._outlets.append(outlet)

    def _call(self) -> None:
        self._is_due = True
        asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        try:
            self.brings_one = self._stretches + len(self._aware) == 1
            self._deliver()
            self._tell()
        finally:
            self._is_due = False
            self._flush()

    def _deliver(self) -> None:
        woken, self._woken = self._woken, {}
        self._last_woken, self._stretches = None, 0
        batches: dict[StreamHub, Batch] = {}
        for delivery in woken:
            hub = delivery.following.hub
            batch = batches.get(hub)
            if batch is None:
                batch = batches[hub] = Batch(hub, self._limits, is_all=self.brings_one)
            try:
                delivery.deliver(batch)
            except Exception:
                log.exception("a delivery failed: %s", hub.stream)
                delivery.abort()

    def _tell(self) -> None:
        aware, self._aware = self._aware, {}
        for hub in aware:
            hub.tell_awareness()

    def _flush(self) -> None:
        outlets, self._outlets = self._outlets, []
        for outlet in outlets:
            try:
                outlet.flush()
            except Exception:
                log.exception("a client could not be written to")
                outlet.abort()
