"""Comments on tasks: their messages and their record of state."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Markdown, PersonId, Uuid, absent
from protocol.event import Command, Event

COMMENT_EDITS_MAX = 100
"""A comment's whole edit history lies in the project's state, so it is bounded."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("a comment needs text")
    return text


CommentBody = Annotated[Markdown, AfterValidator(_not_blank)]


@with_config(VIEW_CONFIG)
class CommentEdit(TypedDict):
    """A text that a comment had before, and until when."""

    body: Markdown
    replacedAt: Instant
    replacedBy: PersonId


@with_config(VIEW_CONFIG)
class CommentView(TypedDict):
    """A comment with its edit history, oldest first."""

    id: Uuid
    taskId: Uuid
    authorId: PersonId
    body: Markdown
    createdAt: Instant
    updatedAt: Instant
    edits: list[CommentEdit]


class AddComment(Command):
    """Says something about a task. The id may come from the client."""

    comment_id: Uuid = absent()
    task_id: Uuid
    body: CommentBody


class EditComment(Command):
    """Replaces the text; the old one stays readable. Authors edit their own, admins and owners any."""

    comment_id: Uuid
    body: CommentBody


class CommentAdded(Event):
    """Its author is the entry's author."""

    comment_id: Uuid
    task_id: Uuid
    body: Markdown


class CommentEdited(Event):
    """`was` is the text before."""

    comment_id: Uuid
    body: Markdown
    was: Markdown
