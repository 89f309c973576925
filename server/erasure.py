"""Takes purged projects out of the log: what they held is replaced, page by page, and their snapshots go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from protocol.faults import StorageFault
from storage.invitation_ports import InvitationSecrets
from storage.ports import ErasableLog
from storage.projections.purges import Purge

log = structlog.get_logger("pantherahive.erasure")

ENTRIES_PER_STATEMENT: Final = 1000
PURGES_PER_ROUND: Final = 20


class Eraser:
    """Looks for purged projects once a minute or so. `unerased` gives some of those that are not done;
    `forget` drops what this process keeps of a stream's entries."""

    def __init__(
        self,
        unerased: Callable[[int], Awaitable[Sequence[Purge]]],
        journal: ErasableLog,
        secrets: InvitationSecrets,
        forget: Callable[[str], None],
    ) -> None:
        self._unerased = unerased
        self._journal = journal
        self._secrets = secrets
        self._forget = forget

    async def run(self, interval_s: float) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self.erase_some():
                    pass
            except StorageFault as fault:
                log.warning("erasure_waits", fault=str(fault))
            await asyncio.sleep(interval_s)

    async def erase_some(self) -> int:
        """Erases some purged projects; returns how many. Raises StorageFault; it is safe to begin again."""
        purges = await self._unerased(PURGES_PER_ROUND)
        for purge in purges:
            await self._erase(purge)
        return len(purges)

    async def _erase(self, purge: Purge) -> None:
        """From the newest entry to the first: what is left after a crash is a beginning that can be replayed.

        Snapshots go when none can be kept any more, but before the first entry: that one says that all is done.
        """
        stream = f"project/{purge.project_id}"
        await self._secrets.forget_project(purge.project_id)
        for last in range(purge.seq - 1, 1, -ENTRIES_PER_STATEMENT):
            await self._journal.erase(stream, max(2, last - ENTRIES_PER_STATEMENT + 1), last)
        await self._journal.drop_snapshots(stream, purge.seq)
        await self._journal.erase(stream, 1, 1)
        self._forget(stream)
        log.info("project_erased", project=purge.project_id, entries=purge.seq - 1)
