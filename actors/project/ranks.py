"""Ranks: a task is put among the cards of a state."""

from __future__ import annotations

from actors.field_changes import Edited, refuse_stale
from actors.project.dating import date_content
from actors.project.limits import ProjectLimits
from actors.project.permissions import missing, no_project, refusal
from actors.project.places import find_spot, make_place
from actors.project.projects import Outcome, archived, is_archived
from actors.project.recurrence import come_again
from actors.project.state import ProjectState, note_content, replace_task
from actors.project.tasks import edited_task, has_state, moved
from actors.project.tombstones import living
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import ErrorCode, Rejection
from protocol.messages import ProjectEvent
from protocol.ranks import MoveTask, TasksReranked
from protocol.tasks import TaskView


def decide_move(state: ProjectState, command: MoveTask, context: Context, limits: ProjectLimits) -> Outcome:
    """A task that stands there already is left alone; another state closes or opens it, as an edit would."""
    refused = refusal(state, context.principal, "task.edit")
    if refused is not None or state.project is None:
        return refused or no_project()
    task = living(state, command.task_id)
    if isinstance(task, Rejection):
        return task
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    named = command.model_fields_set
    state_id = command.state_id if "state_id" in named else task["stateId"]
    if not has_state(state.project, state_id):
        return missing("state")
    spot = find_spot(state, task, state_id, command.after, command.before)
    if isinstance(spot, Rejection):
        return (_refuse_moved(state, task, command, context) if spot.code is ErrorCode.CONFLICT else None) or spot
    if spot is None:
        return dating.decision([])
    if is_archived(state):
        return archived()
    place = make_place(state, state_id, spot, task["id"], limits)
    if isinstance(place, Rejection):
        return place
    events: list[ProjectEvent] = []
    if place.reranked:
        was = {task_id: state.tasks[task_id]["rank"] for task_id in place.reranked}
        events.append(TasksReranked(state_id=state_id, ranks=place.reranked, was=was))
    edited = moved(state.project, task, state_id, place.rank, dating)
    again = come_again(state, state.project, task, edited_task(task, edited, dating.at), dating, context, limits)
    return again if isinstance(again, Rejection) else dating.decision([*events, edited, *again])


def _refuse_moved(state: ProjectState, task: TaskView, command: MoveTask, context: Context) -> Rejection | None:
    """Where it is the task itself that others have put into another state than its sender saw: both, and by whom."""
    neighbour = state.tasks.get(command.after or command.before or "")
    if context.base is None or neighbour is None or "state_id" in command.model_fields_set:
        return None
    meant = Edited(f"task/{task['id']}", {"stateId": neighbour["stateId"]}, {"stateId": task["stateId"]})
    return refuse_stale(state.changes, [meant], context.base, context.seq)


def evolve_reranked(state: ProjectState, event: TasksReranked, meta: EntryMeta) -> None:
    for task_id, rank in event.ranks.items():
        replace_task(state, {**state.tasks[task_id], "rank": rank})
    note_content(state, meta)
