"""The SDK's replica, folded entry by entry, is the server's snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from pantherahive_client.fold import evolve
from pantherahive_client.fold_planning import PLANNING
from pantherahive_client.inbox_state import InboxState, evolve_inbox, inbox_from_parts
from pantherahive_client.inbox_state import evolve_inbox as evolve_one
from pantherahive_client.project_state import ProjectState, from_parts
from protocol.messages import unpack_payload
from protocol.preferences import default_preferences
from tests.actors.given import Life
from tests.laws.law import check_project, check_user
from tests.laws.lives import live_many
from tests.laws.strategies import PROJECT_LIVES, USER_LIVES, Step

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


def _inbox_differs(steps: Sequence[Step]) -> bool:
    life = check_user(steps)
    inbox = InboxState()
    for entry in life.entries:
        for event in unpack_payload(entry.payload)[0]:
            evolve_inbox(inbox, event["kind"], event["data"])
    snapshot = inbox_from_parts(life.actor.parts(life.state))
    known: Any = {**default_preferences(), **inbox.preferences}
    known["channels"] = default_preferences()["channels"] | known["channels"]
    return replace(inbox, preferences=known) != snapshot


@_LAW
@given(USER_LIVES)
def test_an_inbox_is_the_snapshot(steps: Sequence[Step]) -> None:
    assert not _inbox_differs(steps)


def test_a_wrong_inbox_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.laws.test_replica_law.evolve_inbox", _without_read_markers)
    caught: list[bool] = []
    live_many(USER_LIVES, lambda steps: caught.append(_inbox_differs(steps)), runs=2, lives_per_run=8)
    assert any(caught)


def _without_read_markers(state: InboxState, kind: str, data: Any) -> None:
    if kind != "NotificationsRead":
        evolve_one(state, kind, data)
