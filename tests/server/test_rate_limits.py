"""Quotas: a whole one at once, then evenly; told when there is more; bounded in memory."""

from __future__ import annotations

import random

import pytest

from protocol.errors import ErrorCode, Rejection
from protocol.event import OPERATOR, SYSTEM, Principal
from server.rate_limits import Allowance, Quota, RateLimiter, RateLimits, Rates

QUOTA = Quota("requests", 6, 60.0)


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def given(keys_max: int = 100, quota: Quota = QUOTA) -> tuple[RateLimiter, Seconds]:
    clock = Seconds()
    return RateLimiter(quota, clock, keys_max), clock


def remaining(limiter: RateLimiter, key: str = "ada") -> int | None:
    taken = limiter.take(key)
    return taken.remaining if isinstance(taken, Allowance) else None


def test_a_whole_quota_may_be_used_at_once_and_comes_back_evenly() -> None:
    limiter, clock = given()
    assert [remaining(limiter) for _ in range(7)] == [5, 4, 3, 2, 1, 0, None]
    clock.now += 10
    assert [remaining(limiter) for _ in range(2)] == [0, None]
    clock.now += 25
    assert [remaining(limiter) for _ in range(3)] == [1, 0, None]
    clock.now += 3600
    assert remaining(limiter) == 5


def test_a_refusal_says_which_limit_and_when_there_is_more() -> None:
    limiter, clock = given()
    for _ in range(6):
        limiter.take("ada")
    clock.now += 4
    refused = limiter.take("ada")
    assert isinstance(refused, Rejection)
    assert (refused.code, refused.retryable) == (ErrorCode.RATE_LIMITED, True)
    assert refused.details == {"limit": "requests", "quota": 6, "windowS": 60, "retryAfterS": 6.0}
    clock.now += 6
    assert remaining(limiter) == 0, "who waits as long as it says gets through, however often it was refused"


def test_what_is_given_back_was_not_used() -> None:
    limiter, _ = given()
    for _ in range(100):
        limiter.take("ada")
        limiter.give_back("ada")
    assert remaining(limiter) == 5
    limiter.give_back("nobody")
    assert remaining(limiter, "nobody") == 5


def test_keys_do_not_share_and_the_one_that_rested_longest_is_forgotten() -> None:
    limiter, _ = given(keys_max=2)
    for key in ("ada", "bob", "ada", "eve"):
        limiter.take(key)
    assert len(limiter) == 2
    assert remaining(limiter, "ada") == 3
    assert remaining(limiter, "bob") == 5, "forgotten, so it is full"


@pytest.mark.parametrize("seed", range(5))
def test_in_no_window_is_more_than_twice_a_quota_and_the_rate_holds_in_the_long_run(seed: int) -> None:
    limiter, clock = given(quota=Quota("requests", 50, 10.0))
    chance = random.Random(seed)
    taken: list[float] = []
    for _ in range(20_000):
        clock.now += chance.expovariate(20.0)
        if isinstance(limiter.take("ada"), Allowance):
            taken.append(clock.now)
    for first, later in zip(taken, taken[100:], strict=False):
        assert later - first > 10.0 - 1e-6
    assert len(taken) <= 50 + (clock.now - 1000.0) * 5 + 1


def test_the_operator_and_the_server_are_not_limited() -> None:
    rates = Rates(RateLimits(requests_max=1, commands_max=1), Seconds())
    for principal in (OPERATOR, SYSTEM):
        assert [rates.request(principal) for _ in range(3)] == [None] * 3
        assert [rates.command(principal) for _ in range(3)] == [None] * 3
    ada = Principal("018f0000-0000-7000-8000-000000000001")
    assert [isinstance(rates.request(ada), Rejection) for _ in range(2)] == [False, True]
    assert [rates.command(ada) is None for _ in range(2)] == [True, False]
