"""Which fields an event sets, and that no event that replaces values was forgotten."""

from __future__ import annotations

from typing import Any, get_args

from actors.field_changes import newest_by_others
from actors.project.edited_fields import READERS, edited_by, member
from protocol.comments import EditComment
from protocol.custom_fields import FieldRemoved
from protocol.errors import ErrorCode, Rejection
from protocol.links import LinkRemoved
from protocol.members import ChangeMemberRole, MemberRemoved
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneDeleted
from protocol.projects import EditProject
from protocol.ranks import MoveTask, TasksReranked
from protocol.roles import RoleRemoved
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import (
    ADMIN,
    COMMENT,
    LATER,
    MEMBER,
    OTHER_TASK,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_task,
    happened,
)
from tests.features.test_comments import a_comment

SETS_NOTHING = {
    TasksReranked: "the order stays as it was",
    MemberRemoved: "the membership is gone: there is nothing to set",
    LinkRemoved: "the link is gone: there is nothing to set",
    MilestoneDeleted: "the milestone is gone: there is nothing to set",
    FieldRemoved: "the field is gone: there is nothing to set",
    RoleRemoved: "the role is gone: there is nothing to set",
}


def head(life: Life) -> int:
    return len(life.entries)


def conflict(outcome: Any) -> list[dict[str, Any]]:
    """The fields of a refusal over a base."""
    assert isinstance(outcome, Rejection), outcome
    assert (outcome.code, outcome.details["reason"]) == (ErrorCode.CONFLICT, "changed_since_base")
    fields: list[dict[str, Any]] = outcome.details["fields"]
    return fields


def test_every_event_that_replaces_values_is_read() -> None:
    replacing = {event for event in get_args(ProjectEvent) if "was" in event.model_fields}
    assert replacing == set(READERS) | set(SETS_NOTHING)


def test_the_refusal_shows_both_values_and_who_changed_it() -> None:
    life = a_task()
    base = head(life)
    life.given((ADMIN, EditTask(task_id=TASK, title="Land softly", priority="low")), now=LATER)
    edit = EditTask(task_id=TASK, title="Crash", priority="high", estimate=2.0, add_labels=["x"])
    fields = conflict(life.decide(edit, MEMBER, base=base))
    common = {"what": "task", "id": TASK, "seq": base + 1, "author": ADMIN.id, "at": LATER}
    assert fields == [
        {**common, "field": "title", "yours": "Crash", "current": "Land softly"},
        {**common, "field": "priority", "yours": "high", "current": "low"},
    ]
    happened(life.decide(edit, MEMBER, base=base + 1))
    happened(life.decide(edit, MEMBER))


def test_other_fields_sets_and_the_same_value_do_not_meet() -> None:
    life = a_task()
    base = head(life)
    life.given(
        (ADMIN, EditTask(task_id=TASK, title="Land softly", add_labels=["a"], add_assignees=[ADMIN.id])),
        (ADMIN, EditTask(task_id=TASK, remove_labels=["a"])),
        (ADMIN, CreateTask(task_id=OTHER_TASK, title="Return")),
        (ADMIN, EditTask(task_id=OTHER_TASK, estimate=1.0)),
    )
    edit = EditTask(task_id=TASK, title="Land softly", estimate=3.0, add_labels=["b"], remove_assignees=[ADMIN.id])
    happened(life.send(edit, MEMBER, base=base))
    task = life.state.tasks[TASK]
    assert (task["title"], task["estimate"], task["labels"], task["assigneeIds"]) == ("Land softly", 3.0, ["b"], [])


def test_a_base_is_judged_last_and_one_in_the_future_is_none() -> None:
    life = a_task()
    edit = EditTask(task_id=TASK, title="Crash")
    for stranger_or_viewer in (STRANGER, VIEWER):
        refused = life.decide(edit, stranger_or_viewer, base=99)
        assert refused == life.decide(edit, stranger_or_viewer)
    ahead = life.decide(edit, MEMBER, base=head(life) + 1)
    assert isinstance(ahead, Rejection)
    assert (ahead.code, ahead.details["reason"]) == (ErrorCode.INVALID, "base_in_future")
    happened(life.decide(edit, MEMBER, base=0))


def test_what_was_changed_and_changed_back_was_changed() -> None:
    life = a_task()
    base = head(life)
    life.given((ADMIN, EditTask(task_id=TASK, title="x")), (ADMIN, EditTask(task_id=TASK, title="Land on the moon")))
    [field] = conflict(life.decide(EditTask(task_id=TASK, title="Crash"), MEMBER, base=base))
    assert (field["current"], field["seq"]) == ("Land on the moon", base + 2)


def test_projects_comments_and_members_are_judged_too() -> None:
    life = a_comment()
    base = head(life)
    life.given(
        (ADMIN, EditProject(name="Artemis", description="again")),
        (ADMIN, EditComment(comment_id=COMMENT, body="One giant leap")),
        (OWNER, ChangeMemberRole(user_id=VIEWER.id, role="commenter")),
    )
    [name] = conflict(life.decide(EditProject(name="Gemini", status="OnHold"), OWNER, base=base))
    assert (name["what"], name["field"], name["yours"], name["current"]) == ("project", "name", "Gemini", "Artemis")
    [body] = conflict(life.decide(EditComment(comment_id=COMMENT, body="Oops"), OWNER, base=base))
    assert (body["what"], body["field"], body["current"]) == ("comment", "body", "One giant leap")
    [role] = conflict(life.decide(ChangeMemberRole(user_id=VIEWER.id, role="member"), OWNER, base=base))
    assert (role["what"], role["id"], role["field"], role["current"]) == ("member", VIEWER.id, "role", "commenter")


def test_long_texts_are_shortened_and_the_refusal_says_so() -> None:
    life = a_task()
    base = head(life)
    life.given((ADMIN, EditTask(task_id=TASK, description="a" * 50_000)))
    [field] = conflict(life.decide(EditTask(task_id=TASK, description="b" * 50_000), MEMBER, base=base))
    assert (field["yours"], field["current"], field["shortened"]) == ("b" * 1000, "a" * 1000, True)


def test_a_moved_card_meets_another_move_of_it_and_nothing_else() -> None:
    life = a_task()
    life.given((MEMBER, CreateTask(task_id=OTHER_TASK, title="Return")))
    base = head(life)
    life.given((ADMIN, MoveTask(task_id=TASK)), (ADMIN, MoveTask(task_id=OTHER_TASK)))
    [field] = conflict(life.decide(MoveTask(task_id=TASK), MEMBER, base=base))
    assert (field["field"], field["current"]) == ("rank", life.state.tasks[TASK]["rank"])
    happened(life.decide(EditTask(task_id=TASK, state_id="done"), MEMBER, base=base))
    happened(life.decide(MoveTask(task_id=TASK, state_id="done"), MEMBER, base=base))
    life.given((ADMIN, EditTask(task_id=TASK, state_id="todo")))
    [field] = conflict(life.decide(MoveTask(task_id=TASK, state_id="done"), MEMBER, base=base))
    assert (field["field"], field["yours"], field["current"]) == ("stateId", "done", "todo")


def test_events_of_other_kinds_set_nothing() -> None:
    [created] = happened(a_task().decide(CreateTask(title="x"), MEMBER))
    assert edited_by(created) is None


def test_it_is_known_for_everybody_what_others_changed_last() -> None:
    life = a_task()
    for number, person in enumerate((MEMBER, ADMIN, ADMIN, OWNER, OWNER)):
        life.given((person, EditTask(task_id=TASK, title=f"title {number}", add_labels=[f"label {number}"])))
    found = {
        person: newest_by_others(life.state.changes, f"task/{TASK}", "title", person.id)
        for person in (OWNER, ADMIN, MEMBER)
    }
    seqs = {person: change.seq for person, change in found.items() if change is not None}
    assert seqs == {OWNER: head(life) - 2, ADMIN: head(life), MEMBER: head(life)}
    assert newest_by_others(life.state.changes, f"task/{TASK}", "title", STRANGER.id) is not None
    assert newest_by_others(life.state.changes, f"task/{TASK}", "estimate", OWNER.id) is None
    label = newest_by_others(life.state.changes, f"task/{TASK}", member("labels", "label 0"), OWNER.id)
    assert label is not None
    assert label.author == MEMBER.id
