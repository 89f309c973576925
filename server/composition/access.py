"""Who may come in: passwords, log-ins, tokens, and how often."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

from config.secrets import Secrets
from config.settings import Settings
from server.auth.api_tokens import ApiTokenReader
from server.auth.endings import EndedGrants
from server.auth.logins import LoginLimits, LoginService
from server.auth.passwords import PasswordCost, Passwords
from server.auth.principal import Authenticator
from server.auth.tokens import Tokens
from server.composition.heart import Heart
from server.limits import limits_from
from server.rate_limits import RateLimits, Rates
from server.rest.attempts import Attempts
from storage.postgres.storage import PostgresStorage


@dataclass(frozen=True, slots=True)
class AccessParts:
    """`ended` knows which grants are over; everybody who lets somebody in asks the authenticator."""

    passwords: Passwords
    ended: EndedGrants
    authenticator: Authenticator
    logins: LoginService
    rates: Rates
    attempts: Attempts

    @classmethod
    def make(cls, settings: Settings, secrets: Secrets, storage: PostgresStorage, heart: Heart) -> Self:
        passwords = Passwords(_password_cost(settings))
        ended = EndedGrants(storage.endings, time.time)
        authenticator = Authenticator(
            Tokens(secrets.access_key, secrets.admin_token, settings.access_token_lifetime_s),
            ended,
            ApiTokenReader(storage.api_tokens, storage.accounts, ended, time.time),
            heart.ids.new_id,
        )
        logins = LoginService(
            storage.accounts,
            storage.logins,
            authenticator,
            passwords,
            heart.clock,
            heart.ids,
            limits_from(settings, LoginLimits),
        )
        rates = Rates(limits_from(settings, RateLimits), heart.clock.monotonic_s)
        return cls(passwords, ended, authenticator, logins, rates, Attempts(rates, settings.trusted_proxies))


def _password_cost(settings: Settings) -> PasswordCost:
    return PasswordCost(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
        threads=settings.password_threads,
        queue_max=settings.password_queue_max,
    )
