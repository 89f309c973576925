"""Time and authorship: live content never goes back, history keeps its own until the first live word."""

from __future__ import annotations

from typing import Any

import pytest

from actors.runtime.actor import Decision
from protocol.comments import AddComment, EditComment
from protocol.event import OPERATOR, Origin
from protocol.members import AddMember, ChangeMemberRole, RemoveMember
from protocol.projects import CreateProject, DeleteProject, EditProject, RestoreProject
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import (
    ADMIN,
    COMMENT,
    FORBIDDEN,
    LATER,
    LONG_AGO,
    MATZ,
    MEMBER,
    NOT_FOUND,
    NOW,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    a_task,
    a_team,
    as_imported,
    broken,
    refused,
)

OLD = CreateTask(task_id=TASK, title="Old")


def decided(outcome: Any) -> tuple[str, str, str | None]:
    assert isinstance(outcome, Decision), outcome
    return outcome.author, outcome.at, outcome.recorded_by


def test_live_work_is_its_authors_and_happens_now() -> None:
    assert decided(a_team().decide(OLD, MEMBER)) == (MEMBER.id, NOW, None)


def test_a_clock_that_goes_back_does_not_take_content_with_it() -> None:
    life = a_team()
    life.given((MEMBER, OLD), now=LATER)
    assert decided(life.send(EditTask(task_id=TASK, title="x"), MEMBER, now=NOW)) == (MEMBER.id, LATER, None)
    assert decided(life.send(RemoveMember(user_id=VIEWER.id), OWNER, now=NOW)) == (OWNER.id, NOW, None)
    assert life.actor.content_at(life.state) == LATER


@pytest.mark.parametrize("importer", [OWNER, ADMIN, OPERATOR])
def test_history_keeps_its_author_and_time_and_says_who_brought_it(importer: Any) -> None:
    life = a_team()
    imported: list[tuple[Any, str]] = [
        (EditProject(description="ruby"), "2015-06-01T00:00:00.000Z"),
        (OLD, "2015-06-02T00:00:00.000Z"),
        (AddComment(comment_id=COMMENT, task_id=TASK, body="x"), "2015-06-02T00:00:00.000Z"),
        (EditComment(comment_id=COMMENT, body="y"), "2015-06-03T00:00:00.000Z"),
        (EditTask(task_id=TASK, state_id="done"), "2015-06-04T00:00:00.000Z"),
    ]
    for command, at in imported:
        assert decided(life.send(command, importer, origin=as_imported(at))) == (MATZ, at, importer.id)
    task, comment = life.state.tasks[TASK], life.state.comments[COMMENT]
    assert (task["createdBy"], task["createdAt"]) == (MATZ, "2015-06-02T00:00:00.000Z")
    assert task["closedAt"] == "2015-06-04T00:00:00.000Z"
    assert (comment["authorId"], comment["createdAt"]) == (MATZ, "2015-06-02T00:00:00.000Z")
    assert comment["edits"][0]["replacedBy"] == MATZ
    assert life.state.project["updatedAt"] == NOW
    assert not life.state.live


def test_the_first_live_word_closes_the_door() -> None:
    life = a_team()
    life.send(OLD, OWNER, origin=as_imported())
    life.given((OWNER, RemoveMember(user_id=VIEWER.id)), (OWNER, EditProject(name="Apollo")))
    assert isinstance(life.decide(CreateTask(title="x"), OWNER, origin=as_imported(NOW)), Decision)
    life.given((MEMBER, AddComment(task_id=TASK, body="live")))
    outcome = life.decide(CreateTask(title="x"), OWNER, origin=as_imported(NOW))
    assert refused(outcome) == broken("import_closed")


def test_only_importers_bring_history() -> None:
    assert refused(a_team().decide(OLD, MEMBER, origin=as_imported())) == FORBIDDEN
    assert refused(a_team().decide(OLD, STRANGER, origin=as_imported())) == NOT_FOUND


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        (as_imported("2015-05-31T00:00:00.000Z"), "import_out_of_order"),
        (as_imported(LATER), "import_in_future"),
        (as_imported(author=MEMBER.id), "import_author"),
        (as_imported(author="system"), "import_author"),
    ],
)
def test_history_has_an_order_an_end_and_no_accounts(origin: Origin, reason: str) -> None:
    life = a_team()
    life.send(OLD, OWNER, origin=as_imported(LONG_AGO))
    assert refused(life.decide(CreateTask(title="x"), OWNER, origin=origin)) == broken(reason)


@pytest.mark.parametrize(
    "command",
    [
        DeleteProject(),
        AddMember(user_id=STRANGER.id, role="viewer"),
        ChangeMemberRole(user_id=VIEWER.id, role="member"),
        RemoveMember(user_id=VIEWER.id),
    ],
)
def test_what_is_no_content_cannot_be_imported(command: Any) -> None:
    assert refused(a_team().decide(command, OWNER, origin=as_imported())) == broken("not_importable")


def test_neither_creation_nor_restoration_can_be_imported() -> None:
    life = a_team()
    life.given((OWNER, DeleteProject()))
    assert refused(life.decide(RestoreProject(), OWNER, origin=as_imported())) == broken("not_importable")
    empty = a_team()
    empty.state = empty.actor.initial(empty.stream)
    outcome = empty.decide(CreateProject(name="x"), OWNER, origin=as_imported())
    assert refused(outcome) == broken("not_importable")


def test_an_unknown_author_is_history_too() -> None:
    life = a_team()
    assert decided(life.send(OLD, OWNER, origin=as_imported(author="unknown")))[0] == "unknown"
    assert not life.state.live


def test_live_work_that_changes_nothing_leaves_the_door_open() -> None:
    life = a_team()
    life.given((OWNER, EditProject(name="Apollo")))
    assert isinstance(life.decide(OLD, OWNER, origin=as_imported()), Decision)
    assert a_task().state.live
