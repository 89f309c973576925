"""A person's private state as JSON objects of bounded size, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from actors.user.state import UserState

NOTIFICATIONS_PER_PART: Final = 200


def parts(state: UserState) -> Iterator[dict[str, Any]]:
    """The copies are taken here, not when the iterator is consumed: records are replaced, never changed."""
    inbox = list(state.inbox.values())
    head: list[dict[str, Any]] = [
        {"counters": {"count": state.count, "readUpTo": state.read_up_to}},
        {"preferences": state.preferences},
    ]
    chunks = (inbox[at : at + NOTIFICATIONS_PER_PART] for at in range(0, len(inbox), NOTIFICATIONS_PER_PART))
    return iter([*head, *({"notifications": chunk} for chunk in chunks)])


def take_part(state: UserState, part: Mapping[str, Any]) -> None:
    """Adds the next part."""
    for name, value in part.items():
        _take(state, name, value)


def _take(state: UserState, name: str, value: Any) -> None:
    match name:
        case "counters":
            state.count, state.read_up_to = value["count"], value["readUpTo"]
        case "preferences":
            state.preferences = value
        case "notifications":
            state.inbox.update((notification["number"], notification) for notification in value)
        case _:
            raise ValueError(f"a user's state has no {name}")
