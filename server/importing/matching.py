"""What of an archive is in a project already, also where the source has changed it since.

Issues, closings and comments are found by their ids. A comment's id comes from its text, so one that was edited at the
source has another id than the one that was imported. It is found by its issue and its time: a comment of the archive
whose id is not there, and one of the project whose id is not in the archive, are the same; where several of one issue
have the same time, in their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pantherahive_client import ProjectState
from server.importing.github_archive import Step

_Place = tuple[str, str]
"""A comment's task, and its time."""


class Matching:
    """One archive beside one project, as they are now."""

    def __init__(self, steps: Sequence[Step], state: ProjectState) -> None:
        self._steps = steps
        self._state = state
        # Id of a comment's step → the comment that is there under another id.
        self.edited: Mapping[str, Mapping[str, Any]] = {
            step.id: comment for step, comment in _pairs(steps, state.comments)
        }

    def is_there(self, step: Step) -> bool:
        """Whether what the step would bring is in the project."""
        match step.kind:
            case "issue":
                return step.data["taskId"] in self._state.tasks
            case "comment":
                return step.data["commentId"] in self._state.comments or step.id in self.edited
            case "closing":
                task = self._state.tasks.get(step.data["taskId"])
                return task is not None and task["closedAt"] == step.at

    def to_send(self) -> list[Step]:
        """Without what would be doubled: comments that are there under another id, and closings, which have none, as
        another account may have sent them.
        """
        return [step for step in self._steps if not self._is_doubled(step)]

    def _is_doubled(self, step: Step) -> bool:
        return step.id in self.edited or (step.kind == "closing" and self.is_there(step))

    def differing(self, *, is_over: bool) -> Counter[str]:
        """By kind of step: issues that are there with another title, state or labels, comments with another text.

        Before the import is over, an issue that is still to be closed by it does not differ in its state.
        """
        closed = {step.data["taskId"] for step in self._steps if step.kind == "closing"}
        return Counter[str](step.kind for step in self._steps if self._differs(step, closed, is_over))

    def _differs(self, step: Step, closed: set[str], is_over: bool) -> bool:
        match step.kind:
            case "issue":
                task = self._state.tasks.get(step.data["taskId"])
                return task is not None and task["deletedAt"] is None and _is_other(task, step, closed, is_over)
            case "comment":
                comment = self._state.comments.get(step.data["commentId"], self.edited.get(step.id))
                return comment is not None and comment["body"] != step.data["body"]
            case "closing":
                return False


def _is_other(task: Mapping[str, Any], step: Step, closed: set[str], is_over: bool) -> bool:
    is_closed = task["closedAt"] is not None
    is_to_be = task["id"] in closed
    other_state = is_closed != is_to_be if is_over else is_closed and not is_to_be
    other_labels = set(task["labels"]) != set(step.data["labels"])
    return other_state or other_labels or task["title"] != step.data["title"]


def _pairs(steps: Iterable[Step], comments: Mapping[str, Any]) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    """Comments of the archive, each with the one that is in the project under another id."""
    wanted = {step.data["commentId"]: step for step in steps if step.kind == "comment"}
    imported: dict[_Place, list[Mapping[str, Any]]] = defaultdict(list)
    for comment in comments.values():
        if comment["id"] not in wanted:
            imported[comment["taskId"], comment["createdAt"]].append(comment)
    missing: dict[_Place, list[Step]] = defaultdict(list)
    for comment_id, step in wanted.items():
        place = step.data["taskId"], step.at
        if comment_id not in comments and place in imported:
            missing[place].append(step)
    for place, those in missing.items():
        yield from zip(those, imported[place], strict=False)
