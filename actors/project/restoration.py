"""Making tasks, links and comments what they were: the events for each, on a draft of the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from actors.project import custom_fields
from actors.project.comment_history import history_is_full
from actors.project.dating import Dating
from actors.project.differences import is_back_itself
from actors.project.events import evolve
from actors.project.limits import ProjectLimits
from actors.project.links import refuse_link
from actors.project.old_places import OldPlaces
from actors.project.parents import refuse_old_parent
from actors.project.series import Successors
from actors.project.sizes import load
from actors.project.state import ProjectState, is_imported
from actors.project.tasks import closing, has_state
from actors.project.tombstones import back
from actors.project.withdrawals import restored
from actors.runtime.actor import EntryMeta
from protocol.comments import CommentDeleted, CommentEdited, CommentView
from protocol.errors import Rejection
from protocol.links import LinkAdded, LinkRemoved, LinkView
from protocol.messages import ProjectEvent
from protocol.projects import ProjectView
from protocol.tasks import TaskDeleted, TaskEdited, TaskView

PLAIN: Final = ("title", "description", "priority", "startDate", "dueDate", "estimate")
"""Fields of a task that can always be what they were."""


@dataclass(slots=True)
class Restoration:
    """The events so far, the state that they lead to, and how much they hold (see `sizes`).

    `left` names what cannot be as it was.
    """

    draft: ProjectState
    places: OldPlaces
    dating: Dating
    meta: EntryMeta
    limits: ProjectLimits
    # Those with whom a recurrence stays that they have by now.
    successors: Successors
    events: list[ProjectEvent] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    characters: int = 0

    @property
    def project(self) -> ProjectView:
        """Raises ValueError before its creation."""
        if self.draft.project is None:
            raise ValueError("there is no project yet")
        return self.draft.project

    def take(self, *events: ProjectEvent) -> None:
        """What happens next."""
        for event in events:
            self.characters += load(self.draft, event)
            evolve(self.draft, event, self.meta)
            self.events.append(event)

    # — tasks ————————————————————————————————————————————————————————————————————————————————————————

    def task(self, then: TaskView) -> None:
        """All but its parent and its links, which depend on other tasks."""
        task = self.draft.tasks[then["id"]]
        if is_back_itself(then, task):
            return
        if then["deletedAt"] is None and task["deletedAt"] is not None:
            comes_again = not self.successors.has_other_than(task["id"])
            self.take(*back(self.draft, self.project, task, self.dating, comes_again=comes_again))
        self._edit(self.draft.tasks[then["id"]], then)
        self._values(self.draft.tasks[then["id"]], then)
        if then["deletedAt"] is not None and task["deletedAt"] is None:
            self.take(TaskDeleted(task_id=then["id"]))

    def without_task(self, task_id: str) -> None:
        """It was not there yet: a tombstone."""
        if self.draft.tasks[task_id]["deletedAt"] is None:
            self.take(TaskDeleted(task_id=task_id))

    def _edit(self, task: TaskView, then: TaskView) -> None:
        now: Any = task
        changes: Any = {name: then[name] for name in PLAIN if now[name] != then[name]}
        self._recurrence(task, then, changes)
        self._milestone(task, then, changes)
        self._place(task, then, changes)
        sets: dict[str, list[str]] = {
            "labels_added": _less(then["labels"], task["labels"]),
            "labels_removed": _less(task["labels"], then["labels"]),
            "assignees_added": self._still_here(_less(then["assigneeIds"], task["assigneeIds"])),
            "assignees_removed": _less(task["assigneeIds"], then["assigneeIds"]),
        }
        said: dict[str, Any] = {name: items for name, items in sets.items() if items}
        if changes or said:
            was: Any = {name: now[name] for name in changes}
            closed = closing(self.project, task, changes, self.dating)
            self.take(TaskEdited(task_id=task["id"], changes=changes, was=was, **said, **closed))

    def _still_here(self, people: list[str]) -> list[str]:
        here = [person for person in people if person in self.draft.members or is_imported(person)]
        if len(here) < len(people):
            self.left.append("assigneeIds")
        return here

    def _recurrence(self, task: TaskView, then: TaskView, changes: dict[str, Any]) -> None:
        """A tombstone may have any: it comes back without the one that another task has."""
        if task["recurrence"] == then["recurrence"]:
            return
        is_given = task["recurrence"] is None and then["deletedAt"] is None
        if is_given and self.successors.has_other_than(task["id"]):
            self.left.append("recurrence")
        else:
            changes["recurrence"] = then["recurrence"]

    def _milestone(self, task: TaskView, then: TaskView, changes: dict[str, Any]) -> None:
        milestone_id = then["milestoneId"]
        if milestone_id == task["milestoneId"]:
            return
        if milestone_id is None or milestone_id in self.draft.milestones:
            changes["milestoneId"] = milestone_id
        else:
            self.left.append("milestoneId")

    def _place(self, task: TaskView, then: TaskView, changes: dict[str, Any]) -> None:
        if not has_state(self.project, then["stateId"]):
            self.left.append("stateId")
            return
        place = self.places.back(task, then)
        if isinstance(place, Rejection):
            self.left.append("rank")
            return
        self.take(*place[0])
        if then["stateId"] != task["stateId"]:
            changes["stateId"] = then["stateId"]
        if place[1] is not None:
            changes["rank"] = place[1]

    def _values(self, task: TaskView, then: TaskView) -> None:
        """Those of fields that are still there, as long as they fit them."""
        wishes = {name: then["fields"].get(name) for name in {**task["fields"], **then["fields"]}}
        for name in list(wishes):
            if custom_fields.refuse_values(self.draft, {name: wishes[name]}, retired=True) is not None:
                del wishes[name]
                self.left.append(f"fields.{name}")
        valued = custom_fields.changes_of(task, wishes)
        if valued is not None:
            self.take(valued)

    def without_value(self, task_id: str, field_id: str) -> None:
        valued = custom_fields.changes_of(self.draft.tasks[task_id], {field_id: None})
        if valued is not None:
            self.take(valued)

    def parent(self, then: TaskView) -> bool:
        """Whether the task has its old parent now; not, while that would close a cycle or lie too deep."""
        if self._has_parent(then):
            return True
        if refuse_old_parent(self.draft, then["id"], then["parentId"], self.limits) is not None:
            return False
        self._reparent(self.draft.tasks[then["id"]], then["parentId"])
        return True

    def parents(self, tasks: Iterable[TaskView]) -> Iterator[int]:
        """All of them, in an order in which none stands in another's way; at last some give theirs up meanwhile.

        After each event there is a sound project, and a pause: how many are still to come. Whoever has its old parent
        keeps it and nobody gives up twice what was not its own, so it comes to an end also when it is begun anew.
        """
        waiting, giving_up = [then for then in tasks if not self._has_parent(then)], 1
        while waiting:
            left: list[TaskView] = []
            for number, then in enumerate(waiting, start=1):
                if self.parent(then):
                    yield len(left) + len(waiting) - number
                else:
                    left.append(then)
            if len(left) == len(waiting):
                stuck = [self.draft.tasks[then["id"]] for then in left]
                held = [task for task in stuck if task["parentId"] is not None]
                if not held:
                    self.left += [f"{then['id']}.parentId" for then in left]
                    return
                for task in held[:giving_up]:
                    self._reparent(task, None)
                    yield len(left)
                giving_up *= 2  # one by one, each with a look at all others, would take its time
            waiting = left

    def _has_parent(self, then: TaskView) -> bool:
        return self.draft.tasks[then["id"]]["parentId"] == then["parentId"]

    def _reparent(self, task: TaskView, parent_id: str | None) -> None:
        self.take(TaskEdited(task_id=task["id"], changes={"parentId": parent_id}, was={"parentId": task["parentId"]}))

    # — links ————————————————————————————————————————————————————————————————————————————————————————

    def without_link(self, link_id: str) -> None:
        link = self.draft.links.get(link_id)
        if link is not None:
            self.take(LinkRemoved(link_id=link_id, was=link))

    def link(self, then: LinkView) -> None:
        """The link as it was; another one may say the same by now."""
        now = self.draft.links.get(then["id"])
        if now == then:
            return
        if now is not None:
            self.without_link(then["id"])
        refused = refuse_link(self.draft, then["type"], then["taskId"], then["otherId"], self.limits)
        if refused is None:
            self.take(LinkAdded(link=then))
        else:
            self.left.append(then["id"])

    # — comments —————————————————————————————————————————————————————————————————————————————————————

    def without_comment(self, comment_id: str) -> None:
        if self.draft.comments[comment_id]["deletedAt"] is None:
            self.take(CommentDeleted(comment_id=comment_id))

    def comment(self, then: CommentView) -> None:
        """Its text, with all that it was in between in its history. Reactions stay people's own."""
        if then["deletedAt"] is not None:
            self.without_comment(then["id"])
            return
        lost = self.draft.deleted_comments.get(then["id"])
        if lost is not None:
            self.take(restored(lost))
        comment = self.draft.comments[then["id"]]
        if comment["body"] == then["body"]:
            return
        if history_is_full(comment, self.limits):
            self.left.append(then["id"])  # one that replaced its history could not be taken back
            return
        self.take(
            CommentEdited(
                comment_id=then["id"],
                body=then["body"],
                was=comment["body"],
                mentions=then["mentions"],
                mentions_were=comment["mentions"],
            )
        )


def _less(items: Iterable[str], others: Iterable[str]) -> list[str]:
    known = set(others)
    return [item for item in items if item not in known]


def links_of(state: ProjectState, task_id: str) -> Mapping[str, LinkView]:
    """The links of a task, hidden ones too."""
    return {link_id: state.links[link_id] for link_id in state.task_links.get(task_id, ())}
