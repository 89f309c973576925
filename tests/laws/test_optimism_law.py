"""What a client shows of its own commands is never lost, never doubled, and in the end what the server has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pantherahive_client.replica import Replica
from tests.laws.lives import live_many
from tests.laws.optimism import WEATHER, Voyage, Weather
from tests.laws.strategies import PROJECT_LIVES, Step

_VOYAGES: SearchStrategy[Any] = st.tuples(
    PROJECT_LIVES,
    st.lists(st.sampled_from(WEATHER), min_size=20, max_size=60),
    st.lists(st.sampled_from([False, False, True]), min_size=8, max_size=8),
)


async def _live(steps: Sequence[Step], weather: Sequence[Weather], elsewhere: Sequence[bool]) -> int:
    voyage = Voyage()
    commands = [
        (step.command, step.by, elsewhere[number % len(elsewhere)])
        for number, step in enumerate(steps)
        if step.origin is None
    ]
    await voyage.live(commands, weather)
    return voyage.checked


def _voyages(runs: int, lives_per_run: int) -> int:
    checked = 0

    def live(drawn: Any) -> None:
        nonlocal checked
        checked += asyncio.run(_live(*drawn))

    live_many(_VOYAGES, live, runs=runs, lives_per_run=lives_per_run)
    return checked


def test_what_is_shown_is_what_is_confirmed_and_what_is_pending_and_in_the_end_the_same() -> None:
    assert _voyages(runs=5, lives_per_run=6) > 100


def _forgets_at_the_ack(replica: Replica, op_id: str, seq: int) -> None:
    replica.withdraw(op_id)


def _waits_for_ever(replica: Replica, op_id: str | None) -> None:
    """As if nobody looked whether the entry is here."""


def _keeps_what_was_shown(replica: Replica, op_id: str) -> None:
    replica._acknowledged.pop(op_id, None)
    replica._pending.pop(op_id, None)


@pytest.mark.parametrize(
    ("method", "planted"),
    [("acknowledge", _forgets_at_the_ack), ("_settle", _waits_for_ever), ("withdraw", _keeps_what_was_shown)],
)
def test_a_wrong_replica_is_caught(monkeypatch: pytest.MonkeyPatch, method: str, planted: Any) -> None:
    monkeypatch.setattr(Replica, method, planted)
    with pytest.raises(AssertionError):
        _voyages(runs=3, lives_per_run=6)
