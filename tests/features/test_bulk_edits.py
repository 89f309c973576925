"""Many edits in one entry: a result per item, the same for every retry, and none that stops another."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from actors.project.sizes import ENTRY_CHARACTERS_MAX
from protocol.errors import ErrorCode, Rejection
from protocol.projects import EditProject
from protocol.tasks import EDITS_PER_COMMAND_MAX, CreateTask, EditTask, EditTasks, TaskEdited, TaskEditsJudged
from tests.actors.given import (
    ADMIN,
    COMMENTER,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
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

A, B, C, NOBODY = (uuid(0x600 + number) for number in range(4))


def three_tasks() -> Life:
    life = a_team()
    life.given(*((MEMBER, CreateTask(task_id=task_id, title="old")) for task_id in (A, B, C)))
    return life


def bulk(*edits: EditTask) -> EditTasks:
    return EditTasks(edits=list(edits))


def results(life: Life, command: EditTasks, **how: Any) -> list[dict[str, Any]]:
    """The items of the ack, which a retry gets as well."""
    events = happened(life.send(command, MEMBER, **how))
    given: dict[str, Any] = life.actor.answer(events)
    assert life.actor.answer(events_of(life.entries[-1])) == given, "a retry gets another answer"
    assert life.replayed() == life.state
    items: list[dict[str, Any]] = given["items"]
    return items


def codes(items: list[dict[str, Any]]) -> list[str]:
    return ["ok" if item.get("ok") else str(item["error"]["code"]) for item in items]


def test_refused_items_stop_no_other() -> None:
    life = three_tasks()
    items = results(
        life,
        bulk(
            EditTask(task_id=A, title="new", add_labels=["x"]),
            EditTask(task_id=NOBODY, title="new"),
            EditTask(task_id=B, state_id="nowhere"),
            EditTask(task_id=C, title="old"),
        ),
        now=LATER,
    )
    assert [item["taskId"] for item in items] == [A, NOBODY, B, C]
    assert codes(items) == ["ok", "not_found", "not_found", "ok"]
    assert items[2]["error"] == {
        "code": "not_found",
        "message": "no such state in this project",
        "retryable": False,
        "details": {"what": "state"},
    }
    assert [event.kind for event in events_of(life.entries[-1])] == ["TaskEdited", "TaskEditsJudged"]
    assert (life.state.tasks[A]["title"], life.state.tasks[A]["updatedAt"]) == ("new", LATER)


def test_an_item_is_judged_after_those_before_it() -> None:
    life = three_tasks()
    edits = [EditTask(task_id=task_id, state_id="done") for task_id in (B, A, C)]
    assert codes(results(life, bulk(*edits))) == ["ok"] * 3
    ranks = {task["id"]: task["rank"] for task in project_state(life).tasks.values()}
    assert sorted(ranks, key=lambda task_id: ranks[task_id]) == [B, A, C], "each at the end of what was before it"
    assert len(set(ranks.values())) == 3


def test_nothing_at_all_is_still_answered() -> None:
    life = three_tasks()
    [judged] = happened(life.send(bulk(EditTask(task_id=A, title="old"), EditTask(task_id=NOBODY)), MEMBER))
    assert isinstance(judged, TaskEditsJudged)
    assert codes(life.actor.answer([judged])["items"]) == ["ok", "not_found"]


def test_a_base_is_judged_for_each_item_by_itself() -> None:
    life = three_tasks()
    base = len(life.entries)
    life.given((ADMIN, EditTask(task_id=B, title="theirs", description="t" * 500)))
    edits = bulk(*(EditTask(task_id=task_id, title="mine", description="m" * 500) for task_id in (A, B, C)))
    items = results(life, edits, base=base)
    assert codes(items) == ["ok", "conflict", "ok"]
    fields = items[1]["error"]["details"]["fields"]
    assert [(field["field"], field["author"]) for field in fields] == [("title", ADMIN.id), ("description", ADMIN.id)]
    assert (fields[0]["yours"], fields[0]["current"]) == ("mine", "theirs")
    assert (fields[1]["current"], fields[1]["shortened"]) == ("t" * 100, True)
    assert life.state.tasks[B]["title"] == "theirs"
    ahead = life.decide(edits, MEMBER, base=99)
    assert isinstance(ahead, Rejection)
    assert (ahead.code, ahead.details["reason"]) == (ErrorCode.INVALID, "base_in_future")


def test_what_concerns_all_refuses_all() -> None:
    life = three_tasks()
    command = bulk(EditTask(task_id=A, title="new"))
    for person in (COMMENTER, VIEWER):
        assert refused(life.decide(command, person)) == FORBIDDEN
    assert refused(life.decide(command, STRANGER)) == NOT_FOUND
    assert refused(life.decide(command, OWNER, origin=as_imported())) == broken("import_closed")
    life.given((OWNER, EditProject(status="Archived")))
    assert refused(life.decide(command, MEMBER)) == broken("project_archived")


def test_an_entry_stays_of_bounded_size() -> None:
    life = a_team()
    tasks = [uuid(0x700 + number) for number in range(ENTRY_CHARACTERS_MAX // 100_000 + 1)]
    life.given(*((MEMBER, CreateTask(task_id=task_id, title="x", description="x" * 100_000)) for task_id in tasks))
    items = results(life, bulk(*(EditTask(task_id=task_id, description="y") for task_id in tasks)))
    assert codes(items) == ["ok"] * (len(tasks) - 2) + ["rule_broken"] * 2
    assert items[-1]["error"]["details"] == {"reason": "bulk_characters_limit"}


@pytest.mark.parametrize(
    "edits",
    [
        [],
        [{"taskId": A, "title": "x"}, {"taskId": A, "title": "y"}],
        [{"taskId": uuid(number)} for number in range(EDITS_PER_COMMAND_MAX + 1)],
        [{"taskId": A, "rank": "a1"}],
    ],
)
def test_what_does_not_fit_is_no_command(edits: list[Any]) -> None:
    with pytest.raises(ValidationError):
        EditTasks.model_validate({"edits": edits})


def test_each_edit_leaves_its_own_event() -> None:
    life = three_tasks()
    events = happened(life.decide(bulk(EditTask(task_id=A, title="a"), EditTask(task_id=B, title="b")), MEMBER))
    assert [event.task_id for event in events if isinstance(event, TaskEdited)] == [A, B]


def test_two_items_close_no_cycle_together() -> None:
    life = three_tasks()
    command = bulk(EditTask(task_id=A, parent_id=B), EditTask(task_id=B, parent_id=A), EditTask(task_id=C, parent_id=A))
    before = deepcopy(life.state)
    life.decide(command, MEMBER)
    assert life.state == before, "a decision has changed the state"
    assert codes(results(life, command)) == ["ok", "rule_broken", "ok"]
