"""Whatever one person does to the tasks of a series leads back and on again; with several it never becomes two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from actors.project.state import ProjectState
from tests.laws.rewound_series import meet, walk

LIVES = 60
TOLD = ("EditTask", "EditTasks", "DeleteTask", "RestoreTask", "RestoreTaskTo", "RestoreProjectTo")


def live_many(live: Callable[[int], Counter[str]]) -> Counter[str]:
    """What happened in all of them."""
    return sum((live(seed) for seed in range(LIVES)), Counter[str]())


def test_what_one_person_undoes_redoes_and_undoes_is_exactly_what_was() -> None:
    happened = live_many(walk)
    assert all(happened[kind] > LIVES // 2 for kind in TOLD), happened
    assert min(happened["UndoCommand"], happened["RedoCommand"]) > 10 * LIVES, happened


def test_nobody_is_given_a_recurrence_beside_another_one_and_none_is_kept_back_without_need() -> None:
    happened = live_many(meet)
    refused = [what for what in happened if "came_again" in what]
    assert all(happened[kind] > LIVES // 2 for kind in TOLD), happened
    assert len(refused) > 2, happened
    assert happened["came back without"] > 0, happened


def _nobody(past: ProjectState, series: Iterable[str]) -> dict[str, list[str]]:
    return {first: [] for first in series}


def _everybody(past: ProjectState, series: Iterable[str]) -> dict[str, list[str]]:
    return {first: list(past.tasks) for first in series}


@pytest.mark.parametrize(
    ("carriers", "told"), [(_nobody, "is refused|takes a recur"), (_everybody, "makes two of one")]
)
def test_a_wrong_past_is_caught(monkeypatch: pytest.MonkeyPatch, carriers: object, told: str) -> None:
    monkeypatch.setattr("tests.actors.undoing.carriers_of", carriers)
    with pytest.raises(AssertionError, match=told):
        live_many(meet)
