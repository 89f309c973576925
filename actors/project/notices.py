"""Whom an entry concerns: the mentioned, the assigned, those who are answered, those who watch, those who are due.

Judged once, in the turn that makes the entry, and kept in it: whenever the notifier comes to it, and however often, it
tells the same people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from typing_extensions import TypedDict

from actors.project.state import ProjectState, is_imported
from protocol.comments import CommentAdded, CommentEdited
from protocol.custom_fields import FieldValuesSet
from protocol.due_dates import DueDateNeared
from protocol.messages import ProjectEvent
from protocol.notifications import REASONS, Reason
from protocol.tasks import TaskCreated, TaskDeleted, TaskEdited, TaskRestored, TaskView

WATCHERS_HEAR_OF: Final = frozenset(
    event.kind for event in (TaskEdited, FieldValuesSet, TaskDeleted, TaskRestored, CommentAdded, DueDateNeared)
)
"""The kinds of events that watchers of their task are told of. Of all others nobody is, unless by name."""


Concerned = tuple[str, Reason, str | None, str | None]
"""Person, reason, task, comment."""

NOTICES_PER_PERSON_MAX: Final = 100
"""Of how many tasks an entry tells one person singly: a tenth of an inbox, so that what else is unread stays in it."""

NOTICES_PER_ENTRY_MAX: Final = 10_000
"""What concerns more people and tasks than this tells everybody once: a project has as many members, so that an entry
holds about so many notices either way."""

_BY_NAME: Final[frozenset[Reason]] = frozenset({"mentioned", "assigned", "replied"})
"""Reasons that mean the person themself; the others are had by everybody who follows the task."""


class Notice(TypedDict):
    """One person, why, and what about; without a task it is about the project as such."""

    userId: str
    reasons: list[Reason]
    taskId: str | None
    commentId: str | None


def notices(
    state: ProjectState,
    events: Sequence[ProjectEvent],
    author: str,
    notices_max: int = NOTICES_PER_ENTRY_MAX,
    each_max: int = NOTICES_PER_PERSON_MAX,
) -> Sequence[Mapping[str, Any]]:
    """One notice per person and task, with the reasons of that task alone, in the order of the events.

    Its comment is that of the first event which concerns the person there. Whom more than `each_max` tasks concern is
    told of the project as such; where all tasks of all people would be more than `notices_max`, everybody is told once.
    Members only, never the author themself, and nobody is told of history.
    """
    if is_imported(author) or state.project is None or state.project["deletedAt"] is not None:
        return ()
    found: dict[tuple[str, str | None], Notice] = {}
    for person, reason, task_id, comment_id in _others_concerned(state, events, author):
        notice = found.get((person, task_id))
        if notice is None:
            if len(found) == notices_max:
                return _one_each(state, events, author)
            found[person, task_id] = _notice(person, reason, task_id, comment_id)
        elif reason not in notice["reasons"]:
            _give(notice, reason)
    return _few_each(list(found.values()), each_max)


def _few_each(found: Sequence[Notice], each_max: int) -> Sequence[Notice]:
    """At most `each_max` notices per person: one of the project as such and, behind it, those that name the person.

    It is in front because the opId of a person's first notice needs no task (see `server.consumers.notifier`), and so
    that what means the person themself is the newest in their inbox. It has the reasons of what it stands for.
    """
    counts = Counter(notice["userId"] for notice in found)
    room = {person: each_max - 1 for person, count in counts.items() if count > each_max}
    of_all: dict[str, Notice] = {}
    told: list[Notice] = []
    for notice in found:
        person = notice["userId"]
        if person not in room:
            told.append(notice)
            continue
        if person not in of_all:
            of_all[person] = {"userId": person, "reasons": [], "taskId": None, "commentId": None}
            told.append(of_all[person])
        if room[person] and not _BY_NAME.isdisjoint(notice["reasons"]):
            room[person] -= 1
            told.append(notice)
            continue
        for reason in notice["reasons"]:
            if reason not in of_all[person]["reasons"]:
                _give(of_all[person], reason)
    return told


def _one_each(state: ProjectState, events: Sequence[ProjectEvent], author: str) -> Sequence[Notice]:
    """One notice per person, with all reasons; whom several tasks concern is told of the project as such."""
    found: dict[str, Notice] = {}
    for person, reason, task_id, comment_id in _others_concerned(state, events, author):
        notice = found.get(person)
        if notice is None:
            found[person] = _notice(person, reason, task_id, comment_id)
            continue
        if notice["taskId"] != task_id:
            notice["taskId"] = notice["commentId"] = None
        if reason not in notice["reasons"]:
            _give(notice, reason)
    return list(found.values())


def _notice(person: str, reason: Reason, task_id: str | None, comment_id: str | None) -> Notice:
    return {"userId": person, "reasons": [reason], "taskId": task_id, "commentId": comment_id}


def _give(notice: Notice, reason: Reason) -> None:
    notice["reasons"] = sorted([*notice["reasons"], reason], key=REASONS.index)


def _others_concerned(state: ProjectState, events: Sequence[ProjectEvent], author: str) -> Iterator[Concerned]:
    for event in events:
        for concerned in _concerned(state, event):
            if concerned[0] != author and concerned[0] in state.members:
                yield concerned


def _concerned(state: ProjectState, event: ProjectEvent) -> Iterable[Concerned]:
    """Of a task that is a tombstone after the entry people hear that it was deleted, and nothing else."""
    if isinstance(event, TaskDeleted):
        return _by_watching(state.tasks[event.task_id])
    return [one for one in _by_event(state, event) if one[2] is None or state.tasks[one[2]]["deletedAt"] is None]


def _by_event(state: ProjectState, event: ProjectEvent) -> Iterable[Concerned]:
    match event:
        case TaskCreated():
            return [(person, "assigned", event.task["id"], None) for person in event.task["assigneeIds"]]
        case TaskEdited():
            return _by_edit(state.tasks[event.task_id], event)
        case FieldValuesSet() | TaskRestored():
            return _by_watching(state.tasks[event.task_id])
        case CommentAdded():
            return _by_comment(state, event)
        case CommentEdited():
            task_id = state.comments[event.comment_id]["taskId"]
            newly = [person for person in event.mentions if person not in event.mentions_were]
            return [(person, "mentioned", task_id, event.comment_id) for person in newly]
        case DueDateNeared():
            return _by_due_date(state.tasks[event.task_id])
        case _:
            return ()


def _by_edit(task: TaskView, event: TaskEdited) -> Iterable[Concerned]:
    yield from ((person, "assigned", event.task_id, None) for person in event.assignees_added)
    yield from _by_watching(task)


def _by_watching(task: TaskView) -> Iterable[Concerned]:
    return [(person, "watched", task["id"], None) for person in task["watcherIds"]]


def _by_comment(state: ProjectState, event: CommentAdded) -> Iterable[Concerned]:
    """Who works on a task hears of what is said about it as if they watched it.

    A reply concerns the author of the comment that it answers, and of the one that began the thread.
    """
    task = state.tasks[event.task_id]
    yield from ((person, "mentioned", event.task_id, event.comment_id) for person in event.mentions)
    for answered in dict.fromkeys((event.reply_to, event.thread_id)):
        if answered is not None:
            yield state.comments[answered]["authorId"], "replied", event.task_id, event.comment_id
    for person in (*task["watcherIds"], *task["assigneeIds"]):
        yield person, "watched", event.task_id, event.comment_id


def _by_due_date(task: TaskView) -> Iterable[Concerned]:
    """Who works on it and who watches it; where nobody works on it, who created it."""
    for person in (*(task["assigneeIds"] or [task["createdBy"]]), *task["watcherIds"]):
        yield person, "dueSoon", task["id"], None
