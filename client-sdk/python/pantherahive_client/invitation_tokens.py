"""Tokens for invitations by e-mail."""

from __future__ import annotations

import secrets
from typing import Final

TOKEN_BYTES: Final = 32


def new_invitation_token() -> str:
    """A token that nobody can guess, for `Project.invite_member(email=…, token=…)`. The server keeps its hash only."""
    return secrets.token_urlsafe(TOKEN_BYTES)
