"""The end of a project: some time after its deletion nothing of it is left."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Final

from actors.project.dating import date_other
from actors.project.permissions import broken, no_project, refusal
from actors.project.projects import Outcome
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta, TimerChange, TimersCleared
from protocol.base import datetime_of, instant_of
from protocol.errors import Rejection
from protocol.projects import ProjectPurged, PurgeProject

TIMER: Final = "purge"
TIMER_EVENTS: Final = frozenset({"ProjectDeleted", "ProjectRestored", "ProjectPurged"})


def timer(kind: str, meta: EntryMeta, purge_after_days: int) -> TimerChange | TimersCleared:
    """A deletion sets it, a restoration clears it. With the project the timers of its tasks go."""
    if kind == "ProjectPurged":
        return TimersCleared()
    due_at = instant_of(datetime_of(meta.at) + timedelta(days=purge_after_days))
    return TimerChange(TIMER, due_at if kind == "ProjectDeleted" else None)


def decide_purge(state: ProjectState, command: PurgeProject, context: Context) -> Outcome:
    refused = refusal(state, context.principal, "project.purge")
    if refused is not None or state.project is None:
        return refused or no_project()
    if state.project["deletedAt"] is None:
        return broken("project_not_deleted", "only a deleted project can be purged")
    dating = date_other(context)
    return dating if isinstance(dating, Rejection) else dating.decision([ProjectPurged()])


def evolve_purged(state: ProjectState, event: ProjectPurged, meta: EntryMeta) -> None:
    """As if nothing had ever been there, but that no project can begin here again."""
    empty = ProjectState(state.id, purged=True)
    for field in fields(ProjectState):
        setattr(state, field.name, getattr(empty, field.name))
