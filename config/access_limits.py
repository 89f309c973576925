"""Limits of signing in, each by name, with units as in `config.limits`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

DAY_S = 86_400


class AccessLimits(BaseSettings):
    """How long tokens live, how soon their end is heard of, and how often somebody may ask."""

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
    bots_per_user_max: int = Field(50, ge=0, le=100_000, description="Bots of one user.")
    api_tokens_per_bot_max: int = Field(20, ge=1, le=10_000, description="API tokens of one bot.")
    rate_window_s: float = Field(
        60, ge=1, le=3600, description="The window of the quotas below; a quota refills evenly within it."
    )
    rate_logins_per_address_max: int = Field(
        300,
        ge=1,
        le=1_000_000_000,
        description="Registrations and failed tries to sign in from one address (IPv6: one /64) within the window.",
    )
    rate_logins_per_name_max: int = Field(
        20, ge=1, le=1_000_000_000, description="Failed tries to sign in with one name within the window."
    )
    rate_requests_max: int = Field(
        6000,
        ge=1,
        le=1_000_000_000,
        description="Requests over REST, joins, renewals and leaves of nothing of one user within the window.",
    )
    rate_commands_max: int = Field(
        30_000, ge=1, le=1_000_000_000, description="Commands of one user within the window, however they come."
    )
    rate_awareness_updates_max: int = Field(
        6000, ge=1, le=1_000_000_000, description="Updates within the window of where one user looks."
    )
    rate_keys_max: int = Field(
        100_000, ge=100, le=100_000_000, description="Users, names and addresses that are counted at the same time."
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="Proxies in front of the server that add the address they see to X-Forwarded-For; with 0 the "
        "header is not believed.",
    )
