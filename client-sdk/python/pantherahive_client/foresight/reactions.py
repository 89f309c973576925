"""Reactions: one emoji of each kind per person."""

from __future__ import annotations

from typing import Final

from pantherahive_client.foresight.comments import changeable
from pantherahive_client.foresight.wish import Wish, event
from pantherahive_client.models import CommentView, Reaction, WireEvent
from pantherahive_client.project_state import ProjectState

_PRESENTATION: Final = "\ufe0f"
"""Asks for a picture rather than a letter; writers add it or leave it out, and the record keeps the first spelling."""


def add(state: ProjectState, wish: Wish) -> list[WireEvent]:
    comment = changeable(state, wish.data["commentId"])
    if comment is None:
        return []
    there = _there(comment, wish.data["emoji"])
    if there is not None and wish.author in there["userIds"]:
        return []
    emoji = there["emoji"] if there is not None else wish.data["emoji"]
    return [event("ReactionAdded", commentId=comment["id"], emoji=emoji)]


def remove(state: ProjectState, wish: Wish) -> list[WireEvent]:
    comment = changeable(state, wish.data["commentId"])
    there = _there(comment, wish.data["emoji"]) if comment is not None else None
    if comment is None or there is None or wish.author not in there["userIds"]:
        return []
    return [event("ReactionRemoved", commentId=comment["id"], emoji=there["emoji"])]


def _there(comment: CommentView, emoji: str) -> Reaction | None:
    bare = emoji.replace(_PRESENTATION, "")
    return next((one for one in comment["reactions"] if one["emoji"].replace(_PRESENTATION, "") == bare), None)
