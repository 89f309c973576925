"""Addresses and tokens of invitations, in a table beside the log."""

from __future__ import annotations

from typing import Final

from protocol.base import datetime_of
from storage.invitation_ports import InvitationSecret
from storage.postgres.pool import Database

_FORGET: Final = "DELETE FROM invitation_secrets WHERE kept_at < $1"
_FORGET_PROJECT: Final = "DELETE FROM invitation_secrets WHERE project_id = $1"
_KEEP: Final = """
INSERT INTO invitation_secrets (project_id, invitation_id, address, token_hash, kept_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
"""
_FIND: Final = "SELECT address, token_hash FROM invitation_secrets WHERE project_id = $1 AND invitation_id = $2"


class PostgresInvitationSecrets:
    """Fits `storage.invitation_ports.InvitationSecrets`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, secret: InvitationSecret, forget_before: str) -> bool:
        """See the port. The look afterwards is a statement of its own, so that it sees who was faster."""
        await self._database.write(_FORGET, datetime_of(forget_before))
        await self._database.write(
            _KEEP,
            secret.project_id,
            secret.invitation_id,
            secret.address,
            secret.token_hash,
            datetime_of(secret.kept_at),
        )
        rows = await self._database.fetch(_FIND, secret.project_id, secret.invitation_id)
        return [(row["address"], row["token_hash"]) for row in rows] == [(secret.address, secret.token_hash)]

    async def forget_project(self, project_id: str) -> None:
        """See the port."""
        await self._database.write(_FORGET_PROJECT, project_id)

    async def token_hash(self, project_id: str, invitation_id: str) -> bytes | None:
        """See the port."""
        rows = await self._database.fetch(_FIND, project_id, invitation_id)
        return bytes(rows[0]["token_hash"]) if rows else None
