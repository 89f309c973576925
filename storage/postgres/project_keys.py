"""The keys of projects, claimed once and never released."""

from __future__ import annotations

from typing import Final

from storage.postgres.pool import Database

_CLAIM: Final = """
INSERT INTO project_keys (key, project_id)
SELECT $1, $2::uuid
 WHERE NOT EXISTS (SELECT 1 FROM entries WHERE stream = 'project/' || $2::uuid::text)
ON CONFLICT DO NOTHING
"""
_HOLDER_OF: Final = "SELECT project_id FROM project_keys WHERE key = $1"
_KEY_OF: Final = "SELECT key FROM project_keys WHERE project_id = $1 ORDER BY claimed_at DESC, key LIMIT 1"


class PostgresProjectKeys:
    """Fits `storage.ports.ProjectKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, key: str, project_id: str) -> bool:
        """See the port. The look afterwards is a statement of its own, so that it sees who was faster."""
        await self._database.write(_CLAIM, key, project_id)
        return await self.holder_of(key) == project_id

    async def key_of(self, project_id: str) -> str | None:
        """See the port."""
        rows = await self._database.fetch(_KEY_OF, project_id)
        return str(rows[0]["key"]) if rows else None

    async def holder_of(self, key: str) -> str | None:
        """See the port."""
        rows = await self._database.fetch(_HOLDER_OF, key)
        return str(rows[0]["project_id"]) if rows else None
