"""The keys of projects, claimed once and never released."""

from __future__ import annotations

from typing import Final

from storage.postgres.pool import Database

_CLAIM: Final = "INSERT INTO project_keys (key, project_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_KEY_OF: Final = "SELECT key FROM project_keys WHERE project_id = $1"


class PostgresProjectKeys:
    """Fits `storage.ports.ProjectKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, key: str, project_id: str) -> bool:
        """See the port. The look afterwards is a statement of its own, so that it sees who was faster."""
        await self._database.write(_CLAIM, key, project_id)
        return await self.key_of(project_id) == key

    async def key_of(self, project_id: str) -> str | None:
        """See the port."""
        rows = await self._database.fetch(_KEY_OF, project_id)
        return str(rows[0]["key"]) if rows else None
