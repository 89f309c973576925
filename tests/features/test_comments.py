"""Comments: who says, who corrects, and what stays readable."""

from __future__ import annotations

import pytest

from actors.project.comments import list_comments, list_replies, view_comment
from actors.project.limits import ProjectLimits
from actors.runtime.actor import Decision, shown
from protocol.comments import (
    COMMENT_EDITS_MAX,
    AddComment,
    CommentAdded,
    CommentDeleted,
    CommentEdited,
    CommentRestored,
    DeleteComment,
    EditComment,
    RestoreComment,
)
from protocol.members import RemoveMember
from protocol.projects import EditProject
from protocol.reactions import AddReaction
from protocol.tasks import CreateTask, DeleteTask
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
    a_team,
    as_imported,
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
    assert added == CommentAdded(
        comment_id=COMMENT, task_id=TASK, thread_id=None, reply_to=None, body="One small step", mentions=[]
    )
    assert life.actor.answer([added]) == {"commentId": COMMENT}
    assert life.state.comments[COMMENT] == {
        "id": COMMENT,
        "taskId": TASK,
        "threadId": None,
        "replyTo": None,
        "authorId": COMMENTER.id,
        "body": "One small step",
        "mentions": [],
        "reactions": [],
        "createdAt": NOW,
        "updatedAt": NOW,
        "edits": [],
        "deletedAt": None,
        "deletedBy": None,
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
    assert edited == CommentEdited(
        comment_id=COMMENT, body="One giant leap", was="One small step", mentions=[], mentions_were=[]
    )
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


# --------------------------------------------------------------------------- threads

ANSWER, THANKS = uuid(0x302), uuid(0x303)


def a_thread() -> Life:
    """A comment, an answer to it, and an answer to that."""
    life = a_comment()
    life.given(
        (MEMBER, AddComment(comment_id=ANSWER, task_id=TASK, body="For a man", reply_to=COMMENT)),
        (COMMENTER, AddComment(comment_id=THANKS, task_id=TASK, body="Indeed", reply_to=ANSWER)),
    )
    return life


def test_a_reply_to_a_reply_joins_its_thread() -> None:
    comments = project_state(a_thread()).comments
    placed = [(comment["threadId"], comment["replyTo"]) for comment in comments.values()]
    assert placed == [(None, None), (COMMENT, COMMENT), (COMMENT, ANSWER)]


def test_a_task_shows_its_threads_and_a_thread_its_replies() -> None:
    life = a_thread()
    other = uuid(0x304)
    life.given((MEMBER, AddComment(comment_id=other, task_id=TASK, body="Something else")))
    state = project_state(life)
    threads = list_comments(state, VIEWER, TASK)
    assert isinstance(threads, list)
    assert [(thread["id"], thread["replyCount"]) for thread in threads] == [(COMMENT, 2), (other, 0)]
    assert list_comments(state, VIEWER, TASK, COMMENT) == [{**state.comments[other], "replyCount": 0}]
    assert list_replies(state, VIEWER, COMMENT, None, 1) == [state.comments[ANSWER]]
    assert list_replies(state, VIEWER, COMMENT, ANSWER, 1) == [state.comments[THANKS]]
    assert list_replies(state, VIEWER, other) == []
    assert view_comment(state, VIEWER, THANKS) == state.comments[THANKS]


def test_what_is_no_thread_has_no_replies() -> None:
    state = project_state(a_thread())
    assert refused(list_replies(state, VIEWER, ANSWER)) == NOT_FOUND
    assert refused(list_replies(state, VIEWER, uuid(1))) == NOT_FOUND
    assert refused(list_replies(state, VIEWER, COMMENT, COMMENT)) == NOT_FOUND
    assert refused(list_replies(state, STRANGER, COMMENT)) == NOT_FOUND
    assert refused(view_comment(state, STRANGER, COMMENT)) == NOT_FOUND
    assert refused(view_comment(state, VIEWER, uuid(1))) == NOT_FOUND
    assert refused(list_comments(state, VIEWER, TASK, ANSWER)) == NOT_FOUND


def test_a_reply_answers_a_comment_of_the_same_task() -> None:
    life = a_comment()
    life.given((MEMBER, CreateTask(task_id=OTHER_TASK, title="Come back")))
    across = AddComment(task_id=OTHER_TASK, body="x", reply_to=COMMENT)
    assert refused(life.decide(across, MEMBER)) == broken("reply_to_other_task")
    nothing = AddComment(task_id=TASK, body="x", reply_to=uuid(1))
    assert refused(life.decide(nothing, MEMBER)) == NOT_FOUND


# --------------------------------------------------------------------------- mentions


def test_who_is_no_member_takes_no_name_from_one() -> None:
    life = a_task()
    facts = {"mentionedIds": [[STRANGER.id, VIEWER.id], [VIEWER.id, OWNER.id]]}
    say = AddComment(comment_id=COMMENT, task_id=TASK, body="@viewer. @viewer")
    [added] = happened(life.send(say, COMMENTER, facts=facts))
    assert added.mentions == [VIEWER.id]


def test_members_whose_names_stand_in_a_text_are_mentioned() -> None:
    life = a_task()
    facts = {"mentionedIds": [[VIEWER.id], [STRANGER.id], [OWNER.id]]}
    say = AddComment(comment_id=COMMENT, task_id=TASK, body="@viewer @stranger @owner")
    [added] = happened(life.send(say, COMMENTER, facts=facts))
    assert added.mentions == [VIEWER.id, OWNER.id]
    edit = EditComment(comment_id=COMMENT, body="@member instead")
    [edited] = happened(life.send(edit, COMMENTER, facts={"mentionedIds": [[MEMBER.id]]}))
    assert (edited.mentions, edited.mentions_were) == ([MEMBER.id], [VIEWER.id, OWNER.id])
    assert life.state.comments[COMMENT]["mentions"] == [MEMBER.id]


def test_a_text_mentions_only_so_many() -> None:
    facts = {"tooManyMentions": True}
    life = a_comment()
    for command in (AddComment(task_id=TASK, body="x"), EditComment(comment_id=COMMENT, body="x")):
        assert refused(life.decide(command, COMMENTER, facts=facts)) == broken("mentions_limit")
        assert refused(life.decide(command, STRANGER, facts=facts)) == NOT_FOUND


@pytest.mark.parametrize("reply", [True, False])
def test_imported_comments_may_be_threads_and_mention_nobody(reply: bool) -> None:
    life = a_team()
    happened(life.send(CreateTask(task_id=TASK, title="Old"), OWNER, origin=as_imported()))
    say = AddComment(comment_id=COMMENT, task_id=TASK, body="@ada")
    happened(life.send(say, OWNER, origin=as_imported(), facts={}))
    again = AddComment(comment_id=ANSWER, task_id=TASK, body="yes", **({"reply_to": COMMENT} if reply else {}))
    [added] = happened(life.send(again, OWNER, origin=as_imported(), facts={}))
    assert (added.thread_id, added.mentions) == (COMMENT if reply else None, [])


# --------------------------------------------------------------------------- tombstones

DELETE, RESTORE = DeleteComment(comment_id=COMMENT), RestoreComment(comment_id=COMMENT)


def a_long_story() -> Life:
    """A thread whose first comment was edited, mentions somebody and was liked."""
    life = a_thread()
    edit = EditComment(comment_id=COMMENT, body="One giant leap, @owner")
    happened(life.send(edit, COMMENTER, facts={"mentionedIds": [[OWNER.id]]}))
    life.given((MEMBER, AddReaction(comment_id=COMMENT, emoji="👍")))
    return life


def test_a_deleted_comment_leaves_a_tombstone_and_its_replies() -> None:
    life = a_long_story()
    before = life.state.comments[COMMENT]
    assert happened(life.send(DELETE, COMMENTER, now=LATER)) == [CommentDeleted(comment_id=COMMENT)]
    assert life.state.comments[COMMENT] == {
        **before,
        "body": "",
        "mentions": [],
        "reactions": [],
        "edits": [],
        "updatedAt": LATER,
        "deletedAt": LATER,
        "deletedBy": COMMENTER.id,
    }
    state = project_state(life)
    assert list_comments(state, VIEWER, TASK) == [{**state.comments[COMMENT], "replyCount": 2}]
    assert list_replies(state, VIEWER, COMMENT) == [state.comments[ANSWER], state.comments[THANKS]]


def test_no_follower_is_sent_what_was_deleted_but_the_snapshot_keeps_it() -> None:
    life = a_long_story()
    life.given((COMMENTER, DELETE))
    for text in ("One giant leap", "One small step"):
        assert text in str(list(life.actor.parts(life.state)))
        assert text not in str(list(shown(life.actor.parts(life.state))))


def test_a_restored_comment_is_what_it_was() -> None:
    life = a_long_story()
    before = life.state.comments[COMMENT]
    life.given((COMMENTER, DELETE))
    [restored] = happened(life.send(RESTORE, COMMENTER, now=LATER))
    assert restored == CommentRestored(
        comment_id=COMMENT,
        body=before["body"],
        mentions=before["mentions"],
        reactions=before["reactions"],
        edits=before["edits"],
    )
    assert life.state.comments[COMMENT] == {**before, "updatedAt": LATER}
    assert life.state.deleted_comments == {}


def test_authors_delete_their_own_and_admins_any() -> None:
    for person in (OWNER, ADMIN, COMMENTER):
        assert len(happened(a_comment().decide(DELETE, person))) == 1
    for person in (MEMBER, VIEWER):
        assert refused(a_comment().decide(DELETE, person)) == FORBIDDEN
    assert refused(a_comment().decide(DELETE, STRANGER)) == NOT_FOUND


def test_authors_restore_what_they_deleted_themselves_and_admins_any() -> None:
    for deleter, restorers in ((COMMENTER, (COMMENTER, ADMIN, OWNER)), (ADMIN, (ADMIN, OWNER))):
        life = a_comment()
        life.given((deleter, DELETE))
        allowed = [
            p for p in (OWNER, ADMIN, MEMBER, COMMENTER, VIEWER) if isinstance(life.decide(RESTORE, p), Decision)
        ]
        assert set(allowed) == set(restorers)
        assert refused(life.decide(RESTORE, STRANGER)) == NOT_FOUND


def test_deleting_and_restoring_twice_changes_nothing() -> None:
    life = a_comment()
    assert happened(life.send(RESTORE, COMMENTER)) == []
    life.given((COMMENTER, DELETE))
    assert happened(life.send(DELETE, ADMIN)) == []
    assert life.state.comments[COMMENT]["deletedBy"] == COMMENTER.id
    for command in (DeleteComment(comment_id=uuid(1)), RestoreComment(comment_id=uuid(1))):
        assert refused(life.decide(command, COMMENTER)) == NOT_FOUND
        assert refused(life.decide(command, VIEWER)) == FORBIDDEN


def test_a_tombstone_takes_no_edit_but_its_thread_goes_on() -> None:
    life = a_comment()
    life.given((COMMENTER, DELETE))
    assert refused(life.decide(EditComment(comment_id=COMMENT, body="x"), COMMENTER)) == broken("comment_deleted")
    same = EditComment(comment_id=COMMENT, body="One small step")
    assert refused(life.decide(same, COMMENTER)) == broken("comment_deleted")
    [added] = happened(life.send(AddComment(task_id=TASK, body="What was it?", reply_to=COMMENT), MEMBER))
    assert added.thread_id == COMMENT
    assert refused(life.decide(AddComment(comment_id=COMMENT, task_id=TASK, body="x"), MEMBER)) == ALREADY_EXISTS


def test_an_archived_project_keeps_its_comments() -> None:
    life = a_comment()
    life.given((OWNER, EditProject(status="Archived")))
    assert refused(life.decide(DELETE, COMMENTER)) == broken("project_archived")
    life = a_comment()
    life.given((COMMENTER, DELETE), (OWNER, EditProject(status="Archived")))
    assert refused(life.decide(RESTORE, COMMENTER)) == broken("project_archived")


def test_nothing_is_said_about_a_deleted_task() -> None:
    life = a_comment()
    life.given((OWNER, DeleteTask(task_id=TASK)))
    for command in (
        AddComment(task_id=TASK, body="x"),
        EditComment(comment_id=COMMENT, body="x"),
        DELETE,
        AddReaction(comment_id=COMMENT, emoji="👍"),
    ):
        assert refused(life.decide(command, COMMENTER)) == broken("task_deleted")
        assert refused(life.decide(command, STRANGER)) == NOT_FOUND
