"""People who undo among each other: undo and redo lead back, and nobody's later change is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.project.reversal import Reversal
from protocol.tasks import TaskView
from tests.laws.undoing import live

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("seed", range(2))
def test_undo_and_redo_lead_back_and_overwrite_nobody(seed: int) -> None:
    seen = live(300, seed)
    assert min(seen["there and back"], seen["detours"], seen["undo refused: changed_by_others"]) > 50, seen


def _overwrites_others(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("actors.project.undo.refuse_changed", lambda state, entry: None)


def _takes_what_hangs_on_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("actors.project.later_changes.dependents", lambda state, entry: iter(()))


def _keeps_no_labels(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("actors.project.task_inverses.is_theirs", lambda *given: False)


def _forgets_where_it_stood(patch: pytest.MonkeyPatch) -> None:
    def end(state: Any, state_id: str, *given: Any) -> tuple[int, bool]:
        return len(state.cards.get(state_id, ())), False

    patch.setattr("actors.project.task_inverses.spot_of", end)


def _takes_a_state_that_was_left_for_another_one(patch: pytest.MonkeyPatch) -> None:
    def is_elsewhere(reversal: Reversal, task: TaskView) -> bool:
        return reversal.was_set_since(task["id"], "stateId")

    patch.setattr(Reversal, "is_elsewhere", is_elsewhere)


@pytest.mark.parametrize(
    "plant",
    [
        _overwrites_others,
        _takes_what_hangs_on_it,
        _keeps_no_labels,
        _forgets_where_it_stood,
        _takes_a_state_that_was_left_for_another_one,
    ],
)
def test_a_wrong_undo_is_caught(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        _live_much()


def _live_much() -> None:
    """What catches a fault is rare, and which seed has it changes with every new command."""
    for seed in range(1, 7):
        live(600, seed)
