"""What invitations by e-mail need from storage: address and token, which never enter the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class InvitationSecret:
    """The address that an invitation goes to, and the SHA-256 of its token. Instants are canonical."""

    project_id: str
    invitation_id: str
    address: str = field(repr=False)
    token_hash: bytes = field(repr=False)
    kept_at: str


class InvitationSecrets(Protocol):
    """A table beside the log. Statements raise `protocol.faults` as in `storage.ports`."""

    async def keep(self, secret: InvitationSecret, forget_before: str) -> bool:
        """True when the table holds just this secret for its invitation, from this call or an earlier one.

        False: another one was kept under these ids first. What was kept before `forget_before` goes.
        """
        ...

    async def forget_project(self, project_id: str) -> None:
        """Deletes all that is kept for a project's invitations. Repeating it changes nothing."""
        ...

    async def token_hash(self, project_id: str, invitation_id: str) -> bytes | None: ...
