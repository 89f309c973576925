"""Asks the log whether it knows an opId, for commands that are older than an actor's memory.

Questions of one tick share their round trip.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping

from actors.ports import Journal
from actors.runtime.delivery import UNAVAILABLE, CommandDelivery
from actors.runtime.limits import RuntimeLimits
from protocol.faults import StorageFault
from protocol.log import Entry

log = logging.getLogger("pantherahive.lookup")


class Lookup:
    """Deliveries on a detour through the log. They come back to their cell in the order in which they left it."""

    def __init__(
        self, journal: Journal, limits: RuntimeLimits, return_to_cell: Callable[[CommandDelivery], None]
    ) -> None:
        self._journal = journal
        self._return_to_cell = return_to_cell
        self._limits = limits
        # Deliveries that wait for the next question.
        self._waiting: deque[CommandDelivery] = deque()
        # The task that asks, while there is something to ask.
        self._task: asyncio.Task[None] | None = None

    def ask(self, delivery: CommandDelivery) -> None:
        if len(self._waiting) >= self._limits.mailbox_messages_max * 4:
            delivery.refuse(UNAVAILABLE)
            return
        self._waiting.append(delivery)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="look up opIds")

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), self._limits.batch_entries_max)
                await self._answer([self._waiting.popleft() for _ in range(count)])
        finally:
            self._task = None

    def close(self) -> None:
        """Stops asking; who still waits is refused."""
        if self._task is not None:
            self._task.cancel()
        while self._waiting:
            self._waiting.popleft().refuse(UNAVAILABLE)

    async def _answer(self, asked: list[CommandDelivery]) -> None:
        keys = [(delivery.request.stream, delivery.request.op_id) for delivery in asked]
        found: Mapping[tuple[str, str], Entry] | None = None
        try:
            found = await self._journal.find_ops(keys)
        except StorageFault as fault:
            log.warning("cannot look up opIds: %s", fault)
        except Exception:
            log.exception("looking up opIds failed")
        finally:
            if found is None:
                for delivery in asked:
                    delivery.refuse(UNAVAILABLE)
        if found is None:
            return
        for delivery, key in zip(asked, keys, strict=True):
            delivery.searched, delivery.found = True, found.get(key)
            self._return_to_cell(delivery)
