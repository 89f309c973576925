"""Whether the database answers now, asked on a connection of its own: those of a pool may be busy, or stuck."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from protocol.faults import NotApplied
from storage.postgres.faults import reading
from storage.postgres.pool import Database

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]


class Pulse:
    """Asked by one caller at a time. A connection that was ended meanwhile is replaced: an answer now counts."""

    def __init__(self, database: Database, timeout_s: float) -> None:
        self._database = database
        self._timeout_s = timeout_s
        # The connection in use; None before the first question and after one that was not answered.
        self._connection: _Connection | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the connection that was used last has been ended by the other side."""
        return self._connection is not None and self._connection.is_closed()

    async def feel(self) -> None:
        """Returns when the database has answered. Raises NotApplied when it has not within the time."""
        try:
            async with asyncio.timeout(self._timeout_s):
                if self.is_lost:
                    self.close()
                if self._connection is None:
                    self._connection = await self._database.connect("pulse")
                with reading():
                    await self._connection.fetchval("SELECT 1")
        except TimeoutError as error:
            self.close()
            raise NotApplied(f"no answer within {self._timeout_s:g} s") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Cuts the connection, without a word to a server that may not listen."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
