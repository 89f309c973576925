"""P6: for every command, state + events = freshly loaded state = view; and wrong actors are caught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from actors.profile.decider import ProfileActor
from actors.profile.state import ProfileState
from actors.project.decider import ProjectActor
from actors.project.order import Order
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta, shown
from protocol.comments import CommentEdited
from protocol.links import AddLink, LinkRemoved
from protocol.members import MemberRemoved
from protocol.messages import COMMANDS, EVENTS
from protocol.profiles import ProfileEdited
from protocol.projects import CreateProject, Erased, ProjectRestored
from protocol.tasks import CreateTask, EditTask, TaskCreated, TaskEdited
from tests.actors.given import (
    Life,
    events_of,
    uuid,
)
from tests.laws.law import (
    LIMITS,
    check_profile,
    check_project,
    check_user,
)
from tests.laws.lives import live_many
from tests.laws.steps import Step
from tests.laws.strategies import PROFILE_LIVES, PROJECT_LIVES, STRATEGIES, USER_LIVES

_LAW = settings(max_examples=80, derandomize=True, database=None, deadline=None)


@_LAW
@given(PROJECT_LIVES)
def test_a_project_is_what_its_log_means(steps: Sequence[Step]) -> None:
    check_project(steps)


@settings(_LAW, max_examples=25)
@given(PROJECT_LIVES)
def test_a_project_from_a_template_is_what_its_log_means(steps: Sequence[Step]) -> None:
    check_project(steps, founding=CreateProject(name="Apollo", template_id=uuid(0x999)))


@_LAW
@given(PROFILE_LIVES)
def test_a_profile_is_what_its_log_means(steps: Sequence[Step]) -> None:
    check_profile(steps)


@_LAW
@given(USER_LIVES)
def test_an_inbox_is_what_its_log_means(steps: Sequence[Step]) -> None:
    check_user(steps)


def test_every_command_takes_part() -> None:
    every = {model for models in COMMANDS.values() for model in models.values()}
    assert set(STRATEGIES) == every


def test_every_event_happens_often_enough_to_be_checked() -> None:
    happened: Counter[str] = Counter()

    def count(life: Life) -> None:
        happened.update(event.kind for entry in life.entries for event in events_of(entry))

    live_many(PROJECT_LIVES, lambda steps: count(check_project(steps)))
    live_many(PROFILE_LIVES, lambda steps: count(check_profile(steps)))
    live_many(USER_LIVES, lambda steps: count(check_user(steps)), lives_per_run=8)
    expected = EVENTS.keys() - {Erased.kind}  # no command leads to it: tests/actors/project/test_purging.py
    assert {kind: happened[kind] >= 5 for kind in expected} == dict.fromkeys(expected, True), happened


# --------------------------------------------------------------------------- planted faults


class KeepsRemovedMembers(ProjectActor):
    def evolve(self, state: ProjectState, event: Any, meta: EntryMeta) -> None:
        if not isinstance(event, MemberRemoved):
            super().evolve(state, event, meta)


class NeverRemovesLabels(ProjectActor):
    def evolve(self, state: ProjectState, event: Any, meta: EntryMeta) -> None:
        if isinstance(event, TaskEdited):
            event = event.model_copy(update={"labels_removed": []})
        super().evolve(state, event, meta)


class NeverReopens(ProjectActor):
    def evolve(self, state: ProjectState, event: Any, meta: EntryMeta) -> None:
        before = state.tasks[event.task_id]["closedAt"] if isinstance(event, TaskEdited) else None
        super().evolve(state, event, meta)
        if isinstance(event, TaskEdited) and before is not None:
            state.tasks[event.task_id]["closedAt"] = before


class UsesTheTimeOfRecording(ProjectActor):
    def evolve(self, state: ProjectState, event: Any, meta: EntryMeta) -> None:
        when = meta.recorded_at if isinstance(event, CommentEdited | TaskEdited) else meta.at
        super().evolve(state, event, EntryMeta(meta.seq, meta.op_id, meta.author, when, meta.recorded_at))


class ChangesRecordsInPlace(ProjectActor):
    def evolve(self, state: ProjectState, event: Any, meta: EntryMeta) -> None:
        before = state.tasks[event.task_id] if isinstance(event, TaskEdited) else None
        super().evolve(state, event, meta)
        if before is not None:
            before.update(state.tasks[event.task_id])


class RemembersOutsideItsState(ProjectActor):
    made = 0

    def evolve(self, state: ProjectState, event: Any, meta: EntryMeta) -> None:
        super().evolve(state, event, meta)
        if isinstance(event, TaskCreated):
            type(self).made += 1
            state.next_number = type(self).made + 1


class ForgetsThatItIsLive(ProjectActor):
    def complete(self, state: ProjectState) -> None:
        super().complete(state)
        state.live = False


class LosesTheIndexOfComments(ProjectActor):
    def complete(self, state: ProjectState) -> None:
        super().complete(state)
        state.task_comments.clear()


class LosesTheOrder(ProjectActor):
    def complete(self, state: ProjectState) -> None:
        super().complete(state)
        state.order.after.clear()


class KeepsTheOrderOfRemovedLinks(ProjectActor):
    def evolve(self, state: ProjectState, event: Any, meta: EntryMeta) -> None:
        super().evolve(state, event, meta)
        if isinstance(event, LinkRemoved):
            state.order.put(event.was["taskId"], event.was["otherId"])


class TakesEveryLink(ProjectActor):
    def decide(self, state: ProjectState, command: Any, context: Context) -> Any:
        blind = replace(state, order=Order())
        return super().decide(blind if isinstance(command, AddLink | EditTask) else state, command, context)


class LosesTheIndexOfReplies(ProjectActor):
    def complete(self, state: ProjectState) -> None:
        super().complete(state)
        state.thread_replies.clear()


class ForgetsWhatWasDeleted(ProjectActor):
    def take_part(self, state: ProjectState, part: Mapping[str, Any]) -> None:
        for visible in shown([dict(part)]):
            super().take_part(state, visible)


class StaysDeleted(ProjectActor):
    def evolve(self, state: ProjectState, event: Any, meta: EntryMeta) -> None:
        if not isinstance(event, ProjectRestored):
            super().evolve(state, event, meta)


class CountsWhileItDecides(ProjectActor):
    def decide(self, state: ProjectState, command: Any, context: Context) -> Any:
        outcome = super().decide(state, command, context)
        if isinstance(command, CreateTask):
            state.next_number += 1
        return outcome


class AnswersFromMemory(ProjectActor):
    answered = 0

    def answer(self, events: Sequence[Any]) -> dict[str, Any]:
        type(self).answered += 1
        return {**super().answer(events), "number": type(self).answered}


class NeverClearsFields(ProfileActor):
    def evolve(self, state: ProfileState, event: Any, meta: EntryMeta) -> None:
        if isinstance(event, ProfileEdited):
            kept = {name: value for name, value in event.changes.items() if value is not None}
            event = event.model_copy(update={"changes": kept})
        super().evolve(state, event, meta)


# A life that was caught is written out, and it may be a long one.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize(
    "actor",
    [
        KeepsRemovedMembers,
        NeverRemovesLabels,
        NeverReopens,
        UsesTheTimeOfRecording,
        ChangesRecordsInPlace,
        RemembersOutsideItsState,
        ForgetsThatItIsLive,
        LosesTheIndexOfComments,
        LosesTheOrder,
        KeepsTheOrderOfRemovedLinks,
        TakesEveryLink,
        LosesTheIndexOfReplies,
        ForgetsWhatWasDeleted,
        StaysDeleted,
        CountsWhileItDecides,
        AnswersFromMemory,
    ],
)
def test_a_wrong_project_actor_is_caught(actor: type[ProjectActor]) -> None:
    with pytest.raises((AssertionError, KeyError)):
        live_many(PROJECT_LIVES, lambda steps: check_project(steps, actor(LIMITS)))


def test_a_wrong_profile_actor_is_caught() -> None:
    with pytest.raises(AssertionError):
        live_many(PROFILE_LIVES, lambda steps: check_profile(steps, NeverClearsFields()))
