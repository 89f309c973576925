"""The project's actor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from actors.field_changes import refuse_stale
from actors.project import answers, commands, due_dates, notices, projects, purging, snapshot
from actors.project.cycles import searched_too_long
from actors.project.edited_fields import wished_by
from actors.project.events import CONTENT, evolve
from actors.project.limits import ProjectLimits
from actors.project.order import SearchTooLong
from actors.project.permissions import is_public
from actors.project.state import ProjectState, index_cards, index_series
from actors.project.subjects import subject
from actors.runtime.actor import Context, EntryMeta, TimerStep
from protocol.derived_ids import refusal_of_made
from protocol.errors import Rejection
from protocol.members import MemberAdded, MemberRemoved
from protocol.messages import ProjectCommand, ProjectEvent
from protocol.projects import (
    ProjectCreated,
    ProjectDeleted,
    ProjectEdited,
    ProjectPurged,
    ProjectRestored,
    PurgeProject,
)

_OF_AUDIENCE: Final = frozenset(
    {ProjectCreated, ProjectDeleted, ProjectRestored, ProjectPurged, MemberAdded, MemberRemoved}
)
"""What changes who may follow, beside a project that becomes public or private."""


class ProjectActor:
    """Answers for streams `project/<id>` (`actors.runtime.actor.Actor`)."""

    kind = "project"
    schema_version = 4
    """Snapshots of version 3 do not know which task came after which."""
    content_events = frozenset(event.kind for event in CONTENT)
    exists_empty = False
    shows_presence = True
    timer_events = due_dates.TIMER_EVENTS | purging.TIMER_EVENTS

    def __init__(self, limits: ProjectLimits | None = None) -> None:
        self._limits = limits if limits is not None else ProjectLimits()

    def initial(self, stream: str) -> ProjectState:
        return ProjectState(_id_of(stream))

    def decide(self, state: ProjectState, command: ProjectCommand, context: Context) -> projects.Outcome:
        """What the feature says, unless the command would set what was changed after its base, or make something under
        an id that is another account's own.
        """
        try:
            outcome = commands.decide(state, command, context, self._limits)
        except SearchTooLong:
            return searched_too_long()
        if isinstance(outcome, Rejection):
            return outcome
        # After the feature's own questions: who may not make it learns what they say, and nothing else.
        if (refused := refusal_of_made(command, context.principal.id)) is not None:
            return refused
        if context.base is None:
            return outcome
        return refuse_stale(state.changes, wished_by(outcome.events), context.base, context.seq) or outcome

    def evolve(self, state: ProjectState, event: ProjectEvent, meta: EntryMeta) -> None:
        evolve(state, event, meta)

    def answer(self, events: Sequence[ProjectEvent]) -> dict[str, Any]:
        """Names what was made; edits make nothing."""
        return answers.answer(events)

    def notices(self, state: ProjectState, events: Sequence[ProjectEvent], author: str) -> Sequence[Mapping[str, Any]]:
        return notices.notices(state, events, author)

    def audience(self, state: ProjectState) -> frozenset[str] | None:
        """The members, or everybody where it is public; the owners alone while the project is deleted."""
        if state.project is None:
            return frozenset()
        if is_public(state):
            return None
        if state.project["deletedAt"] is None:
            return frozenset(state.members)
        return frozenset(member["userId"] for member in state.members.values() if member["role"] == "owner")

    def changes_audience(self, event: ProjectEvent) -> bool:
        if isinstance(event, ProjectEdited):
            return "visibility" in event.changes
        return type(event) in _OF_AUDIENCE

    def subject(self, state: ProjectState, command: ProjectCommand) -> Mapping[str, Any] | None:
        return subject(state, command)

    def content_at(self, state: ProjectState) -> str:
        return state.content_at

    def parts(self, state: ProjectState) -> Iterator[dict[str, Any]]:
        return snapshot.parts(state)

    def take_part(self, state: ProjectState, part: Mapping[str, Any]) -> None:
        snapshot.take_part(state, part)

    def complete(self, state: ProjectState) -> None:
        index_cards(state)
        index_series(state)

    def timers(self, kind: str, data: Mapping[str, Any], meta: EntryMeta) -> Sequence[TimerStep]:
        steps = due_dates.timers(kind, data, meta)
        if kind in purging.TIMER_EVENTS:
            return [purging.timer(kind, meta, self._limits.purge_after_days), *steps]
        return steps

    def timer_command(self, name: str, due_at: str) -> ProjectCommand:
        """Raises ValueError for a timer that no project sets."""
        if name.startswith(due_dates.REMINDER):
            return due_dates.timer_command(name, due_at)
        if name == purging.TIMER:
            return PurgeProject()
        raise ValueError(f"a project has no timer {name!r}")


def _id_of(stream: str) -> str:
    return stream.partition("/")[2]
