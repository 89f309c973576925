"""Comments: added to a task, edited with their history kept."""

from __future__ import annotations

from collections.abc import Sequence

from actors.project.dating import date_content
from actors.project.limits import ProjectLimits
from actors.project.permissions import allowed, broken, missing, refusal, taken
from actors.project.projects import Outcome, archived, is_archived
from actors.project.state import ProjectState, note_content
from actors.project.tombstones import is_hidden, living
from actors.runtime.actor import Context, EntryMeta
from protocol.comments import (
    COMMENT_EDITS_MAX,
    AddComment,
    CommentAdded,
    CommentEdit,
    CommentEdited,
    CommentView,
    EditComment,
)
from protocol.errors import Rejection
from protocol.event import Principal


def decide_add(state: ProjectState, command: AddComment, context: Context, limits: ProjectLimits) -> Outcome:
    refused = refusal(state, context.principal, "comment.add")
    if refused is not None:
        return refused
    task = living(state, command.task_id)
    if isinstance(task, Rejection):
        return task
    if "comment_id" in command.model_fields_set and command.comment_id in state.comments:
        return taken("comment")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if is_archived(state):
        return archived()
    if len(state.comments) >= limits.comments_max:
        return broken("comments_limit", f"a project has at most {limits.comments_max} comments")
    named = command.model_fields_set
    comment_id = command.comment_id if "comment_id" in named else context.new_id()
    return dating.decision([CommentAdded(comment_id=comment_id, task_id=command.task_id, body=command.body)])


def decide_edit(state: ProjectState, command: EditComment, context: Context, limits: ProjectLimits) -> Outcome:
    """Authors edit their own, who has `comment.edit_any` edits all."""
    refused = refusal(state, context.principal, "comment.view")
    if refused is not None:
        return refused
    comment = state.comments.get(command.comment_id)
    if comment is None:
        own = refusal(state, context.principal, "comment.edit_own")
        return own or missing("comment")
    refused = _refuse_editor(state, comment, context.principal)
    if refused is not None:
        return refused
    task = living(state, comment["taskId"])
    if isinstance(task, Rejection):
        return task
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if command.body == comment["body"]:
        return dating.decision([])
    if is_archived(state):
        return archived()
    if _history_is_full(comment, limits):
        return broken("comment_edits_limit", "this comment cannot be edited any more often")
    return dating.decision([CommentEdited(comment_id=command.comment_id, body=command.body, was=comment["body"])])


def _refuse_editor(state: ProjectState, comment: CommentView, principal: Principal) -> Rejection | None:
    if allowed(state, principal, "comment.edit_any"):
        return None
    if comment["authorId"] != principal.id:
        return refusal(state, principal, "comment.edit_any")
    return refusal(state, principal, "comment.edit_own")


def _history_is_full(comment: CommentView, limits: ProjectLimits) -> bool:
    characters = sum(len(edit["body"]) for edit in comment["edits"]) + len(comment["body"])
    return len(comment["edits"]) >= COMMENT_EDITS_MAX or characters > limits.comment_history_characters_max


def evolve_added(state: ProjectState, event: CommentAdded, meta: EntryMeta) -> None:
    comment: CommentView = {
        "id": event.comment_id,
        "taskId": event.task_id,
        "authorId": meta.author,
        "body": event.body,
        "createdAt": meta.at,
        "updatedAt": meta.at,
        "edits": [],
    }
    state.comments[event.comment_id] = comment
    state.task_comments.setdefault(event.task_id, []).append(event.comment_id)
    note_content(state, meta)


def evolve_edited(state: ProjectState, event: CommentEdited, meta: EntryMeta) -> None:
    comment = state.comments[event.comment_id]
    edit: CommentEdit = {"body": event.was, "replacedAt": meta.at, "replacedBy": meta.author}
    state.comments[event.comment_id] = {
        **comment,
        "body": event.body,
        "updatedAt": meta.at,
        "edits": [*comment["edits"], edit],
    }
    note_content(state, meta)


def list_comments(
    state: ProjectState, principal: Principal, task_id: str, after: str | None = None, limit: int = 100
) -> Sequence[CommentView] | Rejection:
    """A page of a task's comments in the order they were made, those after the comment `after`.

    Those of a deleted task are hidden with it.
    """
    refused = refusal(state, principal, "comment.view")
    if refused is not None:
        return refused
    if is_hidden(state, task_id):
        return missing("task")
    ids = state.task_comments.get(task_id, [])
    if after is not None and after not in ids:
        return missing("comment")
    start = 0 if after is None else ids.index(after) + 1
    return [state.comments[comment_id] for comment_id in ids[start : start + limit]]


def view_comment(state: ProjectState, principal: Principal, comment_id: str) -> CommentView | Rejection:
    """One comment, unless its task is deleted."""
    refused = refusal(state, principal, "comment.view")
    if refused is not None:
        return refused
    comment = state.comments.get(comment_id)
    return missing("comment") if comment is None or is_hidden(state, comment["taskId"]) else comment


def list_comment_ids(state: ProjectState, principal: Principal, task_id: str) -> Sequence[str] | Rejection:
    """The ids of a task's comments, in the order they were made."""
    refused = refusal(state, principal, "comment.view")
    if refused is not None:
        return refused
    if task_id not in state.tasks:
        return missing("task")
    return list(state.task_comments.get(task_id, ()))
