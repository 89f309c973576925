"""How often somebody may ask: quotas per window, in memory, a bucket for each key.

A bucket is one number (GCRA, ITU-T I.371): the time at which it will be full again. It starts full, so a whole quota
may be used at once, and refills evenly. The buckets of a quota are bounded in number: the one that was not used for
longest is forgotten, which is a full one again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal

_ROUNDING_S: Final = 1e-9


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What may be asked within one window."""

    window_s: float = 60.0
    logins_per_address_max: int = 300
    logins_per_name_max: int = 20
    requests_max: int = 6000
    commands_max: int = 30_000
    awareness_updates_max: int = 6000
    keys_max: int = 100_000


@dataclass(frozen=True, slots=True)
class Quota:
    """So many within a window. `name` is told to whom it refuses."""

    name: str
    most: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a quota, and in how many seconds all of it is there again."""

    quota: Quota
    remaining: int
    full_in_s: float


class RateLimiter:
    """One quota for any number of keys. The clock is an argument: seconds that only grow."""

    def __init__(self, quota: Quota, now_s: Callable[[], float], keys_max: int) -> None:
        self.quota = quota
        self._now_s = now_s
        self._keys_max = keys_max
        # What one use costs, in seconds of refilling.
        self._step_s = quota.window_s / quota.most
        # Key → when its bucket is full again; the key that was used last stands last.
        self._full_at_s: dict[str, float] = {}

    def take(self, key: str) -> Allowance | Rejection:
        """Uses one, or says when there will be one. A refusal costs nothing."""
        refused = self.refused(key)
        if refused is not None:
            return refused
        full_in_s = self._full_at_s[key] - self._now_s()
        return Allowance(self.quota, int((self.quota.window_s - full_in_s + _ROUNDING_S) / self._step_s), full_in_s)

    def refused(self, key: str) -> Rejection | None:
        """As `take`, for those who do not tell what is left."""
        now_s, buckets = self._now_s(), self._full_at_s
        before_s = max(now_s, buckets.pop(key, now_s))
        full_at_s = before_s + self._step_s
        too_early_s = full_at_s - now_s - self.quota.window_s
        if too_early_s > _ROUNDING_S:
            buckets[key] = before_s
            return self._refusal(too_early_s)
        buckets[key] = full_at_s
        if len(buckets) > self._keys_max:
            del buckets[next(iter(buckets))]
        return None

    def give_back(self, key: str) -> None:
        """Undoes one use."""
        if key in self._full_at_s:
            self._full_at_s[key] -= self._step_s

    def _refusal(self, wait_s: float) -> Rejection:
        quota = self.quota
        return Rejection(
            ErrorCode.RATE_LIMITED,
            f"too many {quota.name.replace('-', ' ')}: at most {quota.most} in {quota.window_s:g} s",
            {
                "limit": quota.name,
                "quota": quota.most,
                "windowS": math.ceil(quota.window_s),
                "retryAfterS": math.ceil(wait_s * 1000) / 1000,
            },
        )

    def __len__(self) -> int:
        return len(self._full_at_s)


class Rates:
    """The quotas of a node. The operator and the server itself have none beyond the log-in's."""

    def __init__(self, limits: RateLimits, now_s: Callable[[], float]) -> None:
        def limiter(name: str, most: int) -> RateLimiter:
            return RateLimiter(Quota(name, most, limits.window_s), now_s, limits.keys_max)

        self.logins_per_address = limiter("logins-per-address", limits.logins_per_address_max)
        self.logins_per_name = limiter("logins-per-name", limits.logins_per_name_max)
        self._requests = limiter("requests", limits.requests_max)
        self._commands = limiter("commands", limits.commands_max)
        self._awareness_updates = limiter("awareness-updates", limits.awareness_updates_max)

    def request(self, principal: Principal) -> Allowance | Rejection | None:
        """A request over REST, a join, a renewal or a leave of nothing on the socket. None: without a limit."""
        return None if principal.is_operator else self._requests.take(principal.id)

    def awareness_update(self, principal: Principal) -> Rejection | None:
        """A change of where somebody looks."""
        return None if principal.is_operator else self._awareness_updates.refused(principal.id)

    def command(self, principal: Principal) -> Rejection | None:
        """A command, however it comes."""
        return None if principal.is_operator else self._commands.refused(principal.id)
