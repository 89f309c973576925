"""Projects that go back to random points of their past: all is as it was then, and the undo leads forth again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.laws.rewinding import live

Plant = Callable[[pytest.MonkeyPatch], None]


def test_a_restoration_leads_back_and_its_undo_forth() -> None:
    seen = live(40)
    assert seen["undone"] > 20, seen


def test_so_does_one_in_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.project.rewinding.EVENTS_MAX", 2)
    live(20, seed=2)


def _loses_the_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("actors.project.old_places.OldPlaces.back", lambda places, task, then: ([], None))


def _forgets_parents(patch: pytest.MonkeyPatch) -> None:
    def none(restoration: Any, tasks: Sequence[Any]) -> Iterator[int]:
        return iter(())

    patch.setattr("actors.project.restoration.Restoration.parents", none)


def _keeps_what_is_new(patch: pytest.MonkeyPatch) -> None:
    def none(restoration: Any, task_id: str) -> None:
        """Nothing."""

    patch.setattr("actors.project.restoration.Restoration.without_task", none)


@pytest.mark.parametrize("plant", [_loses_the_order, _forgets_parents, _keeps_what_is_new])
def test_a_wrong_restoration_is_caught(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        live(60)
