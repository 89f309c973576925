"""The way back to a point of the past: for a task, and for everything that a project holds."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project import rewinding
from actors.project.limits import ProjectLimits
from protocol.comments import AddComment, DeleteComment, EditComment, RestoreComment
from protocol.custom_fields import DefineField, EditField, RemoveField
from protocol.errors import ErrorCode
from protocol.event import Command, Principal
from protocol.links import AddLink, RemoveLink
from protocol.members import AddMember, ChangeMemberRole, RemoveMember
from protocol.milestones import CreateMilestone, DeleteMilestone, EditMilestone
from protocol.projects import DEFAULT_STATES, ArchiveProject, EditProject, UnarchiveProject, WorkflowState
from protocol.ranks import MoveTask
from protocol.reactions import AddReaction
from protocol.roles import DefineRole
from protocol.tasks import CreateTask, DeleteTask, EditTask
from protocol.timetravel import ProjectRestoredTo, RestoreProjectTo, RestoreTaskTo, TaskRestoredTo
from protocol.watchers import WatchTask
from tests.actors.given import (
    ADMIN,
    COMMENT,
    COMMENTER,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
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
    events_of,
    happened,
    refused,
    uuid,
)
from tests.actors.undoing import facts_of, newest, restore, seen, undo

MILESTONE, FIELD, LINK, OTHER_COMMENT, NEW_TASK, ROLE = (uuid(0x900 + number) for number in range(6))
LAST = "2026-03-03T12:00:00.000Z"
REVIEW: WorkflowState = {"id": "review", "name": "Review", "group": "started", "waiting": True}


def a_busy_project() -> Life:
    """Two tasks with all that can hang on them."""
    life = a_task()
    life.given(
        (OWNER, DefineField(field_id=FIELD, name="Notes", type="text")),
        (OWNER, CreateMilestone(milestone_id=MILESTONE, name="One")),
        (MEMBER, CreateTask(task_id=OTHER_TASK, title="other", labels=["a", "b"], parent_id=TASK)),
        (MEMBER, EditTask(task_id=TASK, milestone_id=MILESTONE, fields={FIELD: "words"}, add_assignees=[MEMBER.id])),
        (MEMBER, AddLink(link_id=LINK, type="relates", task_id=TASK, other_id=OTHER_TASK)),
        (MEMBER, AddComment(comment_id=COMMENT, task_id=TASK, body="said")),
        (MEMBER, AddComment(comment_id=OTHER_COMMENT, task_id=TASK, body="said too")),
    )
    return life


def much_happens(life: Life) -> None:
    """Everything is changed by somebody else."""
    life.given(
        (ADMIN, EditProject(name="Gemini", states=[*DEFAULT_STATES, REVIEW], status="OnHold")),
        (ADMIN, EditTask(task_id=TASK, title="changed", state_id="review", remove_assignees=[MEMBER.id])),
        (ADMIN, EditTask(task_id=OTHER_TASK, parent_id=None, remove_labels=["a"], add_labels=["c"])),
        (ADMIN, EditMilestone(milestone_id=MILESTONE, status="Closed")),
        (ADMIN, DeleteMilestone(milestone_id=MILESTONE)),
        (ADMIN, CreateMilestone(name="one")),
        (ADMIN, RemoveField(field_id=FIELD)),
        (ADMIN, DefineField(name="notes", type="number")),
        (ADMIN, RemoveLink(link_id=LINK)),
        (ADMIN, EditComment(comment_id=COMMENT, body="corrected")),
        (ADMIN, AddReaction(comment_id=COMMENT, emoji="👍")),
        (ADMIN, DeleteComment(comment_id=OTHER_COMMENT)),
        (ADMIN, AddComment(task_id=OTHER_TASK, body="new")),
        (ADMIN, CreateTask(task_id=NEW_TASK, title="new", state_id="review")),
        (ADMIN, AddLink(type="blocks", task_id=NEW_TASK, other_id=TASK)),
        (ADMIN, WatchTask(task_id=TASK)),
        (ADMIN, DeleteTask(task_id=OTHER_TASK)),
        now=LATER,
    )


def test_a_project_is_what_it_was() -> None:
    life = a_busy_project()
    point, then = newest(life), seen(life)
    much_happens(life)
    before = seen(life)
    marker, *changes = happened(restore(life, RestoreProjectTo(as_of=point), OWNER, LAST))
    assert marker == ProjectRestoredTo(seq=point, remaining=0)
    assert changes
    now = seen(life)
    new_task, new_comment = now["tasks"].pop(NEW_TASK), now["comments"].popitem()[1]
    assert (new_task["deletedAt"], new_comment["deletedAt"]) == (True, True)
    assert now["tasks"][TASK].pop("watcherIds") == [ADMIN.id], "who watches does so"
    assert now["comments"][COMMENT].pop("reactions") == [("👍", [ADMIN.id])], "reactions are people's own"
    del then["tasks"][TASK]["watcherIds"], then["comments"][COMMENT]["reactions"]
    assert now == then, "with its states: the new task's tombstone does not hold the new one"
    assert life.state.order.path(TASK, OTHER_TASK) == []
    happened(undo(life, newest(life), OWNER, LAST))
    assert seen(life) == before
    assert life.replayed() == life.state


def test_a_state_of_then_comes_back_as_it_closed_tasks_then_whatever_tombstones_stand_in_it() -> None:
    life = a_task()
    point = newest(life)
    closing: list[WorkflowState] = [
        {**state, "group": "cancelled"} if state["id"] == "todo" else state for state in DEFAULT_STATES
    ]
    life.given(
        (OWNER, EditProject(states=[*closing, REVIEW])),
        (MEMBER, CreateTask(task_id=NEW_TASK, title="new", state_id="review")),
        (MEMBER, CreateTask(task_id=OTHER_TASK, title="closed", state_id="todo")),
    )
    before = seen(life)
    [marker, *_] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert marker == ProjectRestoredTo(seq=point, remaining=0)
    assert life.state.project is not None
    assert life.state.project["states"] == list(DEFAULT_STATES)
    happened(undo(life, newest(life), OWNER))
    assert seen(life) == before
    assert life.replayed() == life.state


def test_a_tombstone_whose_state_is_gone_comes_back_to_what_it_was_but_for_that() -> None:
    life = a_task()
    life.given(
        (OWNER, EditProject(states=[*DEFAULT_STATES, REVIEW])), (MEMBER, EditTask(task_id=TASK, state_id="review"))
    )
    point = newest(life)
    life.given((MEMBER, DeleteTask(task_id=TASK)), (OWNER, EditProject(states=list(DEFAULT_STATES))))
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), MEMBER))
    assert marker == TaskRestoredTo(task_id=TASK, seq=point, left=["stateId"])
    assert (life.state.tasks[TASK]["stateId"], life.state.tasks[TASK]["deletedAt"]) == ("backlog", None)
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert life.state.tasks[TASK]["stateId"] == "review"
    assert life.replayed() == life.state


def test_a_state_that_would_close_tasks_behind_their_backs_stays_and_is_named() -> None:
    life = a_task()
    closing: list[WorkflowState] = [
        {**state, "group": "cancelled"} if state["id"] == "backlog" else state for state in DEFAULT_STATES
    ]
    point = newest(life)
    life.given(
        (MEMBER, EditTask(task_id=TASK, state_id="todo")),
        (OWNER, EditProject(states=closing)),
        (MEMBER, EditTask(task_id=TASK, state_id="backlog")),
    )
    [marker, *_] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert marker == ProjectRestoredTo(seq=point, remaining=0, left=["states"])
    life.given((MEMBER, EditTask(task_id=TASK, state_id="todo")))
    [marker, *_] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert marker == ProjectRestoredTo(seq=point, remaining=0)
    assert life.state.project is not None
    assert life.state.project["states"] == list(DEFAULT_STATES)


def test_a_restoration_that_changes_nothing_says_that_it_is_there() -> None:
    life = a_busy_project()
    [marker] = happened(restore(life, RestoreProjectTo(as_of=newest(life)), OWNER))
    assert marker == ProjectRestoredTo(seq=newest(life) - 1, remaining=0)


def test_a_time_means_the_last_content_that_is_not_later() -> None:
    life = a_task()
    point = newest(life)
    life.given((MEMBER, EditTask(task_id=TASK, title="later")), now=LATER)
    [marker, _] = happened(restore(life, RestoreProjectTo(as_of="2026-03-02T00:00:00Z"), OWNER, LATER))
    assert marker.seq == point
    assert life.state.tasks[TASK]["title"] == "Land on the moon"


def test_members_roles_and_visibility_stay() -> None:
    life = a_busy_project()
    point = newest(life)
    life.given(
        (OWNER, RemoveMember(user_id=MEMBER.id)),
        (OWNER, AddMember(user_id=STRANGER.id, role="admin")),
        (OWNER, EditProject(visibility="public")),
        (ADMIN, EditTask(task_id=TASK, title="changed", remove_assignees=[MEMBER.id])),
    )
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert (STRANGER.id in life.state.members, MEMBER.id in life.state.members) == (True, False)
    assert life.state.project["visibility"] == "public"
    assert life.state.tasks[TASK]["assigneeIds"] == [], "who has left is not assigned again"
    [marker, *_] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert marker.left == ["assigneeIds"]
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), OWNER))
    assert marker.left == ["assigneeIds"]


def test_a_project_that_was_archived_is_not_archived_again_and_says_so() -> None:
    life = a_task()
    life.given((OWNER, EditTask(task_id=TASK, title="then")), (OWNER, ArchiveProject()))
    point = newest(life)
    life.given((OWNER, UnarchiveProject(status="OnHold")), (OWNER, EditTask(task_id=TASK, title="now")))
    [marker, *_] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert marker == ProjectRestoredTo(seq=point, remaining=0, left=["status"])
    assert (life.state.project["status"], life.state.tasks[TASK]["title"]) == ("OnHold", "then")
    happened(undo(life, newest(life), OWNER))
    [marker, *_] = happened(restore(life, RestoreProjectTo(as_of=point - 1), OWNER))
    assert (marker.left, life.state.project["status"]) == ([], "Active")


def test_a_comment_that_was_edited_as_often_as_may_be_stays_and_is_named() -> None:
    life = a_team(ProjectLimits(comment_history_characters_max=10))
    life.given(
        (MEMBER, CreateTask(task_id=TASK, title="t")),
        (MEMBER, AddComment(comment_id=COMMENT, task_id=TASK, body="said")),
    )
    point = newest(life)
    life.given((MEMBER, EditComment(comment_id=COMMENT, body="a long text")))
    [marker] = happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert marker.left == [COMMENT]
    assert life.state.comments[COMMENT]["body"] == "a long text"


def test_nobody_brings_back_what_a_moderator_deleted_who_could_not_restore_the_comment() -> None:
    life = a_task()
    kept = ["project.edit", "task.edit", "comment.add", "comment.edit_own", "comment.delete_own"]
    life.given(
        (OWNER, DefineRole(role_id=ROLE, name="Editor", permissions=kept)),
        (OWNER, ChangeMemberRole(user_id=MEMBER.id, role=ROLE)),
        (MEMBER, AddComment(comment_id=COMMENT, task_id=TASK, body="said")),
    )
    point = newest(life)
    life.given((MEMBER, DeleteComment(comment_id=COMMENT)))
    happened(restore(life, RestoreProjectTo(as_of=point), MEMBER))
    assert life.state.comments[COMMENT]["body"] == "said", "what its author deleted comes back"
    life.given((OWNER, DeleteComment(comment_id=COMMENT)))
    outcome = restore(life, RestoreProjectTo(as_of=point), MEMBER)
    assert outcome == life.send(RestoreComment(comment_id=COMMENT), MEMBER)
    assert refused(outcome) == FORBIDDEN
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))


def test_others_later_changes_stand_in_the_way_of_its_undo() -> None:
    life = a_busy_project()
    point = newest(life)
    much_happens(life)
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER, LAST))
    meant = newest(life)
    life.given((MEMBER, EditTask(task_id=TASK, title="worked on")), now=LAST)
    assert refused(undo(life, meant, OWNER, LAST)) == (ErrorCode.CONFLICT, "changed_by_others")


def test_names_that_changed_hands_change_them_again_and_back() -> None:
    life = a_team()
    milestones, fields = [uuid(0x900), uuid(0x901)], [uuid(0x902), uuid(0x903)]
    for number, name in enumerate(("One", "Two")):
        life.given((OWNER, CreateMilestone(milestone_id=milestones[number], name=name)))
        life.given((OWNER, DefineField(field_id=fields[number], name=name, type="text")))
    point = newest(life)
    for turn, name in ((0, "Three"), (1, "One"), (0, "Two")):
        life.given((OWNER, EditMilestone(milestone_id=milestones[turn], name=name)))
        life.given((OWNER, EditField(field_id=fields[turn], name=name)))
    before = seen(life)
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert [life.state.fields[one]["name"] for one in fields] == ["One", "Two"]
    happened(undo(life, newest(life), OWNER))
    assert seen(life) == before


def test_more_than_an_entry_holds_comes_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewinding, "EVENTS_MAX", 2)
    life = a_busy_project()
    point = newest(life)
    much_happens(life)
    before, taken, remaining = seen(life), [], [99]
    while remaining[-1]:
        marker, *changes = happened(restore(life, RestoreProjectTo(as_of=point), OWNER, LAST))
        assert life.actor.answer([marker, *changes]) == {"seq": point, "remaining": marker.remaining, "left": []}
        remaining.append(marker.remaining)
        taken.append(newest(life))
    assert len(taken) > 4
    assert (life.state.tasks[TASK]["title"], life.state.links.keys()) == ("Land on the moon", {LINK})
    for seq in reversed(taken):
        if len(events_of(life.entries[seq - 1])) > 1:
            happened(undo(life, seq, OWNER, LAST))
    assert seen(life) == before


# --------------------------------------------------------------------------- one task


def test_a_task_is_what_it_was_and_what_was_said_stays() -> None:
    life = a_busy_project()
    point, then = newest(life), seen(life)
    life.given(
        (ADMIN, EditTask(task_id=TASK, title="changed", state_id="done", remove_assignees=[MEMBER.id])),
        (ADMIN, EditTask(task_id=TASK, fields={FIELD: None}, milestone_id=None, add_labels=["new"])),
        (ADMIN, RemoveLink(link_id=LINK)),
        (ADMIN, AddLink(type="duplicates", task_id=TASK, other_id=OTHER_TASK)),
        (ADMIN, AddComment(task_id=TASK, body="new")),
        (ADMIN, EditTask(task_id=OTHER_TASK, title="another's")),
        (ADMIN, DeleteTask(task_id=TASK)),
    )
    before = seen(life)
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), MEMBER, LAST))
    assert marker == TaskRestoredTo(task_id=TASK, seq=point, left=[])
    now = seen(life)
    assert (now["tasks"][TASK], now["links"]) == (then["tasks"][TASK], then["links"])
    assert (len(now["comments"]), now["tasks"][OTHER_TASK]["title"]) == (3, "another's")
    happened(undo(life, newest(life), MEMBER, LAST))
    assert seen(life) == before


def test_what_cannot_be_had_any_more_is_named() -> None:
    life = a_busy_project()
    life.given((OWNER, EditTask(task_id=TASK, state_id="in-progress")))
    point = newest(life)
    life.given(
        (OWNER, EditTask(task_id=TASK, title="changed", state_id="todo")),
        (OWNER, EditTask(task_id=OTHER_TASK, parent_id=None, title="changed")),
        (OWNER, EditTask(task_id=TASK, parent_id=OTHER_TASK)),
        (OWNER, DeleteMilestone(milestone_id=MILESTONE)),
        (OWNER, RemoveField(field_id=FIELD)),
        (OWNER, EditProject(states=[state for state in DEFAULT_STATES if state["id"] != "in-progress"])),
    )
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=TASK, as_of=point), OWNER))
    assert sorted(marker.left) == sorted(["stateId", "milestoneId", f"fields.{FIELD}"])
    assert life.state.tasks[TASK]["title"] == "Land on the moon"
    life.given((OWNER, EditTask(task_id=TASK, parent_id=OTHER_TASK)))
    [marker, *_] = happened(restore(life, RestoreTaskTo(task_id=OTHER_TASK, as_of=point), OWNER))
    assert marker.left == ["parentId"]


def test_a_task_goes_back_between_its_old_neighbours() -> None:
    life = a_team(ProjectLimits(rank_short_characters_max=2, reranked_tasks_max=8))
    tasks = [uuid(0xA00 + number) for number in range(6)]
    life.given(*((MEMBER, CreateTask(task_id=one, title="t")) for one in tasks))
    point = newest(life)
    for _ in range(4):
        for one in tasks[1:4]:
            life.given((MEMBER, MoveTask(task_id=one, after=tasks[0])))
    life.given((MEMBER, EditTask(task_id=tasks[2], state_id="done")))
    happened(restore(life, RestoreTaskTo(task_id=tasks[2], as_of=point), MEMBER))
    order = [task_id for _, task_id in life.state.cards["backlog"]]
    assert order.index(tasks[0]) < order.index(tasks[2]) < order.index(tasks[4])
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert [task_id for _, task_id in life.state.cards["backlog"]] == tasks


# --------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("by", "command", "expected"),
    [
        (STRANGER, RestoreTaskTo(task_id=TASK, as_of=2), NOT_FOUND),
        (VIEWER, RestoreTaskTo(task_id=TASK, as_of=2), FORBIDDEN),
        (COMMENTER, RestoreProjectTo(as_of=2), FORBIDDEN),
        (MEMBER, RestoreProjectTo(as_of=2), FORBIDDEN),
        (MEMBER, RestoreTaskTo(task_id=NEW_TASK, as_of=2), NOT_FOUND),
        (MEMBER, RestoreTaskTo(task_id=TASK, as_of=2), broken("no_task_then")),
        (MEMBER, RestoreTaskTo(task_id=TASK, as_of=99), NOT_FOUND),
        (OWNER, RestoreProjectTo(as_of=99), NOT_FOUND),
        (OWNER, RestoreProjectTo(as_of=0), NOT_FOUND),
        (OWNER, RestoreProjectTo(as_of="2001-01-01T00:00:00Z"), NOT_FOUND),
    ],
)
def test_who_may_not_and_what_was_not(by: Principal, command: Any, expected: Any) -> None:
    assert refused(restore(a_task(), command, by)) == expected


@pytest.mark.parametrize("command", [RestoreTaskTo(task_id=TASK, as_of=6), RestoreProjectTo(as_of=6)])
def test_an_archive_and_an_import_are_not_rewound(command: Command) -> None:
    life = a_task()
    facts = facts_of(life, command)
    assert refused(life.send(command, OWNER, origin=as_imported(), facts=facts)) == broken("not_importable")
    life.given((OWNER, ArchiveProject()))
    assert refused(life.send(command, OWNER, facts=facts)) == broken("project_archived")
