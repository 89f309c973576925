"""Notifications: told once by the server, read on all devices at once, grouped, and counted exactly."""

from __future__ import annotations

from actors.project.limits import ProjectLimits
from actors.project.notices import NOTICES_PER_ENTRY_MAX, notices
from actors.user.decider import UserActor
from actors.user.limits import UserLimits
from actors.user.notifications import count_unread, list_groups
from protocol.comments import AddComment, EditComment
from protocol.event import OPERATOR, SYSTEM, Origin, Principal
from protocol.links import AddLink
from protocol.members import RemoveMember
from protocol.notifications import MarkRead, Notify, Reason
from protocol.preferences import MuteProject, SetPreferences
from protocol.projects import DeleteProject
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from protocol.timetravel import RestoreProjectTo
from protocol.watchers import WatchTask
from tests.actors.given import (
    ADMIN,
    COMMENT,
    FORBIDDEN,
    MATZ,
    MEMBER,
    NOT_FOUND,
    NOW,
    OTHER_TASK,
    OWNER,
    PROJECT_ID,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_task,
    broken,
    events_of,
    happened,
    project_state,
    refused,
    uuid,
)
from tests.actors.undoing import newest, restore


def an_inbox(limits: UserLimits | None = None) -> Life:
    return Life(UserActor(limits), f"user/{MEMBER.id}")


def of(seq: int, *reasons: Reason, task_id: str | None = TASK, comment_id: str | None = None) -> Notify:
    return Notify(
        source={"stream": f"project/{PROJECT_ID}", "seq": seq},
        subject={"projectId": PROJECT_ID, "taskId": task_id, "commentId": comment_id},
        reasons=list(reasons) or ["watched"],
        actor_id=OWNER.id,
    )


def unread(life: Life) -> tuple[int, int]:
    counted = count_unread(life.state, MEMBER)
    assert isinstance(counted, tuple)
    return counted


def test_notifications_are_numbered_and_unread_until_they_are_read() -> None:
    life = an_inbox()
    [told] = happened(life.send(of(7, "watched", "mentioned"), SYSTEM))
    assert told.notification == {
        "number": 1,
        "source": {"stream": f"project/{PROJECT_ID}", "seq": 7},
        "subject": {"projectId": PROJECT_ID, "taskId": TASK, "commentId": None},
        "reasons": ["mentioned", "watched"],
        "actorId": OWNER.id,
        "at": NOW,
        "channels": ["inbox", "email", "push"],
        "quietUntil": None,
    }
    life.given((SYSTEM, of(8)), (SYSTEM, of(9)))
    assert unread(life) == (3, 0)
    [read] = happened(life.send(MarkRead(up_to=2), MEMBER))
    assert (read.up_to, read.was) == (2, 0)
    assert unread(life) == (1, 2)
    assert happened(life.send(MarkRead(up_to=1), MEMBER)) == []
    happened(life.send(MarkRead(), MEMBER))
    assert unread(life) == (0, 3)
    assert happened(life.send(MarkRead(up_to=99), MEMBER)) == []


def test_only_the_server_tells_and_only_the_person_reads() -> None:
    life = an_inbox()
    for principal in (MEMBER, STRANGER, OPERATOR):
        assert refused(life.send(of(1), principal)) == FORBIDDEN
    life.given((SYSTEM, of(1)))
    for principal in (STRANGER, OPERATOR, SYSTEM):
        assert refused(life.send(MarkRead(), principal)) == NOT_FOUND
    assert refused(list_groups(life.state, STRANGER, None, 10)) == NOT_FOUND
    assert count_unread(life.state, OPERATOR) == (1, 0)
    history = Origin(author=MATZ, at="2015-01-01T00:00:00Z")
    assert refused(life.send(of(2), SYSTEM, origin=history)) == broken("not_importable")


def test_the_count_is_exact_beyond_what_the_inbox_holds() -> None:
    life = an_inbox(UserLimits(inbox_notifications_max=3))
    life.given(*((SYSTEM, of(seq)) for seq in range(1, 11)))
    assert sorted(life.state.inbox) == [8, 9, 10]
    assert unread(life) == (10, 0)
    life.given((MEMBER, MarkRead(up_to=4)))
    assert unread(life) == (6, 4)


def test_groups_are_by_task_newest_first_and_paged() -> None:
    life = an_inbox()
    life.given(
        (SYSTEM, of(1)),
        (SYSTEM, of(2, task_id=OTHER_TASK)),
        (MEMBER, MarkRead()),
        (SYSTEM, of(3, "mentioned", comment_id=COMMENT)),
        (SYSTEM, of(4, "dueSoon", task_id=None)),
    )
    listed = list_groups(life.state, MEMBER, None, 10)
    assert isinstance(listed, tuple)
    groups, count, marker = listed
    assert (count, marker) == (2, 2)
    shown = [(one["subject"]["taskId"], one["count"], one["unread"], one["reasons"]) for one in groups]
    assert shown == [
        (None, 1, 1, ["dueSoon"]),
        (TASK, 2, 1, ["mentioned", "watched"]),
        (OTHER_TASK, 1, 0, ["watched"]),
    ]
    assert groups[1]["newest"]["subject"]["commentId"] == COMMENT
    rest = list_groups(life.state, MEMBER, groups[0]["newest"]["number"], 1)
    assert isinstance(rest, tuple)
    assert [one["subject"]["taskId"] for one in rest[0]] == [TASK]


def test_what_is_muted_or_turned_off_is_withheld_with_its_reason() -> None:
    life = an_inbox()
    life.given((MEMBER, MuteProject(project_id=PROJECT_ID)))
    [withheld] = happened(life.send(of(1, "assigned", "watched"), SYSTEM))
    assert (withheld.kind, withheld.why) == ("NotificationWithheld", "projectMuted")
    [told] = happened(life.send(of(2, "mentioned", "watched"), SYSTEM))
    assert told.notification["reasons"] == ["mentioned"]
    life.given((MEMBER, SetPreferences(channels={"mentioned": []})))
    [withheld] = happened(life.send(of(3, "mentioned"), SYSTEM))
    assert withheld.why == "reasonOff"
    assert unread(life) == (1, 0)


# --------------------------------------------------------------------------- whom an entry concerns


def concerned(life: Life, by: Principal) -> dict[str, list[Reason]]:
    """Whom the life's last entry concerns."""
    found = notices(project_state(life), events_of(life.entries[-1]), by.id)  # type: ignore[arg-type]
    return {notice["userId"]: notice["reasons"] for notice in found}


def test_the_assigned_are_told_by_others_only() -> None:
    life = a_task()
    life.given((OWNER, CreateTask(title="x", assignee_ids=[MEMBER.id, OWNER.id])))
    assert concerned(life, OWNER) == {MEMBER.id: ["assigned"]}
    life.given((OWNER, EditTask(task_id=TASK, add_assignees=[ADMIN.id])))
    assert concerned(life, OWNER) == {ADMIN.id: ["assigned"]}


def test_who_works_on_a_task_hears_what_is_said_about_it() -> None:
    life = a_task()
    life.given((OWNER, EditTask(task_id=TASK, add_assignees=[MEMBER.id])), (ADMIN, AddComment(task_id=TASK, body="?")))
    assert concerned(life, ADMIN) == {MEMBER.id: ["watched"]}


def test_who_is_answered_or_mentioned_hears_of_it() -> None:
    life = a_task()
    first, answer = uuid(0x301), uuid(0x302)
    life.given(
        (MEMBER, AddComment(comment_id=first, task_id=TASK, body="?")),
        (ADMIN, AddComment(comment_id=answer, task_id=TASK, body="!", reply_to=first)),
    )
    assert concerned(life, ADMIN) == {MEMBER.id: ["replied"]}
    thanks = AddComment(task_id=TASK, body="thanks, @admin", reply_to=answer)
    happened(life.send(thanks, OWNER, facts={"mentionedIds": [[ADMIN.id]]}))
    assert concerned(life, OWNER) == {ADMIN.id: ["mentioned", "replied"], MEMBER.id: ["replied"]}
    edit = EditComment(comment_id=first, body="@admin and @viewer")
    happened(life.send(edit, MEMBER, facts={"mentionedIds": [[ADMIN.id], [VIEWER.id]]}))
    assert concerned(life, MEMBER) == {ADMIN.id: ["mentioned"], VIEWER.id: ["mentioned"]}
    again = EditComment(comment_id=first, body="@admin")
    happened(life.send(again, MEMBER, facts={"mentionedIds": [[ADMIN.id]]}))
    assert concerned(life, MEMBER) == {}, "nobody is called twice for one text"


def test_watchers_hear_that_their_task_is_gone_and_that_it_is_back() -> None:
    life = a_task()
    life.given((VIEWER, WatchTask(task_id=TASK)), (OWNER, DeleteTask(task_id=TASK)))
    assert concerned(life, OWNER) == {VIEWER.id: ["watched"]}
    life.given((OWNER, RestoreTask(task_id=TASK)))
    assert concerned(life, OWNER) == {VIEWER.id: ["watched"]}
    other = AddLink(task_id=TASK, other_id=OTHER_TASK, type="relates")
    life.given((OWNER, CreateTask(task_id=OTHER_TASK, title="x")), (OWNER, other))
    assert concerned(life, OWNER) == {}


def test_nobody_is_told_who_is_no_member_nor_of_history_nor_of_what_is_deleted() -> None:
    life = a_task()
    life.given((OWNER, EditTask(task_id=TASK, add_assignees=[MEMBER.id])))
    told = life.entries[-1]
    assert concerned(life, Principal(MATZ)) == {}
    life.given((OWNER, RemoveMember(user_id=MEMBER.id)))
    life.entries.append(told)
    assert concerned(life, OWNER) == {}
    life = a_task()
    life.given((OWNER, EditTask(task_id=TASK, add_assignees=[MEMBER.id])))
    told = life.entries[-1]
    life.given((OWNER, DeleteProject()))
    life.entries.append(told)
    assert concerned(life, OWNER) == {}


# --------------------------------------------------------------------------- entries about several tasks


THIRD_TASK = uuid(0x2FF)
TASKS = (TASK, OTHER_TASK, THIRD_TASK)


def three_tasks() -> Life:
    life = a_task()
    life.given(*((OWNER, CreateTask(task_id=task_id, title="x")) for task_id in (OTHER_TASK, THIRD_TASK)))
    return life


def titled(task_id: str) -> EditTask:
    return EditTask(task_id=task_id, title="y")


def assigned(user: Principal, task_id: str) -> EditTask:
    return EditTask(task_id=task_id, add_assignees=[user.id])


def at_once(life: Life, *edits: EditTask) -> None:
    """The owner's edits, in one entry."""
    life.given((OWNER, EditTasks(edits=list(edits))))


def lines(life: Life, by: Principal, notices_max: int = NOTICES_PER_ENTRY_MAX) -> list[tuple[str, str | None, str]]:
    """Of the life's last entry: who is told, of which task, and why."""
    events = events_of(life.entries[-1])
    found = notices(project_state(life), events, by.id, notices_max)  # type: ignore[arg-type]
    return [(notice["userId"], notice["taskId"], " ".join(notice["reasons"])) for notice in found]


def test_who_is_assigned_several_tasks_at_once_is_told_of_each() -> None:
    life = three_tasks()
    at_once(life, *(assigned(MEMBER, one) for one in TASKS))
    assert lines(life, OWNER) == [(MEMBER.id, task_id, "assigned") for task_id in TASKS]


def test_each_task_of_a_bulk_edit_has_its_own_reasons() -> None:
    life = three_tasks()
    life.given((VIEWER, WatchTask(task_id=TASK)), (ADMIN, WatchTask(task_id=OTHER_TASK)))
    at_once(life, titled(TASK), assigned(VIEWER, OTHER_TASK))
    assert lines(life, OWNER) == [
        (VIEWER.id, TASK, "watched"),
        (VIEWER.id, OTHER_TASK, "assigned"),
        (ADMIN.id, OTHER_TASK, "watched"),
    ]
    at_once(life, assigned(VIEWER, TASK), titled(OTHER_TASK))
    assert lines(life, OWNER) == [(VIEWER.id, TASK, "assigned watched"), (ADMIN.id, OTHER_TASK, "watched")]


def test_the_way_back_of_a_project_tells_of_each_task_what_happened_to_it() -> None:
    life = three_tasks()
    at_once(life, *(assigned(MEMBER, one) for one in TASKS[:2]))
    point = newest(life)
    at_once(life, *(EditTask(task_id=one, remove_assignees=[MEMBER.id]) for one in TASKS[:2]))
    life.given((OWNER, titled(THIRD_TASK)), (MEMBER, WatchTask(task_id=THIRD_TASK)))
    happened(restore(life, RestoreProjectTo(as_of=point), OWNER))
    assert sorted(lines(life, OWNER)) == [
        *((MEMBER.id, task_id, "assigned") for task_id in TASKS[:2]),
        (MEMBER.id, THIRD_TASK, "watched"),
    ]


def test_an_entry_that_would_hold_too_many_notices_tells_everybody_once() -> None:
    life = three_tasks()
    life.given((VIEWER, WatchTask(task_id=TASK)), (VIEWER, WatchTask(task_id=OTHER_TASK)))
    at_once(life, titled(TASK), assigned(VIEWER, OTHER_TASK), assigned(MEMBER, THIRD_TASK))
    assert lines(life, OWNER, 3) == [
        (VIEWER.id, TASK, "watched"),
        (VIEWER.id, OTHER_TASK, "assigned watched"),
        (MEMBER.id, THIRD_TASK, "assigned"),
    ]
    assert lines(life, OWNER, 2) == [(VIEWER.id, None, "assigned watched"), (MEMBER.id, THIRD_TASK, "assigned")]


def test_an_entry_holds_at_least_one_notice_for_every_member() -> None:
    assert ProjectLimits().members_max <= NOTICES_PER_ENTRY_MAX
