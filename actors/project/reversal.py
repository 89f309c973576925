"""An entry on its way to be taken back: what the inverse of each of its events may know."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from actors.project.dating import Dating
from actors.project.edited_fields import DELETION
from actors.project.limits import ProjectLimits
from actors.project.moved_aside import MovedAside
from actors.project.past_entries import PastEntry
from actors.project.state import ProjectState
from actors.project.tombstones import living
from actors.runtime.actor import Context
from protocol.errors import Rejection
from protocol.messages import ProjectEvent
from protocol.projects import ProjectView
from protocol.tasks import FieldValue, TaskRestored, TaskView

Inverse = Sequence[ProjectEvent] | Rejection
"""What takes an event back; nothing, where it is as it was before already."""


@dataclass(slots=True)
class Reversal:
    """`draft` is the state with all that was taken back so far."""

    draft: ProjectState
    entry: PastEntry
    dating: Dating
    context: Context
    limits: ProjectLimits
    # Whether the entry is itself an undo.
    is_redo: bool
    # Field id → task id → the values that were lost when the entry removed the field.
    lost: Mapping[str, Mapping[str, FieldValue]] = field(default_factory=dict)
    # Task id → the state that it was in before the entry, of those that were moved within it and got a state since.
    states: Mapping[str, str] = field(default_factory=dict)
    # First task of a series → those of it that had a recurrence before the entry, as far as that was asked.
    carriers_then: Mapping[str, Collection[str]] = field(default_factory=dict)
    # The tasks that the entry brought back: they are deleted again with all that it did.
    brought: frozenset[str] = field(init=False)
    # Those whom it moved aside on the board.
    aside: MovedAside = field(init=False)

    def __post_init__(self) -> None:
        """What many inverses ask for is made once: an entry may hold thousands of events."""
        self.brought = frozenset(one.task_id for one in self.entry.events if isinstance(one, TaskRestored))
        self.aside = MovedAside(self.draft)
        self.aside.take(self.entry.events)

    @property
    def project(self) -> ProjectView:
        """The project of the draft. Raises ValueError before its creation, of which nothing is ever taken back."""
        if self.draft.project is None:
            raise ValueError("there is no project yet")
        return self.draft.project

    def task(self, task_id: str) -> TaskView | Rejection:
        """The task, unless others deleted it after the entry: what is done to a tombstone shows nobody anything."""
        task = self.draft.tasks[task_id]
        last = self.draft.changes.get(f"task/{task_id}", {}).get(DELETION)
        is_lost = last is not None and last.author != self.entry.author and last.seq > self.entry.seq
        return living(self.draft, task_id) if is_lost else task

    def is_elsewhere(self, task: TaskView) -> bool:
        """Whether a task that the entry moved within its state is in another one by now."""
        return self.was_set_since(task["id"], "stateId") and self.states.get(task["id"]) != task["stateId"]

    def was_set_since(self, task_id: str, field: str) -> bool:
        """Whether anybody has set the task's field after the entry. What is taken back here and now does not count."""
        last = self.draft.changes.get(f"task/{task_id}", {}).get(field)
        return last is not None and self.entry.seq < last.seq <= self.context.seq
