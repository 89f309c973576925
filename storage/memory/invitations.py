"""Addresses and tokens of invitations in memory."""

from __future__ import annotations

from storage.invitation_ports import InvitationSecret


class MemoryInvitationSecrets:
    """Fits `storage.invitation_ports.InvitationSecrets`."""

    def __init__(self) -> None:
        # (Project id, invitation id) → the secret.
        self._secrets: dict[tuple[str, str], InvitationSecret] = {}

    async def keep(self, secret: InvitationSecret, forget_before: str) -> bool:
        """See the port."""
        self._secrets = {key: old for key, old in self._secrets.items() if old.kept_at >= forget_before}
        kept = self._secrets.setdefault((secret.project_id, secret.invitation_id), secret)
        return (kept.address, kept.token_hash) == (secret.address, secret.token_hash)

    async def forget_project(self, project_id: str) -> None:
        """See the port."""
        self._secrets = {key: secret for key, secret in self._secrets.items() if secret.project_id != project_id}

    async def token_hash(self, project_id: str, invitation_id: str) -> bytes | None:
        """See the port."""
        secret = self._secrets.get((project_id, invitation_id))
        return secret.token_hash if secret is not None else None
