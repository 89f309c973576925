"""Five crashes within a minute are a quarantine, with back-off; a log that cannot be replayed is a halt."""

from __future__ import annotations

from actors.runtime.limits import RuntimeLimits
from actors.runtime.supervisor import Supervisor
from protocol.errors import ErrorCode

LIMITS = RuntimeLimits(quarantine_min_s=1.0, quarantine_max_s=4.0)


def crash(supervisor: Supervisor, times: int, now_s: float) -> None:
    for _ in range(times):
        supervisor.crashed("a", now_s)


def wait_s(supervisor: Supervisor, now_s: float) -> float | None:
    """For how long the stream refuses."""
    refusal = supervisor.refusal("a", now_s)
    if refusal is None:
        return None
    assert (refusal.code, refusal.retryable) == (ErrorCode.UNAVAILABLE, True)
    return float(refusal.details["retryAfterS"])


def test_four_crashes_are_forgiven_and_the_fifth_is_not() -> None:
    supervisor = Supervisor(LIMITS)
    crash(supervisor, 4, 100.0)
    assert wait_s(supervisor, 100.0) is None
    crash(supervisor, 1, 100.5)
    assert wait_s(supervisor, 100.5) == 1.0
    assert wait_s(supervisor, 101.0) == 0.5
    assert wait_s(supervisor, 101.5) is None
    assert supervisor.refusal("b", 100.5) is None


def test_five_crashes_in_more_than_a_minute_are_forgiven() -> None:
    supervisor = Supervisor(LIMITS)
    crash(supervisor, 4, 100.0)
    crash(supervisor, 1, 160.0)
    assert wait_s(supervisor, 160.0) is None


def test_each_quarantine_is_twice_as_long_up_to_the_limit_until_a_quiet_minute() -> None:
    supervisor = Supervisor(LIMITS)
    now_s, waits = 100.0, []
    for _ in range(4):
        crash(supervisor, 5, now_s)
        waits.append(wait_s(supervisor, now_s))
        now_s += 5.0
    assert waits == [1.0, 2.0, 4.0, 4.0]
    supervisor.forget_old(now_s + 30.0)
    crash(supervisor, 5, now_s + 30.0)
    assert wait_s(supervisor, now_s + 30.0) == 4.0
    supervisor.forget_old(now_s + 200.0)
    crash(supervisor, 5, now_s + 200.0)
    assert wait_s(supervisor, now_s + 200.0) == 1.0


def test_a_halted_stream_is_kept_in_mind_until_it_is_healed_and_may_be_loaded_again() -> None:
    supervisor = Supervisor(LIMITS)
    supervisor.halted("a", "entry 3 cannot be folded")
    supervisor.forget_old(1e9)
    assert supervisor.refusal("a", 1e9) is None
    assert supervisor.halted_streams == {"a": "entry 3 cannot be folded"}
    assert supervisor.healed("a")
    assert supervisor.halted_streams == {}
    assert not supervisor.healed("a")
