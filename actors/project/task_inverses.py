"""What takes events of tasks back: edits, places on the board, values, watchers, creation, deletion, links."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actors.project import custom_fields, watchers
from actors.project.edited_fields import member
from actors.project.later_changes import is_theirs
from actors.project.links import refuse_link
from actors.project.parents import refuse_old_parent
from actors.project.permissions import missing
from actors.project.places import make_place, spot_of
from actors.project.reversal import Inverse, Reversal
from actors.project.state import is_imported
from actors.project.tasks import closing, has_state, refuse_edit
from actors.project.tombstones import back
from protocol.custom_fields import FieldValuesSet
from protocol.errors import Rejection
from protocol.links import LinkAdded, LinkRemoved
from protocol.messages import ProjectEvent
from protocol.ranks import Rank, TasksReranked
from protocol.tasks import (
    TaskChanges,
    TaskCreated,
    TaskDeleted,
    TaskEdited,
    TaskRecurred,
    TaskRestored,
    TaskView,
)
from protocol.watchers import WatchersChanged


def of_created(reversal: Reversal, event: TaskCreated) -> Inverse:
    """A tombstone: its key is not given again."""
    return _deleted(reversal, event.task["id"])


def of_restored(reversal: Reversal, event: TaskRestored) -> Inverse:
    return _deleted(reversal, event.task_id)


def _deleted(reversal: Reversal, task_id: str) -> Inverse:
    if reversal.draft.tasks[task_id]["deletedAt"] is not None:
        return ()
    return [TaskDeleted(task_id=task_id)]


def of_deleted(reversal: Reversal, event: TaskDeleted) -> Inverse:
    task = reversal.draft.tasks[event.task_id]
    if task["deletedAt"] is None:
        return ()
    return back(reversal.draft, reversal.project, task, reversal.dating)


def of_edited(reversal: Reversal, event: TaskEdited) -> Inverse:
    """The values before; labels and people that came leave again, and those that left come back."""
    task = reversal.task(event.task_id)
    if isinstance(task, Rejection):
        return task
    before_edit = _reachable(reversal, event)
    changes: Any = {
        name: value for name, value in before_edit.items() if name != "rank" and _differs(task, name, value)
    }
    place = _place(reversal, task, before_edit)
    if isinstance(place, Rejection):
        return place
    before, rank = place
    if rank is not None:
        changes["rank"] = rank
    return _edit(reversal, task, event, changes, before)


def _edit(
    reversal: Reversal, task: TaskView, event: TaskEdited, changes: TaskChanges, before: list[ProjectEvent]
) -> Inverse:
    was: Any = {name: task[name] for name in changes}  # type: ignore[literal-required]
    moves = {
        "labels_added": _back(reversal, task, "labels", event.labels_removed),
        "labels_removed": _away(reversal, task, "labels", event.labels_added),
        "assignees_added": _still_here(reversal, _back(reversal, task, "assigneeIds", event.assignees_removed)),
        "assignees_removed": _away(reversal, task, "assigneeIds", event.assignees_added),
    }
    sets: dict[str, Any] = {name: items for name, items in moves.items() if items}
    if not changes and not sets:
        return ()
    closed = closing(reversal.project, task, changes, reversal.dating)
    edited = TaskEdited(task_id=task["id"], changes=changes, was=was, **sets, **closed)
    return _refused(reversal, task, edited) or [*before, edited]


def _refused(reversal: Reversal, task: TaskView, edited: TaskEdited) -> Rejection | None:
    """By the rules for every edit, but for what the task had before: people of an import, a parent that is deleted.

    A tombstone may stand in a state that is gone.
    """
    old = {"parentId"} if task["deletedAt"] is None else {"parentId", "stateId"}
    people = [person for person in edited.assignees_added if not is_imported(person)]
    changes = {name: value for name, value in edited.changes.items() if name not in old}
    is_whole = len(people) == len(edited.assignees_added) and len(changes) == len(edited.changes)
    judged = edited if is_whole else edited.model_copy(update={"assignees_added": people, "changes": changes})
    refused = refuse_edit(reversal.draft, task, judged, reversal.context, reversal.limits)
    return refused or refuse_old_parent(reversal.draft, task["id"], edited.changes.get("parentId"), reversal.limits)


def _differs(task: TaskView, name: str, value: Any) -> bool:
    return bool(task[name] != value)  # type: ignore[literal-required]


def _back(reversal: Reversal, task: TaskView, field: str, items: Iterable[str]) -> list[str]:
    """Those that are gone and that nobody else has touched since."""
    present: list[str] = task[field]  # type: ignore[literal-required]
    return [item for item in items if item not in present and not _is_theirs(reversal, task, field, item)]


def _away(reversal: Reversal, task: TaskView, field: str, items: Iterable[str]) -> list[str]:
    present: list[str] = task[field]  # type: ignore[literal-required]
    return [item for item in items if item in present and not _is_theirs(reversal, task, field, item)]


def _is_theirs(reversal: Reversal, task: TaskView, field: str, item: str) -> bool:
    return is_theirs(reversal.draft, f"task/{task['id']}", member(field, item), reversal.entry)


def _still_here(reversal: Reversal, people: Iterable[str]) -> list[str]:
    """Who has left the project does not come back by an undo."""
    return [person for person in people if person in reversal.draft.members or is_imported(person)]


def _reachable(reversal: Reversal, event: TaskEdited) -> TaskChanges:
    """What was before the edit, without a state that is gone where the entry brought the task back from the dead.

    A deleted task had that state, and it is deleted again with all that the entry did.
    """
    state_id = event.was.get("stateId")
    if state_id is None or has_state(reversal.project, state_id):
        return event.was
    if event.task_id not in reversal.brought:
        return event.was
    kept: TaskChanges = {**event.was}
    del kept["stateId"]
    kept.pop("rank", None)
    return kept


def _place(reversal: Reversal, task: TaskView, old: TaskChanges) -> tuple[list[ProjectEvent], Rank | None] | Rejection:
    """The rank to go back to, and what makes room for it; no rank where none was changed or it means nothing now."""
    if "rank" not in old:
        return [], None
    state_id = old.get("stateId", task["stateId"])
    if "stateId" not in old and reversal.is_elsewhere(task):
        return [], None  # a rank says something within its own state only
    if (state_id, old["rank"]) == (task["stateId"], task["rank"]):
        return [], None
    if task["deletedAt"] is None and not has_state(reversal.project, state_id):
        return missing("state")
    spot, is_free = spot_of(reversal.draft, state_id, old["rank"], task["id"], reversal.aside)
    if is_free:
        return [], old["rank"]
    place = make_place(reversal.draft, state_id, spot, task["id"], reversal.limits)
    if isinstance(place, Rejection):
        return place
    if not place.reranked:
        stands_there = (state_id, place.rank) == (task["stateId"], task["rank"])
        return [], None if stands_there else place.rank
    ranks_were = {task_id: reversal.draft.tasks[task_id]["rank"] for task_id in place.reranked}
    return [TasksReranked(state_id=state_id, ranks=place.reranked, was=ranks_were)], place.rank


def of_recurred(reversal: Reversal, event: TaskRecurred) -> Inverse:
    """The rule comes back from the next task, whose creation the same entry takes back."""
    task = reversal.task(event.task_id)
    if isinstance(task, Rejection):
        return task
    if task["recurrence"] == event.was:
        return ()
    return [TaskEdited(task_id=task["id"], changes={"recurrence": event.was}, was={"recurrence": task["recurrence"]})]


def of_values(reversal: Reversal, event: FieldValuesSet) -> Inverse:
    """A choice that was retired since comes back too: the task had it."""
    task = reversal.task(event.task_id)
    if isinstance(task, Rejection):
        return task
    valued = custom_fields.changes_of(task, event.was)
    if valued is None:
        return ()
    return custom_fields.refuse_values(reversal.draft, valued.values, retired=True) or [valued]


def of_watchers(reversal: Reversal, event: WatchersChanged) -> Inverse:
    task = reversal.task(event.task_id)
    if isinstance(task, Rejection):
        return task
    back = _back(reversal, task, "watcherIds", event.removed)
    added = [person for person in back if person in reversal.draft.members]
    removed = _away(reversal, task, "watcherIds", event.added)
    if not added and not removed:
        return ()
    changed = WatchersChanged(task_id=task["id"], added=added, removed=removed)
    return watchers.refuse(reversal.draft, task, changed, reversal.limits) or [changed]


def of_link_added(reversal: Reversal, event: LinkAdded) -> Inverse:
    """Another link may have its id by now; that one stays."""
    link = reversal.draft.links.get(event.link["id"])
    return [LinkRemoved(link_id=link["id"], was=link)] if link == event.link and link is not None else ()


def of_link_removed(reversal: Reversal, event: LinkRemoved) -> Inverse:
    """The link itself, with its maker and its time."""
    link = event.was
    if link["id"] in reversal.draft.links:
        return ()
    refused = refuse_link(reversal.draft, link["type"], link["taskId"], link["otherId"], reversal.limits)
    return refused or [LinkAdded(link=link)]
