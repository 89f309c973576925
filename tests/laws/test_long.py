"""The long run in short: every kind of life takes part, and each run has its own."""

from __future__ import annotations

from tests.laws.long import live_long


def test_so_many_steps_are_lived_with_restarts_and_retries() -> None:
    run = live_long(400)
    assert run.steps >= 400
    assert {"retry", "restart", "snapshot"} <= run.turns.keys()
    assert {"CreateTask", "EditProfile", "Notify"} <= run.sent.keys()
    assert live_long(1, first=1).sent != live_long(1).sent
