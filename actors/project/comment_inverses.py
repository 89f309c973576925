"""What takes events of comments and reactions back."""

from __future__ import annotations

from actors.project.comment_history import REDO, UNDO, history_is_full
from actors.project.comments import refuse_deleted
from actors.project.permissions import broken
from actors.project.reactions import reaction_with, refuse_crowd
from actors.project.reversal import Inverse, Reversal
from actors.project.withdrawals import restored
from protocol.comments import CommentAdded, CommentDeleted, CommentEdited, CommentRestored, CommentView
from protocol.errors import Rejection
from protocol.reactions import ReactionAdded, ReactionRemoved


def of_added(reversal: Reversal, event: CommentAdded) -> Inverse:
    """A tombstone."""
    return _deleted(reversal, event.comment_id)


def of_restored(reversal: Reversal, event: CommentRestored) -> Inverse:
    return _deleted(reversal, event.comment_id)


def _deleted(reversal: Reversal, comment_id: str) -> Inverse:
    comment = reversal.draft.comments[comment_id]
    if comment["deletedAt"] is not None:
        return ()
    task = reversal.task(comment["taskId"])
    return task if isinstance(task, Rejection) else [CommentDeleted(comment_id=comment_id)]


def of_deleted(reversal: Reversal, event: CommentDeleted) -> Inverse:
    """As it was, with its reactions and its history."""
    was = reversal.draft.deleted_comments.get(event.comment_id)
    if was is None:
        return ()
    task = reversal.task(was["taskId"])
    return task if isinstance(task, Rejection) else [restored(was)]


def of_edited(reversal: Reversal, event: CommentEdited) -> Inverse:
    """Another edit, so that the history shows both."""
    comment = reversal.draft.comments[event.comment_id]
    refused = _refuse_change(reversal, comment)
    if refused is not None:
        return refused
    if comment["body"] == event.was:
        return ()
    if history_is_full(comment, reversal.limits, REDO if reversal.is_redo else UNDO):
        return broken("comment_edits_limit", "a comment of it cannot be changed to and fro any more often")
    return [
        CommentEdited(
            comment_id=event.comment_id,
            body=event.was,
            was=comment["body"],
            mentions=event.mentions_were,
            mentions_were=comment["mentions"],
        )
    ]


def _refuse_change(reversal: Reversal, comment: CommentView) -> Rejection | None:
    task = reversal.task(comment["taskId"])
    return refuse_deleted(comment) or (task if isinstance(task, Rejection) else None)


def of_reaction_added(reversal: Reversal, event: ReactionAdded) -> Inverse:
    """One's own: it is the entry's author who undoes."""
    comment = reversal.draft.comments[event.comment_id]
    there = reaction_with(comment, event.emoji)
    if there is None or reversal.entry.author not in there["userIds"]:
        return ()
    refused = _refuse_change(reversal, comment)
    return refused or [ReactionRemoved(comment_id=event.comment_id, emoji=there["emoji"])]


def of_reaction_removed(reversal: Reversal, event: ReactionRemoved) -> Inverse:
    comment = reversal.draft.comments[event.comment_id]
    there = reaction_with(comment, event.emoji)
    if there is not None and reversal.entry.author in there["userIds"]:
        return ()
    refused = _refuse_change(reversal, comment) or refuse_crowd(comment, there, reversal.limits)
    emoji = there["emoji"] if there is not None else event.emoji
    return refused or [ReactionAdded(comment_id=event.comment_id, emoji=emoji)]
