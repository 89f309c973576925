"""Parents: subtasks of living tasks of the same project, a few levels deep, never in a circle."""

from __future__ import annotations

import pytest

from actors.project.limits import ProjectLimits
from actors.project.tasks import list_tasks
from protocol.errors import Rejection
from protocol.tasks import CreateTask, DeleteTask, EditTask, RestoreTask, TaskEdited
from tests.actors.given import (
    COMMENTER,
    FORBIDDEN,
    LATER,
    LONG_AGO,
    MEMBER,
    NOT_FOUND,
    OWNER,
    VIEWER,
    Life,
    a_team,
    as_imported,
    broken,
    happened,
    project_state,
    refused,
    uuid,
)

A, B, C, D = (uuid(0x200 + number) for number in range(1, 5))
CYCLE = broken("cycle")


def family(limits: ProjectLimits | None = None) -> Life:
    """C is a subtask of B, B of A; D stands alone."""
    life = a_team(limits)
    life.given(
        (MEMBER, CreateTask(task_id=A, title="a")),
        (MEMBER, CreateTask(task_id=B, title="b", parent_id=A)),
        (MEMBER, CreateTask(task_id=C, title="c", parent_id=B)),
        (MEMBER, CreateTask(task_id=D, title="d")),
    )
    return life


def test_a_subtask_names_its_parent_and_an_edit_keeps_the_one_before() -> None:
    life = family()
    assert life.state.tasks[B]["parentId"] == A
    [moved] = happened(life.send(EditTask(task_id=C, parent_id=D), MEMBER, now=LATER))
    assert moved == TaskEdited(task_id=C, changes={"parentId": D}, was={"parentId": B})
    assert (life.state.tasks[C]["parentId"], life.state.tasks[C]["updatedAt"]) == (D, LATER)
    [freed] = happened(life.send(EditTask(task_id=C, parent_id=None), MEMBER))
    assert (freed.changes, freed.was) == ({"parentId": None}, {"parentId": D})
    assert happened(life.decide(EditTask(task_id=C, parent_id=None), MEMBER)) == []


def test_the_parent_has_to_be_a_living_task_of_the_project() -> None:
    life = family()
    life.given((MEMBER, DeleteTask(task_id=D)))
    for command in (CreateTask(title="x", parent_id=D), EditTask(task_id=C, parent_id=D)):
        assert refused(life.decide(command, MEMBER)) == broken("task_deleted")
    for command in (CreateTask(title="x", parent_id=uuid(1)), EditTask(task_id=C, parent_id=uuid(1))):
        refusal = life.decide(command, MEMBER)
        assert refused(refusal) == NOT_FOUND
        assert isinstance(refusal, Rejection)
        assert refusal.details == {"what": "parent"}
    itself = CreateTask(task_id=uuid(0x299), title="x", parent_id=uuid(0x299))
    assert refused(life.decide(itself, MEMBER)) == NOT_FOUND


@pytest.mark.parametrize(("task", "parent"), [(A, A), (A, B), (A, C), (B, C)])
def test_nobody_becomes_their_own_ancestor(task: str, parent: str) -> None:
    refusal = family().decide(EditTask(task_id=task, parent_id=parent), MEMBER)
    assert refused(refusal) == CYCLE
    assert isinstance(refusal, Rejection)
    cycle = refusal.details["cycle"]
    assert cycle[0]["taskId"] == task
    assert {step["by"] for step in cycle} == {"parent"}
    assert len(cycle) == refusal.details["length"]


def test_generations_can_change_places_one_by_one() -> None:
    life = family()
    life.given(
        (MEMBER, EditTask(task_id=B, parent_id=None)),
        (MEMBER, EditTask(task_id=A, parent_id=C)),
    )
    assert [life.state.tasks[task]["parentId"] for task in (A, B, C)] == [C, None, B]


def test_levels_are_bounded_above_and_below() -> None:
    life = family(ProjectLimits(task_levels_max=3))
    too_deep = broken("task_levels_limit")
    assert refused(life.decide(CreateTask(title="x", parent_id=C), MEMBER)) == too_deep
    assert refused(life.decide(EditTask(task_id=D, parent_id=C), MEMBER)) == too_deep
    assert refused(life.decide(EditTask(task_id=A, parent_id=D), MEMBER)) == too_deep
    happened(life.send(EditTask(task_id=B, parent_id=D), MEMBER))
    happened(life.send(EditTask(task_id=A, parent_id=D), MEMBER))


def test_subtasks_stay_when_their_parent_is_deleted_and_are_shown_at_the_top() -> None:
    life = family()
    state = project_state(life)

    def numbers(parent: str) -> list[int]:
        page = list_tasks(state, VIEWER, 0, 10, parent)
        assert isinstance(page, list), page
        return [task["number"] for task in page]

    assert (numbers("none"), numbers(A), numbers(B), numbers(C)) == ([1, 4], [2], [3], [])
    life.given((MEMBER, DeleteTask(task_id=A)))
    assert state.tasks[B]["parentId"] == A
    assert numbers("none") == [2, 4]
    assert refused(list_tasks(state, VIEWER, 0, 10, A)) == NOT_FOUND
    assert refused(life.decide(EditTask(task_id=A, parent_id=C), MEMBER)) == broken("task_deleted")
    life.given((MEMBER, RestoreTask(task_id=A)))
    assert (numbers("none"), numbers(A)) == ([1, 4], [2])


def test_a_deleted_generation_still_stands_between() -> None:
    life = family()
    life.given((MEMBER, DeleteTask(task_id=B)))
    refusal = life.decide(EditTask(task_id=A, parent_id=C), MEMBER)
    assert refused(refusal) == CYCLE
    assert isinstance(refusal, Rejection)
    assert [(step["taskId"], step["deleted"]) for step in refusal.details["cycle"]] == [
        (A, False),
        (C, False),
        (B, True),
    ]
    life.given((MEMBER, EditTask(task_id=C, parent_id=None)), (MEMBER, EditTask(task_id=A, parent_id=C)))
    happened(life.send(RestoreTask(task_id=B), MEMBER))


def test_parents_are_edited_by_who_edits_tasks_and_imported_with_history() -> None:
    assert refused(family().decide(EditTask(task_id=D, parent_id=A), COMMENTER)) == FORBIDDEN
    life = a_team()
    for command in (CreateTask(task_id=A, title="Old"), CreateTask(task_id=B, title="Older", parent_id=A)):
        happened(life.send(command, OWNER, origin=as_imported()))
    assert life.state.tasks[B]["parentId"] == A
    [moved] = happened(life.send(EditTask(task_id=B, parent_id=None), OWNER, origin=as_imported()))
    assert (moved.was, life.state.tasks[B]["updatedAt"]) == ({"parentId": A}, LONG_AGO)
