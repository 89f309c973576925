"""The SDK's replica, folded entry by entry, is the server's snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings

from pantherahive_client.fold import evolve
from pantherahive_client.fold_planning import PLANNING
from pantherahive_client.project_state import ProjectState, from_parts
from protocol.messages import unpack_payload
from tests.actors.given import Life
from tests.laws.law import check_project
from tests.laws.lives import live_many
from tests.laws.strategies import PROJECT_LIVES, Step

_LAW = settings(max_examples=40, derandomize=True, database=None, deadline=None)


def _folded(life: Life) -> ProjectState:
    state = ProjectState()
    for entry in life.entries:
        wire: Any = {"author": entry.author, "at": entry.at, "events": unpack_payload(entry.payload)[0]}
        evolve(state, wire)
    return state


def _differs(steps: Sequence[Step]) -> bool:
    life = check_project(steps)
    return _folded(life).as_json() != from_parts(life.actor.parts(life.state)).as_json()


@_LAW
@given(PROJECT_LIVES)
def test_a_replica_is_the_snapshot(steps: Sequence[Step]) -> None:
    assert not _differs(steps)


def test_a_wrong_replica_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {kind: fold for kind, fold in PLANNING.items() if kind != "FieldRemoved"}
    monkeypatch.setattr("pantherahive_client.fold.PLANNING", kept)
    caught: list[bool] = []
    live_many(PROJECT_LIVES, lambda steps: caught.append(_differs(steps)), lives_per_run=8)
    assert any(caught)
