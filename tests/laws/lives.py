"""Random lives in great variety, the same ones every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.laws.steps import Step

RUNS: Final = 10
LIVES_PER_RUN: Final = 20


def live_many(
    strategy: SearchStrategy[Sequence[Step]],
    take: Callable[[Sequence[Step]], object],
    *,
    runs: int = RUNS,
    lives_per_run: int = LIVES_PER_RUN,
    first: int = 0,
) -> None:
    """Hands many lives to `take`, which may raise.

    Several short runs: a long one varies the few lives that it began with, and what is rare never happens in them.
    """
    for run in range(first, first + runs):
        _one_run(strategy, take, run, lives_per_run)


def _one_run(
    strategy: SearchStrategy[Sequence[Step]], take: Callable[[Sequence[Step]], object], run: int, lives: int
) -> None:
    @seed(run)
    @settings(
        max_examples=lives,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def live(steps: Sequence[Step]) -> None:
        take(steps)

    cast("Callable[[], None]", live)()
