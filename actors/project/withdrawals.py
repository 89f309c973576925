"""Deleted comments: a tombstone in their place, and the way back."""

from __future__ import annotations

from actors.project.dating import date_content
from actors.project.permissions import Permission, allowed, missing, refusal
from actors.project.projects import Outcome, archived, is_archived
from actors.project.state import ProjectState, note_content
from actors.project.tombstones import living
from actors.runtime.actor import Context, EntryMeta
from protocol.comments import CommentDeleted, CommentRestored, CommentView, DeleteComment, RestoreComment
from protocol.errors import Rejection
from protocol.event import Principal


def decide_delete(state: ProjectState, command: DeleteComment, context: Context) -> Outcome:
    """Authors delete their own, who has `comment.delete_any` deletes all. Deleting it again changes nothing."""
    comment = _comment(state, command.comment_id, context.principal)
    if isinstance(comment, Rejection):
        return comment
    own = comment["authorId"] == context.principal.id
    refused = _refuse_person(state, context.principal, own)
    if refused is not None:
        return refused
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if comment["deletedAt"] is not None:
        return dating.decision([])
    return _refuse_change(state, comment) or dating.decision([CommentDeleted(comment_id=command.comment_id)])


def decide_restore(state: ProjectState, command: RestoreComment, context: Context) -> Outcome:
    """Authors restore what they deleted themselves, who has `comment.delete_any` restores all."""
    comment = _comment(state, command.comment_id, context.principal)
    if isinstance(comment, Rejection):
        return comment
    own = context.principal.id == comment["authorId"] and comment["deletedBy"] in (None, context.principal.id)
    refused = _refuse_person(state, context.principal, own)
    if refused is not None:
        return refused
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    was = state.deleted_comments.get(command.comment_id)
    if was is None:
        return dating.decision([])
    return _refuse_change(state, comment) or dating.decision([restored(was)])


def restored(was: CommentView) -> CommentRestored:
    """What brings a comment back as it was."""
    return CommentRestored(
        comment_id=was["id"],
        body=was["body"],
        mentions=was["mentions"],
        reactions=was["reactions"],
        edits=was["edits"],
    )


def _comment(state: ProjectState, comment_id: str, principal: Principal) -> CommentView | Rejection:
    refused = refusal(state, principal, "comment.view")
    if refused is not None:
        return refused
    comment = state.comments.get(comment_id)
    return comment or refusal(state, principal, "comment.delete_own") or missing("comment")


def _refuse_person(state: ProjectState, principal: Principal, own: bool) -> Rejection | None:
    if allowed(state, principal, "comment.delete_any"):
        return None
    needed: Permission = "comment.delete_own" if own else "comment.delete_any"
    return refusal(state, principal, needed)


def _refuse_change(state: ProjectState, comment: CommentView) -> Rejection | None:
    task = living(state, comment["taskId"])
    if isinstance(task, Rejection):
        return task
    return archived() if is_archived(state) else None


def evolve_deleted(state: ProjectState, event: CommentDeleted, meta: EntryMeta) -> None:
    comment = state.comments[event.comment_id]
    state.deleted_comments[event.comment_id] = comment
    state.comments[event.comment_id] = {
        **comment,
        "body": "",
        "mentions": [],
        "reactions": [],
        "edits": [],
        "updatedAt": meta.at,
        "deletedAt": meta.at,
        "deletedBy": meta.author,
    }
    note_content(state, meta)


def evolve_restored(state: ProjectState, event: CommentRestored, meta: EntryMeta) -> None:
    del state.deleted_comments[event.comment_id]
    state.comments[event.comment_id] = {
        **state.comments[event.comment_id],
        "body": event.body,
        "mentions": event.mentions,
        "reactions": event.reactions,
        "edits": event.edits,
        "updatedAt": meta.at,
        "deletedAt": None,
        "deletedBy": None,
    }
    note_content(state, meta)
