"""A project's state as parts: bounded, complete, and of one moment."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from actors.project.decider import ProjectActor
from actors.project.snapshot import COMMENTS_PER_PART, PART_CHARACTERS_MAX, TASKS_PER_PART
from actors.runtime.actor import restored
from protocol.comments import AddComment
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import MEMBER, TASK, Life, a_task, a_team


def parts_of(life: Life) -> list[dict[str, Any]]:
    return list(life.actor.parts(life.state))


def test_parts_are_bounded_and_lead_back_to_the_state() -> None:
    life = a_task()
    life.given(*((MEMBER, CreateTask(title=f"Task {number}")) for number in range(250)))
    life.given(*((MEMBER, AddComment(task_id=TASK, body=f"Word {number}")) for number in range(250)))
    parts = parts_of(life)
    assert all(len(part) == 1 for part in parts)
    assert [len(part["tasks"]) for part in parts if "tasks" in part] == [TASKS_PER_PART] * 2 + [51]
    assert [len(part["comments"]) for part in parts if "comments" in part] == [COMMENTS_PER_PART] * 2 + [50]
    through_bytes = [msgpack.unpackb(msgpack.packb(part)) for part in parts]
    assert restored(life.actor, life.stream, through_bytes) == life.state


def test_long_texts_end_a_part_early() -> None:
    life = a_team()
    life.given(*((MEMBER, CreateTask(title="x", description="x" * 90_000)) for _ in range(7)))
    sizes = [len(part["tasks"]) for part in parts_of(life) if "tasks" in part]
    assert sizes == [2, 2, 2, 1]
    assert PART_CHARACTERS_MAX >= 2 * 90_000


def test_parts_belong_to_the_moment_in_which_they_were_asked_for() -> None:
    life = a_task()
    expected = parts_of(life)
    parts = life.actor.parts(life.state)
    life.given((MEMBER, CreateTask(title="Later")), (MEMBER, EditTask(task_id=TASK, title="Later")))
    assert list(parts) == expected


def test_an_empty_stream_has_parts_too() -> None:
    actor = ProjectActor()
    empty = actor.initial("project/x")
    assert restored(actor, "project/x", actor.parts(empty)) == empty


def test_a_part_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="no sprints"):
        restored(ProjectActor(), "project/x", [{"sprints": []}])
