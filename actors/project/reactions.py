"""Reactions to comments: one emoji of each kind per person."""

from __future__ import annotations

from actors.project.comments import refuse_change
from actors.project.dating import date_content
from actors.project.limits import ProjectLimits
from actors.project.permissions import broken, missing, refusal
from actors.project.projects import Outcome, archived, is_archived
from actors.project.state import ProjectState, note_content
from actors.runtime.actor import Context, EntryMeta
from protocol.comments import CommentView
from protocol.errors import Rejection
from protocol.reactions import AddReaction, Reaction, ReactionAdded, ReactionRemoved, RemoveReaction

_PRESENTATION = "\ufe0f"
"""The character that asks for a picture rather than a letter; writers add it or leave it out."""


def decide_add(state: ProjectState, command: AddReaction, context: Context, limits: ProjectLimits) -> Outcome:
    """Reacting twice with one emoji changes nothing."""
    comment = _comment(state, command, context)
    if isinstance(comment, Rejection):
        return comment
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    there = reaction_with(comment, command.emoji)
    if there is not None and dating.author in there["userIds"]:
        return dating.decision([])
    refused = archived() if is_archived(state) else refuse_crowd(comment, there, limits)
    emoji = there["emoji"] if there is not None else command.emoji
    return refused or dating.decision([ReactionAdded(comment_id=command.comment_id, emoji=emoji)])


def decide_remove(state: ProjectState, command: RemoveReaction, context: Context) -> Outcome:
    """One's own. What is not there is removed already."""
    comment = _comment(state, command, context)
    if isinstance(comment, Rejection):
        return comment
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    there = reaction_with(comment, command.emoji)
    if there is None or dating.author not in there["userIds"]:
        return dating.decision([])
    if is_archived(state):
        return archived()
    return dating.decision([ReactionRemoved(comment_id=command.comment_id, emoji=there["emoji"])])


def _comment(state: ProjectState, command: AddReaction | RemoveReaction, context: Context) -> CommentView | Rejection:
    refused = refusal(state, context.principal, "comment.react")
    if refused is not None:
        return refused
    comment = state.comments.get(command.comment_id)
    return missing("comment") if comment is None else refuse_change(state, comment) or comment


def reaction_with(comment: CommentView, emoji: str) -> Reaction | None:
    """The reactions with this emoji, in whichever of its two spellings they came first."""
    bare = emoji.replace(_PRESENTATION, "")
    return next((one for one in comment["reactions"] if one["emoji"].replace(_PRESENTATION, "") == bare), None)


def refuse_crowd(comment: CommentView, there: Reaction | None, limits: ProjectLimits) -> Rejection | None:
    """Whether one reaction more is one too many; `there` are those with its emoji."""
    if there is None and len(comment["reactions"]) >= limits.emoji_per_comment_max:
        return broken("emoji_limit", f"a comment has at most {limits.emoji_per_comment_max} different reactions")
    if sum(len(one["userIds"]) for one in comment["reactions"]) >= limits.reactions_per_comment_max:
        return broken("reactions_limit", f"a comment has at most {limits.reactions_per_comment_max} reactions")
    return None


def evolve_added(state: ProjectState, event: ReactionAdded, meta: EntryMeta) -> None:
    comment = state.comments[event.comment_id]
    known = any(one["emoji"] == event.emoji for one in comment["reactions"])
    reactions = comment["reactions"] if known else [*comment["reactions"], Reaction(emoji=event.emoji, userIds=[])]
    _put(
        state,
        comment,
        [
            {**one, "userIds": [*one["userIds"], meta.author]} if one["emoji"] == event.emoji else one
            for one in reactions
        ],
        meta,
    )


def evolve_removed(state: ProjectState, event: ReactionRemoved, meta: EntryMeta) -> None:
    comment = state.comments[event.comment_id]
    left: list[Reaction] = []
    for one in comment["reactions"]:
        if one["emoji"] != event.emoji:
            left.append(one)
        elif people := [user_id for user_id in one["userIds"] if user_id != meta.author]:
            left.append({**one, "userIds": people})
    _put(state, comment, left, meta)


def _put(state: ProjectState, comment: CommentView, reactions: list[Reaction], meta: EntryMeta) -> None:
    state.comments[comment["id"]] = {**comment, "reactions": reactions}
    note_content(state, meta)
