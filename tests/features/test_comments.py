"""Comments: who says, who corrects, and what stays readable."""

from __future__ import annotations

from actors.project.comments import list_comments
from actors.project.limits import ProjectLimits
from protocol.comments import COMMENT_EDITS_MAX, AddComment, CommentAdded, CommentEdited, EditComment
from protocol.members import RemoveMember
from protocol.projects import EditProject
from tests.actors.given import (
    ADMIN,
    ALREADY_EXISTS,
    COMMENT,
    COMMENTER,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
    NOW,
    OTHER_TASK,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_task,
    broken,
    happened,
    project_state,
    refused,
    uuid,
)


def a_comment(limits: ProjectLimits | None = None) -> Life:
    life = a_task(limits)
    life.given((COMMENTER, AddComment(comment_id=COMMENT, task_id=TASK, body="One small step")))
    return life


def test_a_comment_belongs_to_who_said_it() -> None:
    life = a_task()
    say = AddComment(comment_id=COMMENT, task_id=TASK, body="One small step")
    [added] = happened(life.send(say, COMMENTER))
    assert added == CommentAdded(comment_id=COMMENT, task_id=TASK, body="One small step")
    assert life.actor.answer([added]) == {"commentId": COMMENT}
    assert life.state.comments[COMMENT] == {
        "id": COMMENT,
        "taskId": TASK,
        "authorId": COMMENTER.id,
        "body": "One small step",
        "createdAt": NOW,
        "updatedAt": NOW,
        "edits": [],
    }


def test_who_may_only_look_says_nothing() -> None:
    say = AddComment(task_id=TASK, body="x")
    assert refused(a_task().decide(say, VIEWER)) == FORBIDDEN
    assert refused(a_task().decide(say, STRANGER)) == NOT_FOUND


def test_a_comment_needs_a_task_and_an_id_of_its_own() -> None:
    life = a_comment()
    assert refused(life.decide(AddComment(task_id=OTHER_TASK, body="x"), MEMBER)) == NOT_FOUND
    again = AddComment(comment_id=COMMENT, task_id=TASK, body="x")
    assert refused(life.decide(again, MEMBER)) == ALREADY_EXISTS


def test_an_edit_keeps_the_old_text_readable() -> None:
    life = a_comment()
    [edited] = happened(life.send(EditComment(comment_id=COMMENT, body="One giant leap"), COMMENTER, now=LATER))
    assert edited == CommentEdited(comment_id=COMMENT, body="One giant leap", was="One small step")
    comment = life.state.comments[COMMENT]
    assert (comment["body"], comment["createdAt"], comment["updatedAt"]) == ("One giant leap", NOW, LATER)
    assert comment["edits"] == [{"body": "One small step", "replacedAt": LATER, "replacedBy": COMMENTER.id}]


def test_authors_edit_their_own_and_admins_any() -> None:
    edit = EditComment(comment_id=COMMENT, body="Corrected")
    for person in (OWNER, ADMIN, COMMENTER):
        assert len(happened(a_comment().decide(edit, person))) == 1
    for person in (MEMBER, VIEWER):
        assert refused(a_comment().decide(edit, person)) == FORBIDDEN
    assert refused(a_comment().decide(edit, STRANGER)) == NOT_FOUND


def test_what_is_not_there_is_not_found_and_the_same_text_is_no_edit() -> None:
    life = a_comment()
    assert refused(life.decide(EditComment(comment_id=uuid(1), body="x"), COMMENTER)) == NOT_FOUND
    assert happened(life.decide(EditComment(comment_id=COMMENT, body="One small step"), COMMENTER)) == []


def test_the_words_of_a_removed_member_stay_theirs_but_out_of_their_reach() -> None:
    life = a_comment()
    life.given((OWNER, RemoveMember(user_id=COMMENTER.id)))
    assert life.state.comments[COMMENT]["authorId"] == COMMENTER.id
    assert refused(life.decide(EditComment(comment_id=COMMENT, body="x"), COMMENTER)) == NOT_FOUND


def test_a_history_of_edits_is_bounded() -> None:
    life = a_comment()
    for number in range(COMMENT_EDITS_MAX):
        life.given((COMMENTER, EditComment(comment_id=COMMENT, body=f"Take {number}")))
    last = EditComment(comment_id=COMMENT, body="Once more")
    assert refused(life.decide(last, COMMENTER)) == broken("comment_edits_limit")
    long = a_comment(ProjectLimits(comment_history_characters_max=10))
    assert refused(long.decide(last, COMMENTER)) == broken("comment_edits_limit")


def test_comments_of_a_project_are_bounded_and_archived_with_it() -> None:
    full = a_comment(ProjectLimits(comments_max=1))
    assert refused(full.decide(AddComment(task_id=TASK, body="x"), MEMBER)) == broken("comments_limit")
    life = a_comment()
    life.given((OWNER, EditProject(status="Archived")))
    assert refused(life.decide(AddComment(task_id=TASK, body="x"), MEMBER)) == broken("project_archived")
    edit = EditComment(comment_id=COMMENT, body="x")
    assert refused(life.decide(edit, COMMENTER)) == broken("project_archived")


def test_comments_are_listed_in_their_order() -> None:
    life = a_task()
    ids = [uuid(0x700 - number) for number in range(5)]
    life.given(*((MEMBER, AddComment(comment_id=i, task_id=TASK, body="x")) for i in ids))
    state = project_state(life)
    first = list_comments(state, VIEWER, TASK, None, 3)
    second = list_comments(state, VIEWER, TASK, ids[2], 3)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert [comment["id"] for comment in first + second] == ids
    assert refused(list_comments(state, VIEWER, OTHER_TASK)) == NOT_FOUND
    assert refused(list_comments(state, VIEWER, TASK, uuid(1))) == NOT_FOUND
    assert refused(list_comments(state, STRANGER, TASK)) == NOT_FOUND
