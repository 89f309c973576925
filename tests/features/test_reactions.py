"""Reactions: one emoji of each kind per person."""

from __future__ import annotations

import pytest

from actors.project.limits import ProjectLimits
from protocol.comments import AddComment, DeleteComment
from protocol.event import Principal
from protocol.projects import EditProject
from protocol.reactions import AddReaction, ReactionAdded, ReactionRemoved, RemoveReaction
from tests.actors.given import (
    COMMENT,
    COMMENTER,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
    NOW,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_task,
    broken,
    happened,
    refused,
    uuid,
)


def a_comment(limits: ProjectLimits | None = None) -> Life:
    life = a_task(limits)
    life.given((COMMENTER, AddComment(comment_id=COMMENT, task_id=TASK, body="One small step")))
    return life


def react(emoji: str) -> AddReaction:
    return AddReaction(comment_id=COMMENT, emoji=emoji)


def unreact(emoji: str) -> RemoveReaction:
    return RemoveReaction(comment_id=COMMENT, emoji=emoji)


def reactions(life: Life) -> list[tuple[str, list[str]]]:
    return [(one["emoji"], one["userIds"]) for one in life.state.comments[COMMENT]["reactions"]]


def test_people_gather_under_an_emoji_in_their_order() -> None:
    life = a_comment()
    assert happened(life.send(react("🚀"), MEMBER, now=LATER)) == [ReactionAdded(comment_id=COMMENT, emoji="🚀")]
    life.given((OWNER, react("👍")), (COMMENTER, react("🚀")))
    assert reactions(life) == [("🚀", [MEMBER.id, COMMENTER.id]), ("👍", [OWNER.id])]
    assert life.state.comments[COMMENT]["updatedAt"] == NOW, "a reaction is no edit"


def test_a_reaction_is_taken_back_by_who_gave_it() -> None:
    life = a_comment()
    life.given((MEMBER, react("🚀")), (OWNER, react("🚀")), (OWNER, react("👍")))
    assert happened(life.send(unreact("🚀"), OWNER)) == [ReactionRemoved(comment_id=COMMENT, emoji="🚀")]
    assert reactions(life) == [("🚀", [MEMBER.id]), ("👍", [OWNER.id])]
    life.given((MEMBER, unreact("🚀")))
    assert reactions(life) == [("👍", [OWNER.id])]


def test_once_more_changes_nothing() -> None:
    life = a_comment()
    assert happened(life.send(unreact("🚀"), MEMBER)) == []
    life.given((MEMBER, react("🚀")))
    assert happened(life.send(react("🚀"), MEMBER)) == []
    assert happened(life.send(unreact("🚀"), OWNER)) == []
    assert happened(life.send(unreact("👍"), MEMBER)) == []


def test_the_two_spellings_of_an_emoji_are_one() -> None:
    life = a_comment()
    life.given((MEMBER, react("❤")))
    assert happened(life.send(react("❤\ufe0f"), MEMBER)) == []
    assert happened(life.send(react("❤\ufe0f"), OWNER)) == [ReactionAdded(comment_id=COMMENT, emoji="❤")]
    assert happened(life.send(unreact("❤\ufe0f"), MEMBER)) == [ReactionRemoved(comment_id=COMMENT, emoji="❤")]
    assert reactions(life) == [("❤", [OWNER.id])]


@pytest.mark.parametrize("command", [react("🚀"), unreact("🚀")])
def test_commenters_react_and_viewers_look(command: AddReaction | RemoveReaction) -> None:
    assert not isinstance(happened(a_comment().decide(command, COMMENTER)), str)
    assert refused(a_comment().decide(command, VIEWER)) == FORBIDDEN
    assert refused(a_comment().decide(command, STRANGER)) == NOT_FOUND
    elsewhere = command.model_copy(update={"comment_id": uuid(1)})
    assert refused(a_comment().decide(elsewhere, COMMENTER)) == NOT_FOUND


def test_reactions_end_with_their_comment_and_their_project() -> None:
    life = a_comment()
    life.given((MEMBER, react("🚀")), (OWNER, EditProject(status="Archived")))
    assert refused(life.decide(react("👍"), MEMBER)) == broken("project_archived")
    assert refused(life.decide(unreact("🚀"), MEMBER)) == broken("project_archived")
    life.given((OWNER, EditProject(status="Active")), (OWNER, DeleteComment(comment_id=COMMENT)))
    assert refused(life.decide(react("👍"), MEMBER)) == broken("comment_deleted")
    assert refused(life.decide(unreact("🚀"), MEMBER)) == broken("comment_deleted")


def test_there_is_room_for_so_many_emoji_and_so_many_reactions() -> None:
    life = a_comment(ProjectLimits(emoji_per_comment_max=1))
    life.given((MEMBER, react("🚀")))
    assert refused(life.decide(react("👍"), OWNER)) == broken("emoji_limit")
    assert len(happened(life.decide(react("🚀"), OWNER))) == 1
    life = a_comment(ProjectLimits(reactions_per_comment_max=1))
    life.given((MEMBER, react("🚀")))
    for person in (OWNER, Principal("system", "admin")):
        assert refused(life.decide(react("🚀"), person)) == broken("reactions_limit")
    assert happened(life.decide(react("🚀"), MEMBER)) == []
