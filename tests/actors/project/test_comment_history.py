"""The history of a comment's edits is bounded, and no edit is so late that it cannot be taken back."""

from __future__ import annotations

import pytest

from actors.project.comment_history import UNDO
from actors.project.limits import ProjectLimits
from actors.runtime.actor import Decision
from protocol.base import MARKDOWN_CHARACTERS_MAX
from protocol.comments import COMMENT_EDITS_MAX, AddComment, CommentEdited, DeleteComment, EditComment
from protocol.tasks import EditTask
from protocol.timetravel import RestoreProjectTo
from tests.actors.given import COMMENT, MEMBER, OWNER, TASK, Life, a_task, broken, happened, refused
from tests.actors.undoing import newest, redo, restore, undo

FULL = broken("comment_edits_limit")
SHORT = ProjectLimits(comment_history_characters_max=10)
LONG = MARKDOWN_CHARACTERS_MAX


def edited(times: int, length: int = 0, limits: ProjectLimits | None = None) -> tuple[Life, list[int]]:
    """A comment that was edited so often, or until it could not be any more, and the entries that did it."""
    life, entries = a_task(limits), []
    life.given((MEMBER, AddComment(comment_id=COMMENT, task_id=TASK, body="said")))
    for number in range(times):
        if not isinstance(
            life.send(EditComment(comment_id=COMMENT, body=str(number).ljust(length, "-")), MEMBER), Decision
        ):
            break
        entries.append(newest(life))
    return life, entries


def body(life: Life) -> str:
    text: str = life.state.comments[COMMENT]["body"]
    return text


@pytest.mark.parametrize(
    ("length", "limits", "edits"),
    [(0, None, COMMENT_EDITS_MAX), (LONG, None, 10), (LONG, SHORT, 1)],
)
def test_all_the_edits_that_may_be_are_taken_back_and_the_last_comes_again(
    length: int, limits: ProjectLimits | None, edits: int
) -> None:
    life, entries = edited(COMMENT_EDITS_MAX + 1, length, limits)
    assert len(entries) == edits, "then it is full"
    last = body(life)
    happened(undo(life, entries[-1], MEMBER))
    happened(redo(life, entries[-1], MEMBER))
    assert body(life) == last
    for entry in reversed(entries):
        happened(undo(life, entry, MEMBER))
    assert body(life) == "said"
    assert refused(life.decide(EditComment(comment_id=COMMENT, body="x"), MEMBER)) == FULL


@pytest.mark.parametrize(("length", "edits"), [(0, COMMENT_EDITS_MAX), (LONG, 10)])
def test_only_doing_it_again_without_end_has_an_end_and_leaves_what_stands_undoable(length: int, edits: int) -> None:
    life, entries = edited(edits, length)
    happened(undo(life, entries[-1], MEMBER))
    while isinstance(again := redo(life, entries[-1], MEMBER), Decision):
        happened(undo(life, entries[-1], MEMBER))
    assert refused(again) == FULL
    for entry in reversed(entries[:-1]):
        happened(undo(life, entry, MEMBER))
    assert body(life) == "said"
    assert len(life.state.comments[COMMENT]["edits"]) <= UNDO * COMMENT_EDITS_MAX
    history = life.state.comments[COMMENT]
    life.given((MEMBER, DeleteComment(comment_id=COMMENT)))
    happened(undo(life, newest(life), MEMBER))
    assert life.state.comments[COMMENT]["edits"] == history["edits"], "and all of it fits into an entry"


def test_a_project_is_brought_back_and_forth_with_a_comment_that_is_full_by_that() -> None:
    life, entries = edited(COMMENT_EDITS_MAX - 1)
    life.given((OWNER, EditTask(task_id=TASK, title="now")))
    events = happened(restore(life, RestoreProjectTo(as_of=entries[0] - 1), OWNER))
    assert any(isinstance(event, CommentEdited) for event in events)
    meant = newest(life)
    for _ in range(2):
        happened(undo(life, meant, OWNER))
        assert (body(life), life.state.tasks[TASK]["title"]) == (str(COMMENT_EDITS_MAX - 2), "now")
        happened(redo(life, meant, OWNER))
        assert body(life) == "said"
