"""Ranks: where a moved task lands, what is in the way, and what happens when there is no room."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project.limits import ProjectLimits
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.projects import EditProject
from protocol.ranks import MoveTask, TasksReranked
from protocol.tasks import CreateTask, EditTask, TaskEdited
from tests.actors.given import (
    ADMIN,
    COMMENTER,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
    NOW,
    OWNER,
    STRANGER,
    VIEWER,
    Life,
    a_team,
    as_imported,
    broken,
    events_of,
    happened,
    project_state,
    refused,
    uuid,
)

A, B, C, D, NOBODY = (uuid(0x500 + number) for number in range(5))
MOVED = (ErrorCode.CONFLICT, "neighbours_moved")


def a_board(limits: ProjectLimits | None = None) -> Life:
    """Four cards in the first state."""
    life = a_team(limits)
    life.given(*((MEMBER, CreateTask(task_id=task_id, title=task_id[-1])) for task_id in (A, B, C, D)))
    return life


def order(life: Life, state_id: str = "backlog") -> list[str]:
    """The ids of a state's tasks as their ranks order them."""
    tasks = [task for task in project_state(life).tasks.values() if task["stateId"] == state_id]
    assert len({task["rank"] for task in tasks}) == len(tasks), "a tie"
    return [task["id"] for task in sorted(tasks, key=lambda task: task["rank"])]


def move(task_id: str, **where: Any) -> MoveTask:
    return MoveTask(task_id=task_id, **where)


def test_new_tasks_stand_at_the_end() -> None:
    assert order(a_board()) == [A, B, C, D]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (move(D, after=A), [A, D, B, C]),
        (move(D, before=A), [D, A, B, C]),
        (move(A, before=D), [B, C, A, D]),
        (move(A), [B, C, D, A]),
        (move(A, after=D), [B, C, D, A]),
        (move(D, after=A, before=C), [A, D, B, C]),
        (move(A, state_id="backlog", after=B), [B, A, C, D]),
    ],
)
def test_a_moved_task_lands_beside_its_neighbour(command: MoveTask, expected: list[str]) -> None:
    life = a_board()
    before = life.state.tasks[command.task_id]["rank"]
    [event] = happened(life.send(command, MEMBER, now=LATER))
    task = life.state.tasks[command.task_id]
    assert order(life) == expected
    assert event == TaskEdited(task_id=command.task_id, changes={"rank": task["rank"]}, was={"rank": before})
    assert task["updatedAt"] == LATER


def test_what_a_filter_hides_is_passed_over_on_the_right_side() -> None:
    life = a_board()
    life.given((MEMBER, move(D, before=C)), (MEMBER, move(A, after=B, before=C)))
    assert order(life) == [B, A, D, C], "right after the one, whatever lay unseen before the other"


@pytest.mark.parametrize("command", [move(B, after=A), move(B, before=C), move(B, after=A, before=C), move(D)])
def test_a_task_that_stands_there_already_is_left_alone(command: MoveTask) -> None:
    assert happened(a_board().decide(command, MEMBER)) == []


def test_a_move_to_another_state_is_an_edit_of_it() -> None:
    life = a_board()
    life.given((MEMBER, move(A, state_id="done")))
    assert life.state.tasks[A]["closedAt"] == NOW
    [event] = happened(life.send(move(B, state_id="done", before=A), MEMBER, now=LATER))
    assert (event.changes["stateId"], event.was) == ("done", {"stateId": "backlog", "rank": "a2"})
    assert order(life, "done") == [B, A]
    [event] = happened(life.send(move(A, state_id="backlog", after=C), MEMBER))
    assert (event.closed_at, life.state.tasks[A]["closedAt"]) == (None, None)
    assert order(life) == [C, A, D]


def test_an_edited_state_and_a_new_task_lead_to_the_end() -> None:
    life = a_board()
    life.given(
        (MEMBER, EditTask(task_id=D, state_id="todo")),
        (MEMBER, EditTask(task_id=A, state_id="todo")),
        (MEMBER, CreateTask(task_id=NOBODY, title="new", state_id="todo")),
        (MEMBER, EditTask(task_id=D, state_id="backlog")),
    )
    assert order(life, "todo") == [A, NOBODY]
    assert order(life) == [B, C, D]


def test_a_task_that_others_have_moved_away_is_named_with_both_states() -> None:
    life = a_board()
    base = len(life.entries)
    life.given((ADMIN, move(D, state_id="todo")))
    outcome = life.decide(move(D, before=B), MEMBER, base=base)
    assert refused(outcome) == (ErrorCode.CONFLICT, "changed_since_base")
    assert isinstance(outcome, Rejection)
    [field] = outcome.details["fields"]
    assert (field["field"], field["yours"], field["current"]) == ("stateId", "backlog", "todo")
    assert field["author"] == ADMIN.id
    assert refused(life.decide(move(D, before=B), MEMBER, base=base + 1)) == MOVED
    assert refused(life.decide(move(A, before=D), MEMBER, base=base)) == MOVED


def test_neighbours_have_to_be_where_they_were_seen() -> None:
    life = a_board()
    life.given((MEMBER, move(D, state_id="todo")))
    assert refused(life.decide(move(A, after=D), MEMBER)) == MOVED
    assert refused(life.decide(move(A, state_id="todo", before=B), MEMBER)) == MOVED
    assert refused(life.decide(move(A, after=C, before=B), MEMBER)) == MOVED
    assert refused(life.decide(move(A, after=B, before=B), MEMBER)) == MOVED
    assert refused(life.decide(move(A, after=A), MEMBER)) == (ErrorCode.INVALID, "own_neighbour")
    for unknown in (move(NOBODY), move(A, after=NOBODY), move(A, before=NOBODY), move(A, state_id="nowhere")):
        assert refused(life.decide(unknown, MEMBER)) == NOT_FOUND


def test_who_may_edit_tasks_may_move_them() -> None:
    life = a_board()
    for person in (OWNER, ADMIN, MEMBER):
        happened(life.decide(move(A), person))
    for person in (COMMENTER, VIEWER):
        assert refused(life.decide(move(A), person)) == FORBIDDEN
    assert refused(life.decide(move(A), STRANGER)) == NOT_FOUND


def test_nothing_moves_in_an_archived_project() -> None:
    life = a_board()
    life.given((OWNER, EditProject(status="Archived")))
    assert refused(life.decide(move(A), MEMBER)) == broken("project_archived")
    assert happened(life.decide(move(D), MEMBER)) == []


def test_history_moves_no_cards_when_people_have_worked_here() -> None:
    assert refused(a_board().decide(move(A), OWNER, origin=as_imported())) == broken("import_closed")


def to_and_fro(life: Life, moves: int) -> list[Command]:
    """The last two cards in turn, always into the gap behind the first one."""
    commands: list[Command] = [move((C, D)[number % 2], after=A) for number in range(moves)]
    life.given(*((MEMBER, command) for command in commands))
    return commands


def test_a_full_gap_is_answered_by_ranks_for_its_neighbours() -> None:
    limits = ProjectLimits(rank_short_characters_max=4, reranked_tasks_max=2)
    life = a_board(limits)
    to_and_fro(life, 60)
    assert order(life) == [A, D, C, B]
    entries = [[event.kind for event in events_of(entry)] for entry in life.entries]
    assert ["TasksReranked", "TaskEdited"] in entries
    assert max(len(task["rank"]) for task in life.state.tasks.values()) <= 5


def test_a_rerank_says_what_was_and_touches_no_more_than_its_limit() -> None:
    limits = ProjectLimits(rank_short_characters_max=3, reranked_tasks_max=2)
    life = a_board(limits)
    reranked = []
    for number in range(40):
        before = {task["id"]: task for task in life.state.tasks.values()}
        events = happened(life.send(move((C, D)[number % 2], after=A), MEMBER, now=LATER))
        for event in events:
            if isinstance(event, TasksReranked):
                reranked.append(event)
                assert event.was == {task_id: before[task_id]["rank"] for task_id in event.ranks}
                assert all(
                    life.state.tasks[task_id]["updatedAt"] == before[task_id]["updatedAt"] for task_id in event.ranks
                )
    assert reranked
    assert max(len(event.ranks) for event in reranked) <= 2


def test_where_no_rank_is_left_at_all_the_move_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.project.places.RANK_LENGTH_MAX", 1)
    limits = ProjectLimits(rank_short_characters_max=1, reranked_tasks_max=2)
    assert refused(a_board(limits).decide(move(D, after=A), MEMBER)) == broken("no_rank_left")
