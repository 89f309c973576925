"""What others did to something that was away since: neither a way back nor an undo makes it nobody's."""

from __future__ import annotations

import pytest

from protocol.custom_fields import DefineField, EditField, RemoveField
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.milestones import CreateMilestone, DeleteMilestone, EditMilestone
from protocol.tasks import CreateTask, EditTask
from protocol.timetravel import RestoreProjectTo
from tests.actors.given import ADMIN, LATER, MEMBER, OTHER_TASK, OWNER, TASK, Life, a_task, happened, refused, uuid
from tests.actors.undoing import newest, redo, restore, undo

MILESTONE, FIELD = (uuid(0x900 + number) for number in range(2))
LAST = "2026-03-03T12:00:00.000Z"
CHANGED = (ErrorCode.CONFLICT, "changed_by_others")

Maker = tuple[Command, Command]
A_MILESTONE: Maker = (CreateMilestone(milestone_id=MILESTONE, name="One"), DeleteMilestone(milestone_id=MILESTONE))
A_FIELD: Maker = (DefineField(field_id=FIELD, name="Notes", type="text"), RemoveField(field_id=FIELD))


def back_and_gone(maker: Maker, *meanwhile: Command) -> tuple[Life, int]:
    """The owner's own milestone or field, deleted, back by the way back, and gone again by it.

    The seq is that of the first deletion.
    """
    life = a_task()
    make, remove = maker
    life.given((OWNER, make), (OWNER, remove))
    meant = newest(life)
    happened(restore(life, RestoreProjectTo(as_of=meant - 1), OWNER, LATER))
    life.given(*((ADMIN, command) for command in meanwhile), now=LATER)
    happened(restore(life, RestoreProjectTo(as_of=meant), OWNER, LATER))
    return life, meant


EDITED = EditMilestone(milestone_id=MILESTONE, description="theirs")
RENAMED = EditField(field_id=FIELD, name="theirs")
FILLED = EditTask(task_id=TASK, fields={FIELD: "theirs"})


@pytest.mark.parametrize(("maker", "theirs"), [(A_MILESTONE, EDITED), (A_FIELD, RENAMED), (A_FIELD, FILLED)])
def test_what_others_changed_while_it_was_back_is_not_lost_to_the_older_deletions_undo(
    maker: Maker, theirs: Command
) -> None:
    life, meant = back_and_gone(maker, theirs)
    outcome = undo(life, meant, OWNER)
    assert refused(outcome) == CHANGED
    assert isinstance(outcome, Rejection)
    [field] = outcome.details["fields"]
    assert outcome.message.endswith(field["what"])
    assert (field["field"], field["before"], field["current"]) == ("present", True, False)
    assert (field["author"], field["at"], field["seq"]) == (ADMIN.id, LATER, newest(life) - 1)
    happened(undo(life, newest(life), OWNER))
    described = [milestone["description"] for milestone in life.state.milestones.values()]
    named = [field["name"] for field in life.state.fields.values()]
    assert "theirs" in [*described, *named, *life.state.tasks[TASK]["fields"].values()], "the newer one brings it back"


@pytest.mark.parametrize("maker", [A_MILESTONE, A_FIELD])
def test_what_nobody_else_has_touched_in_between_comes_back(maker: Maker) -> None:
    life, meant = back_and_gone(maker)
    happened(undo(life, meant, OWNER))
    assert MILESTONE in life.state.milestones or FIELD in life.state.fields


def test_others_edits_stay_theirs_when_the_milestone_was_away() -> None:
    life = a_task()
    life.given((OWNER, A_MILESTONE[0]), (OWNER, EditMilestone(milestone_id=MILESTONE, description="mine", name="Two")))
    edited = newest(life)
    life.given((MEMBER, EDITED), (OWNER, A_MILESTONE[1]), now=LATER)
    happened(undo(life, newest(life), OWNER, LAST))
    assert refused(undo(life, edited, OWNER)) == CHANGED, "the edit of it"
    assert refused(undo(life, edited - 1, OWNER)) == CHANGED, "its making"


@pytest.mark.parametrize("theirs", [FILLED, CreateTask(task_id=OTHER_TASK, title="theirs", fields={FIELD: "theirs"})])
def test_others_values_stay_theirs_when_the_field_was_away(theirs: Command) -> None:
    life = a_task()
    life.given((OWNER, A_FIELD[0]), (OWNER, EditTask(task_id=TASK, fields={FIELD: "mine"})))
    meant = newest(life)
    life.given((MEMBER, theirs), (OWNER, A_FIELD[1]), now=LATER)
    happened(undo(life, newest(life), OWNER, LATER))
    assert refused(undo(life, meant - 1, OWNER)) == CHANGED
    if theirs == FILLED:
        assert refused(undo(life, meant, OWNER)) == CHANGED


@pytest.mark.parametrize(
    "theirs",
    [
        EditTask(task_id=TASK, milestone_id=MILESTONE),
        CreateTask(task_id=OTHER_TASK, title="theirs", milestone_id=MILESTONE),
    ],
)
def test_tasks_that_others_put_in_a_milestone_hold_it_when_it_was_away(theirs: Command) -> None:
    life = a_task()
    life.given((OWNER, A_MILESTONE[0]))
    made = newest(life)
    life.given((MEMBER, theirs), (OWNER, A_MILESTONE[1]), now=LATER)
    deleted = newest(life)
    happened(undo(life, deleted, OWNER, LAST))
    assert refused(undo(life, made, OWNER)) == CHANGED
    happened(redo(life, deleted, OWNER))
    assert life.state.milestones == {}


def test_a_value_of_a_field_that_is_gone_holds_no_task() -> None:
    life = a_task()
    life.given((OWNER, A_FIELD[0]), (OWNER, CreateTask(task_id=OTHER_TASK, title="mine")))
    made = newest(life)
    life.given((MEMBER, EditTask(task_id=OTHER_TASK, fields={FIELD: "theirs"})))
    assert refused(undo(life, made, OWNER)) == CHANGED
    life.given((ADMIN, A_FIELD[1]))
    happened(undo(life, made, OWNER))
    assert life.state.tasks[OTHER_TASK]["deletedAt"] is not None
