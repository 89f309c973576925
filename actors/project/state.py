"""What a project's actor holds in memory. Records are the protocol's views: replaced, never changed."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, TypeVar

from actors.field_changes import Changes
from actors.project.order import Order
from actors.project.undone import Undoing
from actors.runtime.actor import EntryMeta
from protocol.base import PersonId
from protocol.comments import CommentView
from protocol.custom_fields import FieldView
from protocol.invitations import InvitationView
from protocol.links import LinkType, LinkView
from protocol.members import MemberView
from protocol.milestones import MilestoneView
from protocol.projects import ProjectView, StateGroup
from protocol.roles import RoleView
from protocol.tasks import TaskView

CLOSED_GROUPS: frozenset[StateGroup] = frozenset({"completed", "cancelled"})
ORDERING: frozenset[LinkType] = frozenset({"blocks", "precedes"})
"""The links that say which task comes first."""

Made = TypeVar("Made", MilestoneView, FieldView, RoleView)


class Handover(NamedTuple):
    """The task that was completed and gave its recurrence on, and the entry that did it."""

    task_id: str
    seq: int


Card: TypeAlias = tuple[str, str]
"""Rank and id of a task."""


@dataclass(slots=True)
class ProjectState:
    """One project. It is empty (`project` is None) until `ProjectCreated`."""

    id: str
    # The project's own fields; None before the first entry.
    project: ProjectView | None = None
    # User id → membership, in the order of joining.
    members: dict[str, MemberView] = field(default_factory=dict)
    # Invitation id → invitation without an answer, in the order of the log.
    invitations: dict[str, InvitationView] = field(default_factory=dict)
    # Role id → role of the project's own, the oldest first: see `put_in_order`.
    roles: dict[str, RoleView] = field(default_factory=dict)
    # Task id → task, in the order of their numbers; tombstones too.
    tasks: dict[str, TaskView] = field(default_factory=dict)
    # Link id → link, in the order of the log; those of tombstones too.
    links: dict[str, LinkView] = field(default_factory=dict)
    # Comment id → comment, in the order of the log.
    comments: dict[str, CommentView] = field(default_factory=dict)
    # Milestone id → milestone, the oldest first: see `put_in_order`.
    milestones: dict[str, MilestoneView] = field(default_factory=dict)
    # Field id → field of the project's own, the oldest first: see `put_in_order`.
    fields: dict[str, FieldView] = field(default_factory=dict)
    # The task with number n stands at n - 1; an index over `tasks`.
    task_ids: list[str] = field(default_factory=list)
    # Parent's id → its subtasks' ids; an index over `tasks`.
    subtasks: dict[str, set[str]] = field(default_factory=dict)
    # Task id → its links' ids in the order of the log; an index over `links`.
    task_links: dict[str, list[str]] = field(default_factory=dict)
    # What blocks, precedes or is a subtask of what; an index over `tasks` and `links`.
    order: Order = field(default_factory=Order)
    # What is a duplicate of what, deleted tasks too; an index over `links`.
    duplicates: Order = field(default_factory=Order)
    # Comment id → what a deleted comment was. It is restored from here, and shown to nobody.
    deleted_comments: dict[str, CommentView] = field(default_factory=dict)
    # Task id → the comments that began its threads, in the order of the log; an index over `comments`.
    task_comments: dict[str, list[str]] = field(default_factory=dict)
    # Comment id → the replies of its thread, in the order of the log; an index over `comments`.
    thread_replies: dict[str, list[str]] = field(default_factory=dict)
    # External id → the task that has it, the first one where an old log has several; an index over `tasks`.
    external_ids: dict[str, str] = field(default_factory=dict)
    # State id → the cards of its tasks in their order; an index over `tasks`.
    cards: dict[str, list[Card]] = field(default_factory=dict)
    # Record → field → its last change.
    changes: Changes = field(default_factory=dict)
    # Milestone id → its tasks' ids; none of them is empty. An index over `tasks`.
    milestone_tasks: dict[str, set[str]] = field(default_factory=dict)
    # Task id → the task that it came after, for those that the completion of another one made.
    came_after: dict[str, Handover] = field(default_factory=dict)
    # Task id → the first task of its series, for those that handed on or came after; an index over `came_after`.
    series: dict[str, str] = field(default_factory=dict)
    # The first task of a series → those of it that are there with a recurrence; none is empty. An index over `tasks`.
    carriers: dict[str, set[str]] = field(default_factory=dict)
    # opId → what took it back, for commands that are undone now; the newest ones, in the order of the log.
    undone: dict[str, Undoing] = field(default_factory=dict)
    # The number of the next task; numbers are never used twice.
    next_number: int = 1
    # The time of the newest content, "" while there is none. It never falls.
    content_at: str = ""
    # Somebody worked here live, so the door for imports is closed.
    live: bool = False
    # The project is gone for good; all else is empty.
    purged: bool = False


def place_of(record: MilestoneView | FieldView | RoleView) -> tuple[str, str]:
    """Where a record stands among its kind: by when it was made, those of one millisecond by id."""
    return record["createdAt"], record["id"]


def put_in_order(records: dict[str, Made], record: Made) -> None:
    """Takes in a record at its place. New ones come last; one that comes back stands where it stood."""
    last = next(reversed(records.values()), None)
    records[record["id"]] = record
    if last is not None and place_of(record) < place_of(last):
        ordered = sorted(records.values(), key=place_of)
        records.clear()
        records.update((one["id"], one) for one in ordered)


def put_new_task(state: ProjectState, task: TaskView) -> None:
    """Takes in a task that comes after all others by number."""
    put_known_task(state, task)
    insort(state.cards.setdefault(task["stateId"], []), (task["rank"], task["id"]))


def index_cards(state: ProjectState) -> None:
    """Makes the index anew: one sort is cheaper than as many insertions as there are tasks."""
    state.cards.clear()
    for task in state.tasks.values():
        state.cards.setdefault(task["stateId"], []).append((task["rank"], task["id"]))
    for cards in state.cards.values():
        cards.sort()


def put_known_task(state: ProjectState, task: TaskView) -> None:
    """The same without its card: see `index_cards`."""
    state.tasks[task["id"]] = task
    _index_carrier(state, task)
    state.task_ids.append(task["id"])
    if task["externalId"] is not None:
        state.external_ids.setdefault(task["externalId"], task["id"])
    move_subtask(state, task["id"], None, task["parentId"])
    put_in_milestone(state, task["id"], None, task["milestoneId"])


def move_subtask(state: ProjectState, task_id: str, was: str | None, now: str | None) -> None:
    """Brings the indexes from one parent of a task to another; None is no parent."""
    if was is not None:
        state.order.drop(task_id, was)
        state.subtasks[was].remove(task_id)
        if not state.subtasks[was]:
            del state.subtasks[was]
    if now is not None:
        state.order.put(task_id, now)
        state.subtasks.setdefault(now, set()).add(task_id)


def put_link(state: ProjectState, link: LinkView) -> None:
    """Takes in a link that comes after all others."""
    state.links[link["id"]] = link
    for end in (link["taskId"], link["otherId"]):
        state.task_links.setdefault(end, []).append(link["id"])
    if link["type"] in ORDERING:
        state.order.put(link["taskId"], link["otherId"])
    elif link["type"] == "duplicates":
        state.duplicates.put(link["taskId"], link["otherId"])


def drop_link(state: ProjectState, link_id: str) -> None:
    """Takes a link out again."""
    link = state.links.pop(link_id)
    for end in (link["taskId"], link["otherId"]):
        state.task_links[end].remove(link_id)
        if not state.task_links[end]:
            del state.task_links[end]
    if link["type"] in ORDERING:
        state.order.drop(link["taskId"], link["otherId"])
    elif link["type"] == "duplicates":
        state.duplicates.drop(link["taskId"], link["otherId"])


def put_in_milestone(state: ProjectState, task_id: str, before: str | None, after: str | None) -> None:
    """Keeps the index of a milestone's tasks when a task comes to one or leaves one."""
    if before == after:
        return
    if before is not None:
        state.milestone_tasks[before].discard(task_id)
        if not state.milestone_tasks[before]:
            del state.milestone_tasks[before]
    if after is not None:
        state.milestone_tasks.setdefault(after, set()).add(task_id)


def replace_task(state: ProjectState, task: TaskView) -> None:
    """Takes in a task's new record; where its state or rank is another one, its card moves."""
    before = state.tasks[task["id"]]
    state.tasks[task["id"]] = task
    _index_carrier(state, task)
    if (task["stateId"], task["rank"]) == (before["stateId"], before["rank"]):
        return
    cards = state.cards[before["stateId"]]
    del cards[bisect_left(cards, (before["rank"], before["id"]))]
    if not cards:
        del state.cards[before["stateId"]]
    insort(state.cards.setdefault(task["stateId"], []), (task["rank"], task["id"]))


def hand_on(state: ProjectState, task_id: str, next_task_id: str, seq: int) -> None:
    """The recurrence goes from a task to the next one, which is about to be made."""
    state.came_after[next_task_id] = Handover(task_id, seq)
    state.series[next_task_id] = state.series.setdefault(task_id, task_id)
    replace_task(state, {**state.tasks[task_id], "recurrence": None})


def index_series(state: ProjectState) -> None:
    """Makes both indexes anew, once all tasks and handovers are there: these stand in the order of the log."""
    state.series.clear()
    state.carriers.clear()
    for next_task_id, came in state.came_after.items():
        state.series[next_task_id] = state.series.setdefault(came.task_id, came.task_id)
    for task_id in state.series:
        _index_carrier(state, state.tasks[task_id])


def _index_carrier(state: ProjectState, task: TaskView) -> None:
    first = state.series.get(task["id"])
    if first is None:
        return
    if task["deletedAt"] is None and task["recurrence"] is not None:
        state.carriers.setdefault(first, set()).add(task["id"])
    elif (carriers := state.carriers.get(first)) is not None:
        carriers.discard(task["id"])
        if not carriers:
            del state.carriers[first]


def put_new_comment(state: ProjectState, comment: CommentView) -> None:
    """Takes in a comment that comes after all others."""
    state.comments[comment["id"]] = comment
    if comment["threadId"] is None:
        state.task_comments.setdefault(comment["taskId"], []).append(comment["id"])
    else:
        state.thread_replies.setdefault(comment["threadId"], []).append(comment["id"])


def is_imported(author: PersonId) -> bool:
    """Whether an author says that an entry is history: live ones are written by accounts or the server."""
    return author == "unknown" or author.startswith("external:")


def note_content(state: ProjectState, meta: EntryMeta) -> None:
    """Moves the content's clock. Called for every event that is content, and for no other."""
    state.content_at = max(state.content_at, meta.at)
    if not is_imported(meta.author):
        state.live = True


def is_closed(project: ProjectView, state_id: str) -> bool:
    """Whether tasks in this state count as finished."""
    return any(state["id"] == state_id and state["group"] in CLOSED_GROUPS for state in project["states"])
