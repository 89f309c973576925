"""Limits of signing in, each by name, with units as in `config.limits`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

DAY_S = 86_400


class AccessLimits(BaseSettings):
    """How long tokens live, and how soon their end is heard of."""

    access_token_lifetime_s: int = Field(
        900, ge=10, le=3600, description="Life of an access token; clients renew it before its end."
    )
    refresh_token_lifetime_s: int = Field(
        30 * DAY_S, ge=60, le=3650 * DAY_S, description="A log-in ends when it was not renewed for so long."
    )
    logins_per_user_max: int = Field(
        100, ge=1, le=10_000, description="Log-ins of one user; a new one beyond that ends the oldest."
    )
    endings_poll_interval_s: float = Field(
        0.5, ge=0.05, le=60, description="How often a node looks which log-ins were ended elsewhere."
    )
