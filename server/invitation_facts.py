"""What decisions on invitations by e-mail need from beside the log: address and token, and whether a token fits."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from actors.ports import Clock
from actors.project.permissions import refusal, taken
from actors.project.state import ProjectState
from protocol.base import datetime_of, instant_of
from protocol.derived_ids import refusal_of_made
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.invitations import AcceptInvitation, DeclineInvitation, InviteMember
from server.streams import Streams, name_based_id
from storage.invitation_ports import InvitationSecret, InvitationSecrets


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def may_invite(state: ProjectState, principal: Principal) -> bool | Rejection:
    """A look: whether an address is to be kept at all."""
    return refusal(state, principal, "member.add") or True


@dataclass(frozen=True, slots=True)
class InvitationFacts:
    """`lifetime_days` is how long an invitation can be accepted; its address is forgotten a day later."""

    secrets: InvitationSecrets
    streams: Streams
    clock: Clock
    lifetime_days: int

    async def of_invitation(
        self, command: InviteMember, stream: str, principal: Principal
    ) -> Mapping[str, Any] | Rejection:
        """Keeps address and token before the invitation is made. Without an id it comes from both, so a retry meets it.

        Nothing is kept for those who may not invite, or not under that id: their actor refuses them. Raises NotApplied,
        OutcomeUnknown (it may be repeated).
        """
        permitted = await self.streams.read(stream, may_invite, principal)
        if isinstance(permitted, Rejection):
            return permitted if permitted.retryable or permitted.code is ErrorCode.STREAM_HALTED else {}
        if refusal_of_made(command, principal.id) is not None:
            return {}
        project_id, token_hash = stream.partition("/")[2], _hash_of(command.token)
        if "invitation_id" in command.model_fields_set:
            invitation_id = command.invitation_id
        else:
            invitation_id = name_based_id("invitation", project_id, command.email, token_hash.hex())
        now = self.clock.now()
        forget_before = instant_of(datetime_of(now) - timedelta(days=self.lifetime_days + 1))
        secret = InvitationSecret(project_id, invitation_id, command.email, token_hash, now)
        if not await self.secrets.keep(secret, forget_before):
            return taken("invitation")
        return {"invitationId": invitation_id}

    async def of_answer(self, command: AcceptInvitation | DeclineInvitation, stream: str) -> Mapping[str, Any]:
        """`tokenFits`, found in the same time whatever is wrong with the token. Raises NotApplied."""
        if "token" not in command.model_fields_set:
            return {}
        kept = await self.secrets.token_hash(stream.partition("/")[2], command.invitation_id)
        fits = hmac.compare_digest(_hash_of(command.token), kept or bytes(32))
        return {"tokenFits": fits and kept is not None}
