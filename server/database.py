"""The database of an installation: a Postgres of the operator's own, or the embedded one in the data folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from config.settings import Settings
from server.node_id import NODE_ID_FILE, read_or_make_node_id
from storage.embedded import DataFolderInUse, DataFolderLock, EmbeddedPostgres, EmbeddedPostgresError, running_dsn

log = structlog.get_logger("pantherahive.database")

WATCH_INTERVAL_S: Final = 0.25
RESTART_PAUSE_FIRST_S: Final = 0.5
RESTART_PAUSE_MAX_S: Final = 10.0


class OwnedDatabase:
    """What a server works on: the locked data folder, and the address of its database."""

    def __init__(self, settings: Settings) -> None:
        self._data_dir = settings.data_dir
        self._url = settings.database_url
        # With a Postgres of the operator's own, the folder is locked by us; else by the embedded one.
        self._lock = DataFolderLock(settings.data_dir)
        self._embedded: EmbeddedPostgres | None = None
        # Whether a new one is on its way after the old one ended.
        self._restarting = False
        if self._url is None:
            self._embedded = _embedded(settings)
        self._start_timeout_s = settings.postgres_start_timeout_s

    @property
    def is_embedded(self) -> bool:
        return self._embedded is not None

    def start(self) -> str:
        """Locks the folder and gives the DSN. From the main thread. Raises EmbeddedPostgresError."""
        if self._embedded is not None:
            return self._embedded.start()
        self._lock.acquire()
        return str(self._url)

    def stop(self) -> None:
        """Stops the embedded Postgres and unlocks the folder."""
        if self._embedded is not None:
            self._embedded.stop()
        self._lock.release()

    def node_id(self) -> str:
        """This installation's own id, made at the first start. The folder must be locked. Raises DataFolderUnusable."""
        return read_or_make_node_id(self._data_dir / NODE_ID_FILE)

    def why_away(self) -> str | None:
        """Why the embedded Postgres cannot be used, from the moment in which it is gone until it is back."""
        if self._embedded is None or (self._embedded.pid is not None and not self._restarting):
            return None
        return "the embedded Postgres has ended and is started again"

    async def keep_running(self) -> None:
        """Starts the embedded Postgres again when it was killed. Until cancelled; raises EmbeddedPostgresError.

        On the main thread, as the launcher demands; everybody else goes on while it recovers.
        """
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            if self._embedded is not None and self._embedded.pid is None:
                log.error("the embedded Postgres has ended; starting it again")
                self._restarting = True
                await self._restart(self._embedded)
                self._restarting = False
                log.info("the embedded Postgres is back")

    async def _restart(self, embedded: EmbeddedPostgres) -> None:
        """Tries until the start timeout has passed; what stood in the way may go (a full disk, for example)."""
        deadline_s = time.monotonic() + self._start_timeout_s
        pause_s = RESTART_PAUSE_FIRST_S
        while True:
            try:
                await embedded.restart(max(0.0, deadline_s - time.monotonic()))
            except EmbeddedPostgresError as error:
                if time.monotonic() + pause_s >= deadline_s:
                    raise
                log.warning("the embedded Postgres does not start; trying again", pause_s=pause_s, why=str(error))
            else:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RESTART_PAUSE_MAX_S)


@contextmanager
def visited(settings: Settings) -> Iterator[str]:
    """The DSN for commands that own nothing: the running server's Postgres, or one that is started for the visit.

    From the main thread. Raises EmbeddedPostgresError.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    embedded = _embedded(settings)
    try:
        dsn = embedded.start()
    except DataFolderInUse:
        running = running_dsn(settings.data_dir)
        if running is None:
            raise
        yield running
        return
    try:
        yield dsn
    finally:
        embedded.stop()


def _embedded(settings: Settings) -> EmbeddedPostgres:
    return EmbeddedPostgres(
        settings.data_dir,
        binaries_dir=settings.postgres_binaries_dir,
        start_timeout_s=settings.postgres_start_timeout_s,
        stop_timeout_s=settings.postgres_stop_timeout_s,
    )
