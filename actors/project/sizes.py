"""How much text an entry holds, which is what makes it large, and how much its undo will hold.

Whatever an entry may hold can be taken back: what is limited on the way there is what it holds and what it loses, and
that is all that its undo holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actors.project.comment_history import UNDO
from actors.project.limits import ProjectLimits
from actors.project.state import ProjectState
from protocol.comments import CommentDeleted, CommentRestored, CommentView
from protocol.custom_fields import FieldDefined, FieldRemoved, FieldValuesSet
from protocol.event import Event
from protocol.milestones import MilestoneCreated
from protocol.projects import ProjectCreated
from protocol.ranks import TasksReranked
from protocol.roles import RoleDefined
from protocol.tasks import FieldValue, TaskCreated

ENTRY_CHARACTERS_MAX: Final = 500_000
"""The texts before and after of what one command changes. Who changes more sends several commands.

All that one command changes of a single record, but for a field's values and a comment's history, is less.
"""

FIELD_CHARACTERS_MAX: Final = 3_000_000
"""What the tasks may hold of a field that is removed: all of it comes back in one entry."""

VALUE_CHARACTERS: Final = 50
"""What a task's value of a field counts beside its text, for the ids around it: there may be one on every task.

On the way back an item of a list counts as much: thousands of short labels take as long as a long text.
"""

_WRITTEN: Final = ("name", "title", "description", "labels", "fields", "choices", "states", "permissions")
"""What of a record has the length that its authors give it. The rest are ids, dates and the like."""


def undo_characters_max(limits: ProjectLimits) -> int:
    """What an undo may hold: more than any entry holds and loses, and as UTF-8 not more than followers take (16 MiB).

    An entry is full once it has passed its limit, with one record more at most: the largest of those are a comment with
    its history, and a field with its values.
    """
    return 2 * ENTRY_CHARACTERS_MAX + max(FIELD_CHARACTERS_MAX, UNDO * limits.comment_history_characters_max)


def weight(state: ProjectState, event: Event) -> int:
    """The texts of an event that is about to happen, and those that it takes away, which come back with its undo."""
    match event:
        case CommentDeleted():
            return _of_comment(state.comments[event.comment_id])
        case FieldRemoved():
            return field_characters(state, event.field_id)
        case _:
            return characters_of(event)


def load(state: ProjectState, event: Event) -> int:
    """What an event that is about to happen adds to an entry of a way back: its weight, and all that its lists hold.

    Those are labels, people, choices, reactions and older texts. In a command they have limits of their own.
    """
    match event:
        case CommentDeleted():
            comment = state.comments[event.comment_id]
            return len(comment["body"]) + _listed(comment)
        case CommentRestored():
            return len(event.body) + _listed(vars(event))
        case TasksReranked():
            return weight(state, event) + VALUE_CHARACTERS * len(event.ranks)
        case _:
            return weight(state, event) + _listed(vars(event))


def _listed(value: object, within: bool = False) -> int:
    """What lists hold: the texts of each item, `within` them, and what the items count beside those."""
    if isinstance(value, str):
        return len(value) if within else 0
    if isinstance(value, dict):
        return sum(_listed(one, within) for one in value.values())
    return sum(VALUE_CHARACTERS + _listed(one, True) for one in value) if isinstance(value, list) else 0


def field_characters(state: ProjectState, field_id: str) -> int:
    """What the tasks hold of a field, tombstones too."""
    return sum(_of_value(task["fields"][field_id]) for task in state.tasks.values() if field_id in task["fields"])


def characters_of(event: Event) -> int:
    """The long texts of an event, and of what it makes."""
    texts = [*_values(event, "changes"), *_values(event, "was")]
    match event:
        case ProjectCreated():
            return written(event.project)
        case TaskCreated():
            return written(event.task)
        case MilestoneCreated():
            return written(event.milestone)
        case FieldDefined():
            return written(event.field)
        case RoleDefined():
            return written(event.role)
        case FieldValuesSet():
            return sum(_of_value(value) for value in (*event.values.values(), *event.was.values()))
        case CommentRestored():
            texts += [event.body, *(edit["body"] for edit in event.edits)]
        case _:
            texts.append(vars(event).get("body"))
    return sum(len(text) for text in texts if isinstance(text, str))


def written(record: Mapping[str, object]) -> int:
    """The texts that people gave a record: a project, task, milestone, field or role."""
    return sum(_texts(record[name]) for name in _WRITTEN if name in record)


def _texts(value: object) -> int:
    """Those of a text itself, of a list, and of an object without its names."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_texts, value.values()))
    return sum(map(_texts, value)) if isinstance(value, list) else 0


def _of_comment(comment: CommentView) -> int:
    return len(comment["body"]) + sum(len(edit["body"]) for edit in comment["edits"])


def _of_value(value: FieldValue | None) -> int:
    """Nothing where there is none."""
    if value is None:
        return 0
    return VALUE_CHARACTERS + (len(value) if isinstance(value, str) else 0)


def _values(event: Event, name: str) -> list[object]:
    """What a field of values holds, by whatever names; a single text stands for itself."""
    held = vars(event).get(name)  # a model is slow to say that it has no such field
    return list(held.values()) if isinstance(held, dict) else [held]
