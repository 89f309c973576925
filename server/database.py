"""The database of an installation: a Postgres of the operator's own, or the embedded one in the data folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from config.settings import Settings
from server.ids import SystemIds
from storage.embedded import DataFolderInUse, DataFolderLock, EmbeddedPostgres, running_dsn

log = structlog.get_logger("pantherahive.database")

NODE_ID_FILE: Final = "node_id"
WATCH_INTERVAL_S: Final = 0.25


class OwnedDatabase:
    """What a server works on: the locked data folder, and the address of its database."""

    def __init__(self, settings: Settings) -> None:
        self._data_dir = settings.data_dir
        self._url = settings.database_url
        # With a Postgres of the operator's own, the folder is locked by us; else by the embedded one.
        self._lock = DataFolderLock(settings.data_dir)
        self._embedded: EmbeddedPostgres | None = None
        if self._url is None:
            self._embedded = EmbeddedPostgres(settings.data_dir, binaries_dir=settings.postgres_binaries_dir)

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
        """This installation's own id, made at the first start. The folder must be locked."""
        path = self._data_dir / NODE_ID_FILE
        if not path.exists():
            draft = path.with_name(f".{NODE_ID_FILE}.new")
            draft.write_text(f"{SystemIds().new_id()}\n", encoding="ascii")
            draft.replace(path)
        return path.read_text(encoding="ascii").strip()

    async def keep_running(self) -> None:
        """Starts the embedded Postgres again when it was killed. Until cancelled; raises EmbeddedPostgresError.

        It runs on the main thread, as the launcher demands, so everybody waits for the recovery; without a database
        there is nothing else to do.
        """
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            if self._embedded is not None and self._embedded.pid is None:
                log.error("the embedded Postgres has ended; starting it again")
                self._embedded.start()


@contextmanager
def visited(settings: Settings) -> Iterator[str]:
    """The DSN for commands that own nothing: the running server's Postgres, or one that is started for the visit.

    From the main thread. Raises EmbeddedPostgresError.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    embedded = EmbeddedPostgres(settings.data_dir, binaries_dir=settings.postgres_binaries_dir)
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


def has_cluster(data_dir: Path) -> bool:
    """Whether the embedded Postgres was ever started here."""
    return (data_dir / "postgres" / "PG_VERSION").exists()
