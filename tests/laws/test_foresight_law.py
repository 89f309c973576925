"""What the SDK foresees of a command is what the server then does: the same records, in the same order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from actors.project.decider import ProjectActor
from actors.runtime.actor import Decision
from pantherahive_client.fold import evolve
from pantherahive_client.foresight.effects import FORESEEN, MADE_IDS, is_foreseen, show
from pantherahive_client.pending import PendingCommand
from pantherahive_client.project_state import ProjectState
from protocol.event import Command
from protocol.messages import unpack_payload
from protocol.projects import ArchiveProject, UnarchiveProject
from protocol.tasks import CreateTask, EditTask, EditTasks, Recurrence, TaskEdited
from tests.actors.given import FACTS, OWNER, PROJECT_ID, Life, uuid
from tests.laws.law import LIMITS, opening
from tests.laws.lives import live_many
from tests.laws.strategies import PROJECT_LIVES, Step
from tests.laws.wishes import TASK_IDS

_MONTHLY = uuid(0xFEB)
_RULE: Recurrence = {"every": 1, "unit": "month", "dueDay": 31}
_RARE: Sequence[Command] = (
    UnarchiveProject(),
    CreateTask(title="last", labels=["bug"]),
    CreateTask(task_id=_MONTHLY, title="monthly", due_date="2026-02-28", recurrence=_RULE),
    EditTask(task_id=_MONTHLY, due_date=None),
    EditTasks(edits=[EditTask(task_id=task_id, state_id="done", add_labels=["ui"]) for task_id in TASK_IDS]),
    ArchiveProject(),
    UnarchiveProject(status="OnHold"),
)
"""What is rare by chance ends every life."""


def comparable(state: ProjectState) -> dict[str, Any]:
    """The state without what the server alone knows: of ranks the order is left, of mentions nothing."""
    order = sorted(state.tasks.values(), key=lambda task: (task["stateId"], task["rank"], task["id"]))
    places = {task["id"]: place for place, task in enumerate(order)}
    tasks = [{**task, "rank": places[task["id"]]} for task in state.tasks.values()]
    comments = [{**comment, "mentions": []} for comment in state.comments.values()]
    return {**state.as_json(), "tasks": tasks, "comments": comments}


def _pending(step: Step, outcome: Decision[Any], result: Mapping[str, Any], now: str) -> PendingCommand:
    kind = type(step.command).__name__
    made = {MADE_IDS[kind]: result[MADE_IDS[kind]]} if kind in MADE_IDS else {}
    return PendingCommand("op", kind, {**step.command.as_json(), **made}, outcome.author, now)


def check(steps: Sequence[Step], foreseen: Counter[str]) -> None:
    """Lives a project, and foresees every command that is taken."""
    life = Life(ProjectActor(LIMITS), f"project/{PROJECT_ID}")
    replica = ProjectState()
    ending = [Step("go on", command, OWNER, 0, None) for command in _RARE]
    for number, step in enumerate([*opening(), *steps, *ending], 1):
        now = f"2026-03-01T12:{number // 60:02d}:{number % 60:02d}.000Z"
        outcome = life.decide(step.command, step.by, now=now, origin=step.origin, facts=FACTS)
        if not isinstance(outcome, Decision):
            continue
        guess = replica.copied()
        events = unpack_payload(life.take(outcome, now).payload)[0]
        wire: Any = {"author": outcome.author, "at": outcome.at, "events": events}
        evolve(replica, wire)
        pending = _pending(step, outcome, life.actor.answer(outcome.events), now)
        if step.origin is not None or not is_foreseen(pending.type) or _comes_again(outcome):
            continue
        show(guess, pending)
        assert comparable(guess) == comparable(replica), pending.type
        _check_twice(replica, pending)
        foreseen[pending.type] += bool(outcome.events)


def _comes_again(outcome: Decision[Any]) -> bool:
    """The next task of a recurring one is made by the server, which alone knows what came after what."""
    kinds = {event.kind for event in outcome.events}
    edits = [event for event in outcome.events if isinstance(event, TaskEdited)]
    stays = "TaskRestored" in kinds and any("recurrence" in edit.changes for edit in edits)
    return "TaskRecurred" in kinds or stays


def _check_twice(replica: ProjectState, pending: PendingCommand) -> None:
    """A command whose entry is there already changes nothing, were it shown once more."""
    once = replica.copied()
    show(once, pending)
    assert once == replica, f"{pending.type} is shown twice"


def test_what_is_foreseen_is_what_happens_and_is_shown_once() -> None:
    foreseen: Counter[str] = Counter()

    live_many(PROJECT_LIVES, lambda steps: check(steps, foreseen), runs=6, lives_per_run=8)
    assert {kind for kind, times in foreseen.items() if times} == {*FORESEEN, "EditTasks"}


def test_a_wrong_foresight_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pantherahive_client.foresight.comments.living", lambda state, task_id: None)
    with pytest.raises(AssertionError, match="Comment"):
        live_many(PROJECT_LIVES, lambda steps: check(steps, Counter()), runs=2, lives_per_run=8)
