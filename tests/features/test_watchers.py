"""Watchers: everybody for themselves, editors for other members, and nobody unasked."""

from __future__ import annotations

import pytest

from actors.project.limits import ProjectLimits
from protocol.event import OPERATOR
from protocol.members import RemoveMember
from protocol.projects import DeleteProject, EditProject
from protocol.tasks import CreateTask, EditTask
from protocol.watchers import UnwatchTask, WatchersChanged, WatchTask
from tests.actors.given import (
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
    a_task,
    a_team,
    as_imported,
    broken,
    happened,
    project_state,
    refused,
)

WATCH, UNWATCH = WatchTask(task_id=TASK), UnwatchTask(task_id=TASK)


def test_everybody_who_sees_a_task_may_watch_it() -> None:
    life = a_task()
    for person in (VIEWER, COMMENTER, OWNER):
        [changed] = happened(life.send(WATCH, person, now=LATER))
        assert changed == WatchersChanged(task_id=TASK, added=[person.id], removed=[])
    assert project_state(life).tasks[TASK]["watcherIds"] == [VIEWER.id, COMMENTER.id, OWNER.id]
    assert happened(life.send(WATCH, VIEWER)) == []
    [changed] = happened(life.send(UNWATCH, COMMENTER))
    assert changed == WatchersChanged(task_id=TASK, added=[], removed=[COMMENTER.id])
    assert happened(life.send(UNWATCH, COMMENTER)) == []
    assert project_state(life).tasks[TASK]["watcherIds"] == [VIEWER.id, OWNER.id]


def test_watching_is_no_change_of_the_task() -> None:
    life = a_task()
    happened(life.send(WATCH, VIEWER, now=LATER))
    assert project_state(life).tasks[TASK]["updatedAt"] == NOW
    assert project_state(life).content_at == NOW
    assert WatchersChanged.kind not in life.actor.content_events


def test_nobody_watches_unasked() -> None:
    life = a_team()
    [created] = happened(life.send(CreateTask(task_id=TASK, title="x", assignee_ids=[MEMBER.id]), OWNER))
    assert created.task["watcherIds"] == []
    life.given((OWNER, EditTask(task_id=TASK, add_assignees=[VIEWER.id])))
    assert project_state(life).tasks[TASK]["watcherIds"] == []


def test_strangers_and_unknown_tasks_are_not_found() -> None:
    life = a_task()
    for person, command in (
        (STRANGER, WATCH),
        (STRANGER, UNWATCH),
        (MEMBER, WatchTask(task_id=OTHER_TASK)),
        (MEMBER, UnwatchTask(task_id=OTHER_TASK)),
    ):
        assert refused(life.decide(command, person)) == NOT_FOUND
    for command in (WATCH, UNWATCH):
        assert refused(life.decide(command, OPERATOR)) == broken("watcher_not_member")
    assert refused(life.decide(WATCH, MEMBER, origin=as_imported())) == broken("not_importable")


def test_editors_add_and_remove_other_members() -> None:
    life = a_task()
    edit = EditTask(task_id=TASK, add_watchers=[VIEWER.id, OWNER.id], remove_watchers=[OWNER.id, COMMENTER.id])
    [changed] = happened(life.send(edit, MEMBER))
    assert changed == WatchersChanged(task_id=TASK, added=[VIEWER.id, OWNER.id], removed=[])
    [edited, changed] = happened(life.send(EditTask(task_id=TASK, title="y", remove_watchers=[VIEWER.id]), MEMBER))
    assert (edited.changes, changed.removed) == ({"title": "y"}, [VIEWER.id])
    assert happened(life.decide(EditTask(task_id=TASK, remove_watchers=[VIEWER.id]), MEMBER)) == []
    stranger = EditTask(task_id=TASK, title="z", add_watchers=[STRANGER.id])
    assert refused(life.decide(stranger, MEMBER)) == broken("watcher_not_member")
    assert refused(life.decide(EditTask(task_id=TASK, add_watchers=[COMMENTER.id]), COMMENTER)) == FORBIDDEN


def test_who_left_stays_in_the_record_until_somebody_takes_them_out() -> None:
    life = a_task()
    life.given((VIEWER, WATCH), (OWNER, RemoveMember(user_id=VIEWER.id)))
    assert project_state(life).tasks[TASK]["watcherIds"] == [VIEWER.id]
    assert refused(life.decide(UNWATCH, VIEWER)) == NOT_FOUND
    life.given((MEMBER, EditTask(task_id=TASK, remove_watchers=[VIEWER.id])))
    assert project_state(life).tasks[TASK]["watcherIds"] == []


def test_an_archived_project_lets_its_watchers_go_and_takes_no_new_ones() -> None:
    life = a_task()
    life.given((VIEWER, WATCH), (OWNER, EditProject(status="Archived")))
    assert refused(life.decide(WATCH, MEMBER)) == broken("project_archived")
    assert happened(life.decide(WATCH, VIEWER)) == []
    happened(life.send(UNWATCH, VIEWER))
    life.given((OWNER, DeleteProject()))
    assert refused(life.decide(WATCH, OWNER)) == refused(life.decide(UNWATCH, OWNER)) == broken("project_deleted")


@pytest.mark.parametrize("command", [WATCH, EditTask(task_id=TASK, add_watchers=[MEMBER.id])])
def test_watchers_are_counted(command: WatchTask | EditTask) -> None:
    life = a_task(ProjectLimits(watchers_per_task_max=1))
    life.given((VIEWER, WATCH))
    assert refused(life.decide(command, MEMBER)) == broken("watchers_limit")
    happened(life.decide(EditTask(task_id=TASK, add_watchers=[MEMBER.id], remove_watchers=[VIEWER.id]), MEMBER))
