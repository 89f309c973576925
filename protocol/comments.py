"""Comments on tasks: their messages and their record of state. Threads are one level deep."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Integer, Markdown, PersonId, Uuid, absent
from protocol.event import Command, Event
from protocol.mentions import MentionIds
from protocol.reactions import Reactions

COMMENT_EDITS_MAX = 100
"""A comment's whole edit history lies in the project's state, so it is bounded. Undoings go beyond."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("a comment needs text")
    return text


CommentBody = Annotated[Markdown, Field(min_length=1), AfterValidator(_not_blank)]


@with_config(VIEW_CONFIG)
class CommentEdit(TypedDict):
    """A text that a comment had before, and until when."""

    body: Markdown
    replacedAt: Instant
    replacedBy: PersonId


@with_config(VIEW_CONFIG)
class CommentView(TypedDict):
    """A comment with its edit history, oldest first.

    `threadId` is the comment that began the thread, null for that one itself; `replyTo` is the comment that it answers.
    `deletedAt` marks a tombstone: text, history, mentions and reactions are empty, replies stay. `updatedAt` moves with
    the text, with deletion and restoration, and not with reactions.
    """

    id: Uuid
    taskId: Uuid
    threadId: Uuid | None
    replyTo: Uuid | None
    authorId: PersonId
    body: Markdown
    mentions: MentionIds
    reactions: Reactions
    createdAt: Instant
    updatedAt: Instant
    edits: list[CommentEdit]
    deletedAt: Instant | None
    deletedBy: PersonId | None


@with_config(VIEW_CONFIG)
class ThreadView(CommentView):
    """A comment that began a thread, with the number of its replies (tombstones count: they are listed too)."""

    replyCount: Integer


class AddComment(Command):
    """Says something about a task. The id may come from the client.

    `replyTo` names the comment of the same task that is answered; the answer joins that comment's thread. `@username`
    in the text mentions a member.
    """

    makes = "comment_id"

    comment_id: Uuid = absent()
    task_id: Uuid
    body: CommentBody
    reply_to: Uuid = absent()


class EditComment(Command):
    """Replaces the text; the old one stays readable. Authors edit their own, admins and owners any."""

    comment_id: Uuid
    body: CommentBody


class DeleteComment(Command):
    """Leaves a tombstone in the comment's place; replies stay. Authors delete their own, admins and owners any."""

    comment_id: Uuid


class RestoreComment(Command):
    """Brings a deleted comment back as it was. Authors restore what they deleted themselves, admins and owners any."""

    comment_id: Uuid


class CommentAdded(Event):
    """Its author is the entry's author. Version 1 knew neither threads nor mentions."""

    version = 2
    comment_id: Uuid
    task_id: Uuid
    thread_id: Uuid | None
    reply_to: Uuid | None
    body: Markdown
    mentions: MentionIds


class CommentEdited(Event):
    """`was` is the text before, `mentionsWere` whom it mentioned. Version 1 knew no mentions."""

    version = 2
    comment_id: Uuid
    body: Markdown
    was: Markdown
    mentions: MentionIds
    mentions_were: MentionIds


class CommentDeleted(Event):
    """Text, history, mentions and reactions are gone from the record. The log keeps them."""

    comment_id: Uuid


class CommentRestored(Event):
    """What the comment holds again."""

    comment_id: Uuid
    body: Markdown
    mentions: MentionIds
    reactions: Reactions
    edits: list[CommentEdit]


def comment_added_2(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 to 2: every comment began a thread and mentioned nobody."""
    return {**data, "threadId": None, "replyTo": None, "mentions": []}


def comment_edited_2(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 to 2: nobody was mentioned."""
    return {**data, "mentions": [], "mentionsWere": []}
