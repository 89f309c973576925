"""What others have hung on something since it was made: as long as it hangs there, the making is not undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from actors.field_changes import newest_by_others, who_and_when
from actors.project.edited_fields import REACTIONS
from actors.project.past_entries import PastEntry
from actors.project.state import ProjectState
from protocol.comments import CommentAdded, CommentRestored
from protocol.custom_fields import FieldDefined
from protocol.links import LinkAdded
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneCreated
from protocol.tasks import TaskCreated, TaskRestored

Dependent = dict[str, Any]
"""`what`, `id`, `author`, and `at`; for a changed field its name too."""


def dependents(state: ProjectState, entry: PastEntry) -> Iterator[Dependent]:
    """For all that the entry made or brought back and that is there now."""
    undoings = frozenset(undoing.seq for undoing in state.undone.values())
    for event in entry.events:
        yield from _of(state, entry, event, undoings)


def _of(state: ProjectState, entry: PastEntry, event: ProjectEvent, undoings: Set[int]) -> Iterator[Dependent]:
    match event:
        case TaskCreated():
            yield from _of_task(state, entry, event.task["id"], "", undoings)
        case TaskRestored():
            yield from _of_task(state, entry, event.task_id, entry.at, undoings)
        case CommentAdded():
            yield from _of_comment(state, entry, event.comment_id, "")
        case CommentRestored():
            yield from _of_comment(state, entry, event.comment_id, entry.at)
        case LinkAdded():
            yield from _changes(state, entry, "link", event.link["id"])
        case MilestoneCreated():
            yield from _of_milestone(state, entry, event.milestone["id"], _since(entry, event.milestone), undoings)
        case FieldDefined():
            yield from _of_field(state, entry, event.field["id"], _since(entry, event.field), undoings)
        case _:
            return


def _since(entry: PastEntry, record: Mapping[str, Any]) -> str:
    """What the entry made had nothing before; what it brought back may have had tasks that others made."""
    return "" if record["createdAt"] == entry.at else entry.at


def _changes(state: ProjectState, entry: PastEntry, what: str, record_id: str) -> Iterator[Dependent]:
    """Fields of the record itself that others have set since. Who watches it has not changed it."""
    record = f"{what}/{record_id}"
    for name in state.changes.get(record, {}):
        if name.startswith("watcherIds."):
            continue
        if name.startswith("fields.") and name.removeprefix("fields.") not in state.fields:
            continue  # nobody has a value of a field that is gone
        change = newest_by_others(state.changes, record, name, entry.author)
        if change is None or change.seq <= entry.seq:
            continue
        if name != REACTIONS or _others_react(state, entry, record_id):
            yield {"what": what, "id": record_id, "field": name, **who_and_when(change)}


def _others_react(state: ProjectState, entry: PastEntry, comment_id: str) -> bool:
    """A reaction that was taken back is nothing any more."""
    return any(set(one["userIds"]) - {entry.author} for one in state.comments[comment_id]["reactions"])


def _of_task(
    state: ProjectState, entry: PastEntry, task_id: str, since: str, undoings: Set[int]
) -> Iterator[Dependent]:
    """Comments, links and subtasks of others, made at the time `since` or later."""
    if state.tasks[task_id]["deletedAt"] is not None:
        return
    yield from _changes(state, entry, "task", task_id)
    for thread in state.task_comments.get(task_id, ()):
        for comment_id in (thread, *state.thread_replies.get(thread, ())):
            yield from _said(state, entry, comment_id, since)
    for link_id in state.task_links.get(task_id, ()):
        link = state.links[link_id]
        if link["createdBy"] != entry.author and link["createdAt"] >= since:
            yield _made("link", link_id, link["createdBy"], link["createdAt"])
        else:
            yield from _changes(state, entry, "link", link_id)
    for child_id in sorted(state.subtasks.get(task_id, ())):
        if state.tasks[child_id]["deletedAt"] is None:
            yield from _put_there(state, entry, child_id, "parentId", since, undoings)


def _put_there(
    state: ProjectState, entry: PastEntry, task_id: str, field: str, since: str, undoings: Set[int]
) -> Iterator[Dependent]:
    """The task, if others have set this field of it since, or have made it with the value that it has.

    Theirs counts though the author has set it again, which is what taking back its removal does.
    """
    theirs = newest_by_others(state.changes, f"task/{task_id}", field, entry.author)
    task = state.tasks[task_id]
    if theirs is not None:
        if theirs.seq > entry.seq:
            yield _made("task", task_id, theirs.author, theirs.at, field)
    elif (
        task["createdBy"] != entry.author
        and task["createdAt"] >= since
        and _is_as_made(state, task_id, field, undoings)
    ):
        yield _made("task", task_id, task["createdBy"], task["createdAt"], field)


def _is_as_made(state: ProjectState, task_id: str, field: str, undoings: Set[int]) -> bool:
    """Whether nobody has set the field since its task was made; an undo (`undoings`) has set it to what it was."""
    last = state.changes.get(f"task/{task_id}", {}).get(field)
    return last is None or last.seq in undoings


def _of_comment(state: ProjectState, entry: PastEntry, comment_id: str, since: str) -> Iterator[Dependent]:
    """Its reactions, and the replies to it."""
    comment = state.comments[comment_id]
    if comment["deletedAt"] is not None:
        return
    yield from _changes(state, entry, "comment", comment_id)
    is_thread = comment["threadId"] is None
    for reply_id in state.thread_replies.get(comment["threadId"] or comment_id, ()):
        if is_thread or state.comments[reply_id]["replyTo"] == comment_id:
            yield from _said(state, entry, reply_id, since)


def _said(state: ProjectState, entry: PastEntry, comment_id: str, since: str) -> Iterator[Dependent]:
    """The comment, if it is there and others have said or changed it since."""
    comment = state.comments[comment_id]
    if comment["deletedAt"] is not None:
        return
    if comment["authorId"] != entry.author and comment["createdAt"] >= since:
        yield _made("comment", comment_id, comment["authorId"], comment["createdAt"])
    else:
        yield from _changes(state, entry, "comment", comment_id)


def _of_milestone(
    state: ProjectState, entry: PastEntry, milestone_id: str, since: str, undoings: Set[int]
) -> Iterator[Dependent]:
    if milestone_id not in state.milestones:
        return
    yield from _changes(state, entry, "milestone", milestone_id)
    for task_id in sorted(state.milestone_tasks.get(milestone_id, ())):
        yield from _put_there(state, entry, task_id, "milestoneId", since, undoings)


def _of_field(
    state: ProjectState, entry: PastEntry, field_id: str, since: str, undoings: Set[int]
) -> Iterator[Dependent]:
    if field_id not in state.fields:
        return
    yield from _changes(state, entry, "field", field_id)
    for task_id, task in state.tasks.items():
        if field_id in task["fields"]:
            yield from _put_there(state, entry, task_id, f"fields.{field_id}", since, undoings)


def _made(what: str, record_id: str, author: str, at: str, field: str | None = None) -> Dependent:
    named: Dependent = {"what": what, "id": record_id, "author": author, "at": at}
    return named if field is None else {**named, "field": field}
