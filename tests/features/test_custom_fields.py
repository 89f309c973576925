"""Fields of a project's own: what is defined, which values fit, and what removal leaves."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from actors.project.custom_fields import list_fields
from actors.project.limits import ProjectLimits
from protocol.custom_fields import DefineField, EditField, FieldEdited, FieldRemoved, FieldValuesSet, RemoveField
from protocol.errors import ErrorCode, Rejection
from protocol.projects import DeleteProject, EditProject
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import (
    ADMIN,
    ALREADY_EXISTS,
    COMMENTER,
    FORBIDDEN,
    LATER,
    LONG_AGO,
    MEMBER,
    NOT_FOUND,
    NOW,
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
    happened,
    project_state,
    refused,
    uuid,
)

NOTE, WEIGHT, PARTY, COLOUR = (uuid(0x600 + n) for n in range(4))
RED: Any = {"id": "red", "name": "Red"}
BLUE: Any = {"id": "blue", "name": "Blue"}
WRONG_TYPE = (ErrorCode.RULE_BROKEN, "field_type")


def some_fields(limits: ProjectLimits | None = None) -> Life:
    life = a_task(limits)
    life.given(
        (ADMIN, DefineField(field_id=NOTE, name="Note", type="text")),
        (ADMIN, DefineField(field_id=WEIGHT, name="Weight", type="number")),
        (ADMIN, DefineField(field_id=PARTY, name="Party", type="date")),
        (ADMIN, DefineField(field_id=COLOUR, name="Colour", type="choice", choices=[RED, BLUE])),
    )
    return life


def setting(**fields: Any) -> EditTask:
    named = {"note": NOTE, "weight": WEIGHT, "party": PARTY, "colour": COLOUR}
    return EditTask(task_id=TASK, fields={named[name]: value for name, value in fields.items()})


def test_a_field_is_defined_with_its_choices() -> None:
    life = a_team()
    [defined] = happened(life.send(DefineField(name="Colour", type="choice", choices=[RED, BLUE]), ADMIN))
    assert defined.field == {
        "id": defined.field["id"],
        "name": "Colour",
        "type": "choice",
        "choices": [{**RED, "retired": False}, {**BLUE, "retired": False}],
        "createdAt": NOW,
        "updatedAt": NOW,
    }
    assert life.actor.answer([defined]) == {"fieldId": defined.field["id"]}
    assert list_fields(project_state(life), VIEWER) == [defined.field]
    assert refused(list_fields(project_state(life), STRANGER)) == NOT_FOUND


def test_admins_define_and_members_fill_in() -> None:
    life = some_fields()
    for command in (
        DefineField(name="x", type="text"),
        EditField(field_id=NOTE, name="x"),
        RemoveField(field_id=NOTE),
    ):
        for person in (MEMBER, COMMENTER, VIEWER):
            assert refused(life.decide(command, person)) == FORBIDDEN
        assert refused(life.decide(command, STRANGER)) == NOT_FOUND
        assert happened(life.decide(command, ADMIN))
    assert happened(life.decide(setting(note="x"), MEMBER))
    assert refused(life.decide(setting(note="x"), COMMENTER)) == FORBIDDEN


def test_names_and_ids_are_there_once() -> None:
    life = some_fields()
    assert refused(life.decide(DefineField(name="NOTE", type="date"), ADMIN)) == ALREADY_EXISTS
    assert refused(life.decide(DefineField(field_id=NOTE, name="Other", type="text"), ADMIN)) == ALREADY_EXISTS
    assert refused(life.decide(EditField(field_id=WEIGHT, name="note"), ADMIN)) == ALREADY_EXISTS
    [edited] = happened(life.decide(EditField(field_id=NOTE, name="NOTE"), ADMIN))
    assert edited == FieldEdited(field_id=NOTE, changes={"name": "NOTE"}, was={"name": "Note"})
    twins = [RED, {"id": "rot", "name": "RED"}]
    assert refused(life.decide(DefineField(name="x", type="choice", choices=twins), ADMIN)) == ALREADY_EXISTS
    with pytest.raises(ValidationError):
        DefineField(name="x", type="choice", choices=[RED, RED])


def test_only_choice_fields_have_choices() -> None:
    life = some_fields()
    wrong = life.decide(DefineField(name="x", type="text", choices=[RED]), ADMIN)
    assert isinstance(wrong, Rejection)
    assert (wrong.code, wrong.details["field"]) == (ErrorCode.RULE_BROKEN, "choices")
    assert refused(life.decide(EditField(field_id=NOTE, add_choices=[RED]), ADMIN)) == refused(wrong)


def test_the_zero_has_no_sign() -> None:
    """The columns of the read tables have none, so the state would say something else than they do."""
    life = some_fields()
    said = {"fields": {WEIGHT: -0.0}, "estimate": -0.0}
    life.given((MEMBER, EditTask.model_validate({"taskId": TASK, **said})))
    life.given((MEMBER, CreateTask.model_validate({"taskId": uuid(0x700), "title": "x", **said})))
    for task in life.state.tasks.values():
        assert repr((task["fields"][WEIGHT], task["estimate"])) == "(0.0, 0.0)"
    stored = FieldValuesSet(task_id=TASK, values={WEIGHT: -0.0}, was={WEIGHT: None})
    assert repr(stored.values[WEIGHT]) == "-0.0", "an older log is replayed as it is"


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("words\nand more", {"note"}),
        (3, {"weight"}),
        (-0.5, {"weight"}),
        ("2026-02-28", {"note", "party"}),
        ("red", {"note", "colour"}),
        ("2026-02-30", {"note"}),
        ("20260228", {"note"}),
        ("3", {"note"}),
    ],
)
def test_values_have_the_type_of_their_field(value: Any, fits: set[str]) -> None:
    life = some_fields()
    for name in ("note", "weight", "party", "colour"):
        for command in (setting(**{name: value}), CreateTask(title="x", fields=setting(**{name: value}).fields)):
            outcome = life.decide(command, MEMBER)
            if name in fits:
                assert happened(outcome)
            else:
                assert refused(outcome) == (NOT_FOUND if name == "colour" else WRONG_TYPE)


@pytest.mark.parametrize("value", [True, "", "x" * 2001, "nul\x00", 2**53, float("nan"), float("inf"), ["x"], {}])
def test_what_is_no_value_at_all_does_not_fit_the_schema(value: Any) -> None:
    for model in (EditTask, CreateTask):
        with pytest.raises(ValidationError):
            model.model_validate({"taskId": TASK, "title": "x", "fields": {NOTE: value}})


def test_an_edit_says_what_the_values_were() -> None:
    life = some_fields()
    [first] = happened(life.send(setting(note="one", weight=2), MEMBER))
    assert first == FieldValuesSet(task_id=TASK, values={NOTE: "one", WEIGHT: 2.0}, was={NOTE: None, WEIGHT: None})
    edit = EditTask(task_id=TASK, title="y", fields={NOTE: None, WEIGHT: 2, PARTY: "2026-05-01"})
    [edited, valued] = happened(life.send(edit, MEMBER, now=LATER))
    assert edited.changes == {"title": "y"}
    assert valued == FieldValuesSet(
        task_id=TASK, values={NOTE: None, PARTY: "2026-05-01"}, was={NOTE: "one", PARTY: None}
    )
    task = project_state(life).tasks[TASK]
    assert (task["fields"], task["updatedAt"]) == ({WEIGHT: 2.0, PARTY: "2026-05-01"}, LATER)
    assert happened(life.decide(edit, MEMBER)) == []


def test_a_task_may_begin_with_values_and_unknown_fields_are_not_found() -> None:
    life = some_fields()
    created = CreateTask(title="x", fields={NOTE: "one", PARTY: None})
    [event] = happened(life.send(created, MEMBER))
    assert event.task["fields"] == {NOTE: "one"}
    assert refused(life.decide(CreateTask(title="x", fields={uuid(1): "one"}), MEMBER)) == NOT_FOUND
    assert refused(life.decide(EditTask(task_id=TASK, fields={uuid(1): "one"}), MEMBER)) == NOT_FOUND


def test_choices_are_added_renamed_and_retired() -> None:
    life = some_fields()
    life.given((MEMBER, setting(colour="red")))
    green: Any = {"id": "green", "name": "Green"}
    edit = EditField(
        field_id=COLOUR, add_choices=[green], rename_choices=[{"id": "blue", "name": "Navy"}], retire_choices=["red"]
    )
    [edited] = happened(life.send(edit, ADMIN, now=LATER))
    assert edited.was == {"choices": [{**RED, "retired": False}, {**BLUE, "retired": False}]}
    assert edited.changes == {
        "choices": [
            {**RED, "retired": True},
            {"id": "blue", "name": "Navy", "retired": False},
            {**green, "retired": False},
        ]
    }
    assert project_state(life).fields[COLOUR]["updatedAt"] == LATER
    assert project_state(life).tasks[TASK]["fields"] == {COLOUR: "red"}
    assert happened(life.decide(setting(colour="red"), MEMBER)) == []
    assert refused(life.decide(CreateTask(title="x", fields={COLOUR: "red"}), MEMBER)) == broken("choice_retired")
    happened(life.send(EditField(field_id=COLOUR, add_choices=[{"id": "red", "name": "Crimson"}]), ADMIN))
    assert project_state(life).fields[COLOUR]["choices"][0] == {"id": "red", "name": "Crimson", "retired": False}
    happened(life.decide(CreateTask(title="x", fields={COLOUR: "red"}), MEMBER))


def test_edits_of_choices_that_do_not_fit_are_refused() -> None:
    life = some_fields()
    for edit, code in (
        (EditField(field_id=COLOUR, add_choices=[RED]), ErrorCode.ALREADY_EXISTS),
        (EditField(field_id=COLOUR, rename_choices=[{"id": "green", "name": "x"}]), ErrorCode.NOT_FOUND),
        (EditField(field_id=COLOUR, rename_choices=[{"id": "red", "name": "BLUE"}]), ErrorCode.ALREADY_EXISTS),
        (EditField(field_id=COLOUR, retire_choices=["green"]), ErrorCode.NOT_FOUND),
        (EditField(field_id=uuid(1), name="x"), ErrorCode.NOT_FOUND),
    ):
        assert refused(life.decide(edit, ADMIN))[0] == code
    assert happened(life.decide(EditField(field_id=COLOUR, rename_choices=[RED]), ADMIN)) == []


def test_with_a_field_its_values_are_gone_and_its_id_is_free() -> None:
    life = some_fields()
    life.given(
        (MEMBER, setting(note="one", weight=2)),
        (MEMBER, CreateTask(task_id=OTHER_TASK, title="y", fields={NOTE: "two"})),
    )
    field = project_state(life).fields[NOTE]
    [removed] = happened(life.send(RemoveField(field_id=NOTE), ADMIN, now=LATER))
    assert removed == FieldRemoved(field_id=NOTE, was=field)
    tasks = project_state(life).tasks
    assert (tasks[TASK]["fields"], tasks[OTHER_TASK]["fields"]) == ({WEIGHT: 2.0}, {})
    assert tasks[TASK]["updatedAt"] == NOW
    assert life.replayed() == life.state
    assert refused(life.decide(RemoveField(field_id=NOTE), ADMIN)) == NOT_FOUND
    assert refused(life.decide(setting(note="one"), MEMBER)) == NOT_FOUND
    happened(life.send(DefineField(field_id=NOTE, name="Note", type="number"), ADMIN))
    assert project_state(life).tasks[TASK]["fields"] == {WEIGHT: 2.0}


def test_archived_and_deleted_projects_take_no_changes() -> None:
    life = some_fields()
    life.given((OWNER, EditProject(status="Archived")))
    wishes = (DefineField(name="x", type="text"), EditField(field_id=NOTE, name="x"), RemoveField(field_id=NOTE))
    for command in (*wishes, setting(note="x")):
        assert refused(life.decide(command, OWNER)) == broken("project_archived")
    life.given((OWNER, DeleteProject()))
    for command in wishes:
        assert refused(life.decide(command, OWNER)) == broken("project_deleted")


def test_everything_has_a_limit() -> None:
    life = some_fields(ProjectLimits(fields_max=4, choices_per_field_max=2))
    assert refused(life.decide(DefineField(name="x", type="text"), ADMIN)) == broken("fields_limit")
    more = EditField(field_id=COLOUR, add_choices=[{"id": "green", "name": "Green"}], retire_choices=["red"])
    assert refused(life.decide(more, ADMIN)) == broken("choices_limit")


def test_history_brings_its_fields() -> None:
    life = a_team()
    [defined] = happened(life.send(DefineField(field_id=NOTE, name="Note", type="text"), OWNER, origin=as_imported()))
    assert defined.field["createdAt"] == LONG_AGO
    old = CreateTask(task_id=TASK, title="old", fields={NOTE: "one"})
    happened(life.send(old, OWNER, origin=as_imported()))
    happened(life.send(setting(note="two"), OWNER, origin=as_imported()))
    assert not project_state(life).live


def test_two_who_set_different_fields_both_succeed_and_the_same_one_is_refused_with_both_values() -> None:
    life = some_fields()
    base = len(life.entries)
    life.given((ADMIN, setting(note="hers")))
    happened(life.decide(setting(weight=1), MEMBER, base=base))
    conflict = life.decide(setting(note="mine", weight=1), MEMBER, base=base)
    assert isinstance(conflict, Rejection)
    [field] = conflict.details["fields"]
    assert (field["field"], field["yours"], field["current"]) == (f"fields.{NOTE}", "mine", "hers")
    assert field["author"] == ADMIN.id
    life.given((ADMIN, RemoveField(field_id=NOTE)))
    life.given((ADMIN, DefineField(field_id=NOTE, name="Note", type="text")), now=LATER)
    happened(life.decide(setting(note="mine"), MEMBER, base=base))
