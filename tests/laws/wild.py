"""A random command that has a chance to be taken: it speaks of what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from actors.project.projects import states_in_use
from actors.project.state import CLOSED_GROUPS, ProjectState
from protocol.comments import AddComment, DeleteComment, EditComment, RestoreComment
from protocol.custom_fields import DefineField, EditField, RemoveField
from protocol.event import Command, Principal
from protocol.links import AddLink, RemoveLink
from protocol.milestones import CreateMilestone, DeleteMilestone, EditMilestone
from protocol.projects import DEFAULT_STATES, EditProject, ProjectView, WorkflowState
from protocol.ranks import MoveTask
from protocol.reactions import AddReaction, RemoveReaction
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from protocol.watchers import UnwatchTask, WatchTask
from tests.actors.given import ADMIN, MEMBER, OWNER, VIEWER

TASKS_MAX = 12
COMMENTS_MAX = 12
STATES = ["backlog", "todo", "in-progress", "done", "cancelled"]
LABELS = ["a", "b", "c", "d"]
TEXTS = ["", "short", "# longer\n\nand „more“ 🚀"]
MEMBERS = [person.id for person in (OWNER, ADMIN, MEMBER, VIEWER)]


def wild_command(chance: Random, state: ProjectState, by: Principal) -> Command:
    """By its kinds' weights; where nothing is there yet, it is made."""
    if len(state.tasks) < 2:
        return _create(chance, state)
    makers: list[tuple[Callable[[Random, ProjectState], Command | None], int]] = [
        (_edit, 12),
        (_edits, 2),
        (_move, 4),
        (_create, 1 if len(state.tasks) < TASKS_MAX else 0),
        (_bury, 3),
        (_link, 3),
        (_watch, 1),
        (_milestone, 3),
        (_field, 2),
        (_comment, 4),
        (_react, 2),
        (_project, 1),
    ]
    choices = [make for make, weight in makers for _ in range(weight)]
    return chance.choice(choices)(chance, state) or _edit(chance, state)


def about_task(chance: Random, state: ProjectState, task_id: str) -> Command:
    """An edit or a move of this one, such as another one may lie behind."""
    return chance.choice([_edit, _move])(chance, state, task_id)


def _one(chance: Random, ids: Iterable[str]) -> str:
    return chance.choice(list(ids))


def _some(chance: Random, items: Sequence[str]) -> list[str]:
    return chance.sample(items, chance.choice([0, 0, 1, 2]))


def _create(chance: Random, state: ProjectState) -> Command:
    fields: dict[str, Any] = {"labels": _some(chance, LABELS), "state_id": chance.choice(STATES)}
    if state.milestones and chance.random() < 0.3:
        fields["milestone_id"] = _one(chance, state.milestones)
    if state.tasks and chance.random() < 0.3:
        fields["parent_id"] = _one(chance, state.tasks)
    if state.fields and chance.random() < 0.3:
        fields["fields"] = {_one(chance, state.fields): "words"}
    return CreateTask(title=f"task {chance.randrange(100)}", **fields)


def _edit(chance: Random, state: ProjectState, task_id: str | None = None) -> EditTask:
    wishes: dict[str, Callable[[], Any]] = {
        "title": lambda: f"title {chance.randrange(4)}",
        "description": lambda: chance.choice(TEXTS),
        "priority": lambda: chance.choice(["none", "low", "high"]),
        "estimate": lambda: chance.choice([None, 1.0, 2.0]),
        "state_id": lambda: chance.choice(STATES),
        "start_date": lambda: chance.choice([None, "2026-01-05", "2026-02-01"]),
        "due_date": lambda: chance.choice([None, "2026-01-31", "2026-03-31"]),
        "parent_id": lambda: chance.choice([None, *state.tasks]),
        "milestone_id": lambda: chance.choice([None, *state.milestones]),
        "recurrence": lambda: chance.choice([None, None, {"every": 1, "unit": "week"}]),
        "add_labels": lambda: _some(chance, LABELS),
        "remove_labels": lambda: _some(chance, LABELS),
        "add_assignees": lambda: _some(chance, MEMBERS),
        "remove_assignees": lambda: _some(chance, MEMBERS),
        "add_watchers": lambda: _some(chance, MEMBERS),
        "remove_watchers": lambda: _some(chance, MEMBERS),
        "fields": lambda: {field_id: chance.choice([None, "words", "others"]) for field_id in state.fields},
    }
    named = chance.sample(sorted(wishes), chance.choice([1, 1, 2, 3]))
    return EditTask(task_id=task_id or _one(chance, state.tasks), **{name: wishes[name]() for name in named})


def _edits(chance: Random, state: ProjectState) -> Command:
    edits = {edit.task_id: edit for edit in (_edit(chance, state) for _ in range(3))}
    return EditTasks(edits=list(edits.values()))


def _move(chance: Random, state: ProjectState, task_id: str | None = None) -> Command:
    task_id = task_id or _one(chance, state.tasks)
    state_id = chance.choice([*STATES[:2], *STATES[:2], *STATES])
    neighbours = [card[1] for card in state.cards.get(state_id, ()) if card[1] != task_id]
    where = {chance.choice(["after", "before"]): chance.choice(neighbours)} if neighbours else {}
    return MoveTask(task_id=task_id, state_id=state_id, **where)


def _bury(chance: Random, state: ProjectState) -> Command:
    task_id = _one(chance, state.tasks)
    is_deleted = state.tasks[task_id]["deletedAt"] is not None
    return RestoreTask(task_id=task_id) if is_deleted else DeleteTask(task_id=task_id)


def _link(chance: Random, state: ProjectState) -> Command:
    if state.links and chance.random() < 0.4:
        return RemoveLink(link_id=_one(chance, state.links))
    kinds: list[Any] = ["blocks", "precedes", "relates", "duplicates"]
    first, other = chance.sample(sorted(state.tasks), 2)
    return AddLink(type=chance.choice(kinds), task_id=first, other_id=other)


def _watch(chance: Random, state: ProjectState) -> Command:
    return chance.choice([WatchTask, UnwatchTask])(task_id=_one(chance, state.tasks))


def _milestone(chance: Random, state: ProjectState) -> Command:
    if not state.milestones or (len(state.milestones) < 4 and chance.random() < 0.3):
        return CreateMilestone(name=f"milestone {chance.randrange(9)}")
    milestone_id = _one(chance, state.milestones)
    if chance.random() < 0.3:
        return DeleteMilestone(milestone_id=milestone_id)
    statuses: list[Any] = ["Open", "Closed"]
    return EditMilestone(milestone_id=milestone_id, description=chance.choice(TEXTS), status=chance.choice(statuses))


def _field(chance: Random, state: ProjectState) -> Command:
    if not state.fields or (len(state.fields) < 3 and chance.random() < 0.3):
        return DefineField(name=f"field {chance.randrange(9)}", type="text")
    field_id = _one(chance, state.fields)
    if chance.random() < 0.3:
        return RemoveField(field_id=field_id)
    return EditField(field_id=field_id, name=f"field {chance.randrange(9)}")


def _comment(chance: Random, state: ProjectState) -> Command:
    if not state.comments or (len(state.comments) < COMMENTS_MAX and chance.random() < 0.3):
        answered = chance.choice([None, *state.comments.values()])
        if answered is None:
            return AddComment(task_id=_one(chance, state.tasks), body="said")
        return AddComment(task_id=answered["taskId"], body="answered", reply_to=answered["id"])
    comment_id = _one(chance, state.comments)
    if state.comments[comment_id]["deletedAt"] is not None:
        return RestoreComment(comment_id=comment_id)
    if chance.random() < 0.3:
        return DeleteComment(comment_id=comment_id)
    return EditComment(comment_id=comment_id, body=f"meant {chance.randrange(4)}")


def _react(chance: Random, state: ProjectState) -> Command | None:
    if not state.comments:
        return None
    emoji = chance.choice(["👍", "❤", "❤\ufe0f"])
    return chance.choice([AddReaction, RemoveReaction])(comment_id=_one(chance, state.comments), emoji=emoji)


def _project(chance: Random, state: ProjectState) -> Command:
    if chance.random() < 0.5:
        return EditProject(name=f"project {chance.randrange(4)}", description=chance.choice(TEXTS))
    return EditProject(states=_workflow(chance, state))


def _workflow(chance: Random, state: ProjectState) -> list[WorkflowState]:
    """Without a state that nobody sees a task in, if there is one; with one more; or another one closes tasks."""
    used = states_in_use(state)
    kept = [one for one in DEFAULT_STATES if one["id"] in used or chance.random() < 0.6]
    turned = {one["id"]: chance.random() < 0.2 for one in kept if one["id"] not in used}
    present = {one["id"]: one for one in _project_of(state)["states"]}
    states = [_turned(one) if turned.get(one["id"]) else present.get(one["id"], one) for one in kept]
    return states or list(DEFAULT_STATES)


def _turned(one: WorkflowState) -> WorkflowState:
    return {**one, "group": "started" if one["group"] in CLOSED_GROUPS else "cancelled"}


def _project_of(state: ProjectState) -> ProjectView:
    assert state.project is not None
    return state.project
