"""Comments: said, corrected, taken back. Whom a text mentions is found by the server, and shown when it says so."""

from __future__ import annotations

from pantherahive_client.foresight.wish import Wish, event, living
from pantherahive_client.models import CommentView, WireEvent
from pantherahive_client.project_state import ProjectState


def add(state: ProjectState, wish: Wish) -> list[WireEvent]:
    """A reply to a reply joins its thread."""
    data = wish.data
    if living(state, data["taskId"]) is None or data["commentId"] in state.comments:
        return []
    answered = state.comments.get(data["replyTo"]) if "replyTo" in data else None
    if "replyTo" in data and (answered is None or answered["taskId"] != data["taskId"]):
        return []
    added = event(
        "CommentAdded",
        commentId=data["commentId"],
        taskId=data["taskId"],
        threadId=(answered["threadId"] or answered["id"]) if answered is not None else None,
        replyTo=answered["id"] if answered is not None else None,
        body=data["body"],
        mentions=[],
    )
    return [added]


def edit(state: ProjectState, wish: Wish) -> list[WireEvent]:
    comment = changeable(state, wish.data["commentId"])
    if comment is None or comment["body"] == wish.data["body"]:
        return []
    known = comment["mentions"]
    return [
        event(
            "CommentEdited",
            commentId=comment["id"],
            body=wish.data["body"],
            was=comment["body"],
            mentions=known,
            mentionsWere=known,
        )
    ]


def delete(state: ProjectState, wish: Wish) -> list[WireEvent]:
    comment = changeable(state, wish.data["commentId"])
    return [event("CommentDeleted", commentId=comment["id"])] if comment is not None else []


def changeable(state: ProjectState, comment_id: str) -> CommentView | None:
    """The comment, unless it or its task is deleted."""
    comment = state.comments.get(comment_id)
    if comment is None or comment["deletedAt"] is not None or living(state, comment["taskId"]) is None:
        return None
    return comment
