"""Random commands that timers send, and lives in which they come in time and too late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol.due_dates import RemindOfDueDate
from protocol.event import SYSTEM, Command
from protocol.projects import DeleteProject, PurgeProject
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import MEMBER, OWNER, uuid
from tests.laws.steps import Step, Turn

TASK = uuid(0x200)
DUE = "2026-03-28"
"""The last day that a random life comes to."""

TIMED: Mapping[type[Command], SearchStrategy[Command]] = {
    PurgeProject: st.just(PurgeProject()),
    RemindOfDueDate: st.sampled_from([DUE, "2026-02-28"]).map(lambda due: RemindOfDueDate(task_id=TASK, due_date=due)),
}


def _by_owner(command: Command) -> Step:
    return Step("go on", command, OWNER, 0, None)


def timed_lives(live: SearchStrategy[Step], turns: SearchStrategy[Turn]) -> Sequence[SearchStrategy[list[Step]]]:
    """What is rare by chance, with any step in between."""
    reminded = st.tuples(live, turns, st.sampled_from([SYSTEM, SYSTEM, SYSTEM, OWNER])).map(
        lambda drawn: [
            _by_owner(CreateTask(task_id=TASK, title="due", assignee_ids=[MEMBER.id])),
            _by_owner(EditTask(task_id=TASK, due_date=DUE, state_id="todo")),
            drawn[0],
            Step(drawn[1], RemindOfDueDate(task_id=TASK, due_date=DUE), drawn[2], 0, None),
        ]
    )
    return [reminded]


def purged_lives(
    lives: SearchStrategy[list[Step]], live: SearchStrategy[Step], turns: SearchStrategy[Turn]
) -> SearchStrategy[list[Step]]:
    """Lives that end for good, and what is tried with them afterwards."""
    end = st.tuples(turns, turns, st.lists(live, max_size=3)).map(
        lambda drawn: [
            _by_owner(DeleteProject()),
            Step(drawn[0], PurgeProject(), SYSTEM, 3, None),
            Step(drawn[1], PurgeProject(), OWNER, 0, None),
            *drawn[2],
        ]
    )
    return st.tuples(lives, end).map(lambda both: [*both[0][:20], *both[1]])
