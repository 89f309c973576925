"""How long to wait before trying again."""

from __future__ import annotations

import random
from dataclasses import dataclass

DOUBLINGS_MAX = 16


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter: a random time up to a limit that doubles, so that a thousand clients do not return at once."""

    first_s: float
    longest_s: float

    def wait_s(self, failures: int, at_least_s: float | None = None) -> float:
        """The wait after `failures` failures in a row (0: the first try again), or more where it was asked for."""
        limit = min(self.longest_s, self.first_s * 2 ** min(failures, DOUBLINGS_MAX))
        jittered = random.uniform(0, limit)  # noqa: S311 - spreads load, keeps no secret
        return jittered if at_least_s is None else at_least_s + jittered
