"""How much text an entry holds, which is what makes it large."""

from __future__ import annotations

from typing import Final

from protocol.comments import CommentRestored
from protocol.custom_fields import FieldValuesSet
from protocol.event import Event
from protocol.milestones import MilestoneCreated
from protocol.tasks import TaskCreated

ENTRY_CHARACTERS_MAX: Final = 500_000
"""The texts before and after of what one command changes. Who changes more sends several commands."""


def characters_of(event: Event) -> int:
    """The long texts of an event, and of what it makes."""
    texts = [*_values(event, "changes"), *_values(event, "was")]
    match event:
        case FieldValuesSet():
            texts += event.values.values()
        case TaskCreated():
            texts += [event.task["description"], *event.task["fields"].values()]
        case MilestoneCreated():
            texts.append(event.milestone["description"])
        case CommentRestored():
            texts += [event.body, *(edit["body"] for edit in event.edits)]
        case _:
            texts.append(getattr(event, "body", ""))
    return sum(len(text) for text in texts if isinstance(text, str))


def _values(event: Event, name: str) -> list[object]:
    """What a field of values holds, by whatever names; a single text stands for itself."""
    held = getattr(event, name, None)
    return list(held.values()) if isinstance(held, dict) else [held]
