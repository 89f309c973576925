"""Comments: said about a task or in answer to another comment, edited with their history kept."""

from __future__ import annotations

from collections.abc import Sequence

from actors.project.comment_history import history_is_full
from actors.project.dating import date_content
from actors.project.limits import ProjectLimits
from actors.project.mentions import mentioned_members
from actors.project.permissions import allowed, broken, missing, refusal, taken
from actors.project.projects import Outcome, archived, is_archived
from actors.project.state import ProjectState, note_content, put_new_comment
from actors.project.tombstones import is_hidden, living
from actors.runtime.actor import Context, EntryMeta
from protocol.comments import (
    AddComment,
    CommentAdded,
    CommentEdit,
    CommentEdited,
    CommentView,
    EditComment,
    ThreadView,
)
from protocol.errors import Rejection
from protocol.event import Principal


def decide_add(state: ProjectState, command: AddComment, context: Context, limits: ProjectLimits) -> Outcome:
    """A reply to a reply joins its thread. A thread whose comments were deleted can go on."""
    refused = refusal(state, context.principal, "comment.add")
    if refused is not None:
        return refused
    task = living(state, command.task_id)
    if isinstance(task, Rejection):
        return task
    named = command.model_fields_set
    if "comment_id" in named and command.comment_id in state.comments:
        return taken("comment")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    refused = _refuse_new(state, command, limits)
    if refused is not None:
        return refused
    mentions = mentioned_members(state, context)
    if isinstance(mentions, Rejection):
        return mentions
    answered = state.comments[command.reply_to] if "reply_to" in named else None
    added = CommentAdded(
        comment_id=command.comment_id if "comment_id" in named else context.new_id(),
        task_id=command.task_id,
        thread_id=(answered["threadId"] or answered["id"]) if answered is not None else None,
        reply_to=answered["id"] if answered is not None else None,
        body=command.body,
        mentions=mentions,
    )
    return dating.decision([added])


def _refuse_new(state: ProjectState, command: AddComment, limits: ProjectLimits) -> Rejection | None:
    if is_archived(state):
        return archived()
    if len(state.comments) >= limits.comments_max:
        return broken("comments_limit", f"a project has at most {limits.comments_max} comments")
    if "reply_to" not in command.model_fields_set:
        return None
    answered = state.comments.get(command.reply_to)
    if answered is None:
        return missing("comment")
    if answered["taskId"] != command.task_id:
        return broken("reply_to_other_task", "a reply belongs to the task of the comment that it answers")
    return None


def decide_edit(state: ProjectState, command: EditComment, context: Context, limits: ProjectLimits) -> Outcome:
    """Authors edit their own, who has `comment.edit_any` edits all."""
    comment = _comment_to_edit(state, command, context.principal)
    if isinstance(comment, Rejection):
        return comment
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    refused = refuse_change(state, comment)
    if refused is not None:
        return refused
    if command.body == comment["body"]:
        return dating.decision([])
    if is_archived(state):
        return archived()
    if history_is_full(comment, limits):
        return broken("comment_edits_limit", "this comment cannot be edited any more often")
    mentions = mentioned_members(state, context)
    if isinstance(mentions, Rejection):
        return mentions
    edited = CommentEdited(
        comment_id=command.comment_id,
        body=command.body,
        was=comment["body"],
        mentions=mentions,
        mentions_were=comment["mentions"],
    )
    return dating.decision([edited])


def _comment_to_edit(state: ProjectState, command: EditComment, principal: Principal) -> CommentView | Rejection:
    refused = refusal(state, principal, "comment.view")
    if refused is not None:
        return refused
    comment = state.comments.get(command.comment_id)
    if comment is None:
        return refusal(state, principal, "comment.edit_own") or missing("comment")
    if allowed(state, principal, "comment.edit_any"):
        return comment
    own = comment["authorId"] == principal.id
    return refusal(state, principal, "comment.edit_own" if own else "comment.edit_any") or comment


def refuse_change(state: ProjectState, comment: CommentView) -> Rejection | None:
    """Whether the comment cannot be changed: it is deleted, or its task is."""
    task = living(state, comment["taskId"])
    return refuse_deleted(comment) or (task if isinstance(task, Rejection) else None)


def refuse_deleted(comment: CommentView) -> Rejection | None:
    """Whether it is a tombstone."""
    if comment["deletedAt"] is None:
        return None
    return broken("comment_deleted", "the comment is deleted; it has to be restored first")


def evolve_added(state: ProjectState, event: CommentAdded, meta: EntryMeta) -> None:
    comment: CommentView = {
        "id": event.comment_id,
        "taskId": event.task_id,
        "threadId": event.thread_id,
        "replyTo": event.reply_to,
        "authorId": meta.author,
        "body": event.body,
        "mentions": event.mentions,
        "reactions": [],
        "createdAt": meta.at,
        "updatedAt": meta.at,
        "edits": [],
        "deletedAt": None,
        "deletedBy": None,
    }
    put_new_comment(state, comment)
    note_content(state, meta)


def evolve_edited(state: ProjectState, event: CommentEdited, meta: EntryMeta) -> None:
    comment = state.comments[event.comment_id]
    edit: CommentEdit = {"body": event.was, "replacedAt": meta.at, "replacedBy": meta.author}
    state.comments[event.comment_id] = {
        **comment,
        "body": event.body,
        "mentions": event.mentions,
        "updatedAt": meta.at,
        "edits": [*comment["edits"], edit],
    }
    note_content(state, meta)


def list_comments(
    state: ProjectState, principal: Principal, task_id: str, after: str | None = None, limit: int = 100
) -> Sequence[ThreadView] | Rejection:
    """A page of the comments that began a task's threads, in the order they were made, those after `after`.

    Those of a deleted task are hidden with it.
    """
    refused = refusal(state, principal, "comment.view")
    if refused is not None:
        return refused
    if is_hidden(state, task_id):
        return missing("task")
    page = _page(state, state.task_comments.get(task_id, []), after, limit)
    if isinstance(page, Rejection):
        return page
    return [_as_thread(state, comment) for comment in page]


def list_replies(
    state: ProjectState, principal: Principal, comment_id: str, after: str | None = None, limit: int = 100
) -> Sequence[CommentView] | Rejection:
    """A page of the replies in the thread that this comment began, in the order they were made."""
    comment = view_comment(state, principal, comment_id)
    if isinstance(comment, Rejection):
        return comment
    if comment["threadId"] is not None:
        return missing("thread")
    return _page(state, state.thread_replies.get(comment_id, []), after, limit)


def view_comment(state: ProjectState, principal: Principal, comment_id: str) -> CommentView | Rejection:
    """One comment, unless its task is deleted."""
    refused = refusal(state, principal, "comment.view")
    if refused is not None:
        return refused
    comment = state.comments.get(comment_id)
    return missing("comment") if comment is None or is_hidden(state, comment["taskId"]) else comment


def list_comment_ids(state: ProjectState, principal: Principal, task_id: str) -> Sequence[str] | Rejection:
    """The ids of a task's comments, each thread followed by its replies."""
    refused = refusal(state, principal, "comment.view")
    if refused is not None:
        return refused
    if task_id not in state.tasks:
        return missing("task")
    threads = state.task_comments.get(task_id, ())
    return [one for thread in threads for one in (thread, *state.thread_replies.get(thread, ()))]


def _page(state: ProjectState, ids: Sequence[str], after: str | None, limit: int) -> Sequence[CommentView] | Rejection:
    if after is not None and after not in ids:
        return missing("comment")
    start = 0 if after is None else ids.index(after) + 1
    return [state.comments[comment_id] for comment_id in ids[start : start + limit]]


def _as_thread(state: ProjectState, comment: CommentView) -> ThreadView:
    return {**comment, "replyCount": len(state.thread_replies.get(comment["id"], ()))}
