"""The end of a project: who may bring it about, when it comes by itself, and that nothing is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from actors.project.decider import ProjectActor
from actors.project.limits import ProjectLimits
from actors.project.state import ProjectState
from actors.runtime.actor import EntryMeta, TimerChange, TimersCleared, meta_of, restored
from protocol.comments import AddComment
from protocol.event import OPERATOR, SYSTEM
from protocol.log import Entry
from protocol.messages import ERASED_PAYLOAD
from protocol.projects import CreateProject, DeleteProject, ProjectPurged, PurgeProject, RestoreProject
from protocol.tasks import CreateTask
from tests.actors.given import (
    ADMIN,
    COMMENT,
    LATER,
    MEMBER,
    NOT_FOUND,
    OTHER_TASK,
    OWNER,
    PROJECT_ID,
    STRANGER,
    TASK,
    Life,
    a_task,
    broken,
    events_of,
    happened,
    project_state,
    refused,
)


def a_deleted_project() -> Life:
    life = a_task()
    life.given((MEMBER, AddComment(comment_id=COMMENT, task_id=TASK, body="said")), (OWNER, DeleteProject()))
    return life


def a_purged_project() -> Life:
    life = a_deleted_project()
    life.given((OWNER, PurgeProject()))
    return life


@pytest.mark.parametrize("by", [OWNER, OPERATOR, SYSTEM], ids=["owner", "operator", "server"])
def test_a_deleted_project_is_purged(by: Any) -> None:
    assert happened(a_deleted_project().send(PurgeProject(), by)) == [ProjectPurged()]


@pytest.mark.parametrize("by", [ADMIN, MEMBER, STRANGER], ids=["admin", "member", "stranger"])
def test_nobody_else_can_and_nobody_else_sees_that_there_is_one(by: Any) -> None:
    assert refused(a_deleted_project().decide(PurgeProject(), by)) == NOT_FOUND


def test_what_is_not_deleted_is_not_purged() -> None:
    assert refused(a_task().decide(PurgeProject(), OWNER)) == broken("project_not_deleted")


def test_nothing_is_left_and_nothing_can_begin_there_again() -> None:
    life = a_purged_project()
    assert life.state == ProjectState(PROJECT_ID, purged=True)
    for by in (OWNER, OPERATOR, SYSTEM):
        for command in (CreateProject(name="Again", owner_id=OWNER.id), RestoreProject(), PurgeProject()):
            assert refused(life.decide(command, by)) == NOT_FOUND
        assert refused(life.decide(CreateTask(task_id=OTHER_TASK, title="x"), by)) == NOT_FOUND
    assert life.actor.audience(life.state) == frozenset()
    assert restored(life.actor, life.stream, life.actor.parts(life.state)) == life.state


def test_the_timer_is_set_by_the_deletion_and_cleared_by_the_restoration() -> None:
    actor = ProjectActor(ProjectLimits(purge_after_days=30))
    meta = EntryMeta(7, TASK, OWNER.id, LATER, LATER)
    assert actor.timers("ProjectDeleted", {}, meta) == [TimerChange("purge", "2026-04-01T12:00:00.000Z")]
    assert TimerChange("purge", None) in actor.timers("ProjectRestored", {}, meta)
    assert actor.timer_command("purge", LATER) == PurgeProject()


def test_with_the_project_all_its_timers_go() -> None:
    life = a_purged_project()
    [purged] = events_of(life.entries[-1])
    meta = meta_of(life.entries[-1])
    assert life.actor.timers(purged.kind, {}, meta) == [TimersCleared()]


def replayed(life: Life, entries: Sequence[Entry]) -> ProjectState:
    state = life.actor.initial(life.stream)
    for entry in entries:
        for event in events_of(entry):
            life.actor.evolve(state, event, meta_of(entry))
    assert isinstance(state, ProjectState)
    return state


def test_an_erasure_that_was_cut_off_anywhere_replays_to_the_same() -> None:
    life = a_purged_project()
    *held, last = life.entries
    for kept in range(len(held) + 1):
        erased = [replace(entry, payload=ERASED_PAYLOAD) for entry in held[kept:]]
        assert replayed(life, [*held[:kept], *erased, last]) == project_state(life)
