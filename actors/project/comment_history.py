"""How long the history of a comment's edits may become. All of it lies in the project's state.

An undo is an edit too, and is in the history like any other. Edits, and ways back to a point of the past, end at the
limits; a redo goes up to twice, and an undo up to three times as far. So an undo always has its room: what stands to be
undone are edits below the limits, each of them once, and redone they are below twice the limits. Only redoing has an
end that people can reach. That of an undo is for a comment whose undoings a project has forgotten again and again.
"""

from __future__ import annotations

from typing import Final

from actors.project.limits import ProjectLimits
from protocol.base import MARKDOWN_CHARACTERS_MAX
from protocol.comments import COMMENT_EDITS_MAX, CommentView

EDIT: Final = 1
REDO: Final = 2
UNDO: Final = 3
"""How many times the limits hold for what is about to edit a comment."""


def history_is_full(comment: CommentView, limits: ProjectLimits, times: int = EDIT) -> bool:
    """Whether it cannot be edited once more. A text may be longer than an operator lets a history be."""
    characters = sum(len(edit["body"]) for edit in comment["edits"]) + len(comment["body"])
    characters_max = times * limits.comment_history_characters_max + (times - EDIT) * MARKDOWN_CHARACTERS_MAX
    return len(comment["edits"]) >= times * COMMENT_EDITS_MAX or characters > characters_max
