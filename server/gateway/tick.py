"""What is done once at the end of a turn of the loop: whatever it brought is told, then everything leaves.

So a client gets all that one turn brings, its answers first, in one write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from server.gateway.outlet import Outlet

log = logging.getLogger("pantherahive.gateway")


class Tick:
    """`bring` is called at the end of every turn for which `call` was, before what was written is flushed.

    Where it answers True it is called again at the end of the next turn.
    """

    def __init__(self, bring: Callable[[], bool]) -> None:
        self._bring = bring
        # The end of this turn, while it is on the loop's list.
        self._due: asyncio.Handle | None = None
        # Whoever has written, perhaps more than once.
        self._outlets: list[Outlet] = []

    def call(self) -> None:
        """Sees to it that this turn has an end."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_soon(self._end)

    def end(self) -> None:
        """Ends the turn at once, where it is known that nothing more comes in it; nothing if it has no end to come.

        Raises nothing: who calls it has others to care for.
        """
        if self._due is None:
            return
        self._due.cancel()
        try:
            self._end()
        except Exception:
            log.exception("what a turn brought could not be told")

    def flush_later(self, outlet: Outlet) -> None:
        """A client has been written to."""
        self._outlets.append(outlet)
        if self._due is None:
            self.call()

    def _end(self) -> None:
        has_more = False
        try:
            has_more = self._bring()
        finally:
            self._due = None
            self._flush()
        if has_more:
            self.call()

    def _flush(self) -> None:
        outlets, self._outlets = self._outlets, []
        for outlet in outlets:
            try:
                outlet.flush()
            except Exception:
                log.exception("a client could not be written to")
                outlet.abort()
