"""Templates: what a new project takes over, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project import templates
from actors.project.decider import ProjectActor
from actors.project.sizes import characters_of
from actors.project.templates import Template, view_template
from actors.runtime.actor import Decision
from protocol.comments import AddComment
from protocol.custom_fields import DefineField, EditField
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.links import AddLink
from protocol.milestones import CreateMilestone, EditMilestone
from protocol.projects import DEFAULT_STATES, CreateProject, DeleteProject, EditProject
from protocol.roles import DefineRole
from protocol.tasks import CreateTask, DeleteTask, EditTask
from tests.actors.given import (
    COMMENT,
    FACTS,
    LATER,
    MEMBER,
    NOT_FOUND,
    OTHER_TASK,
    OWNER,
    STRANGER,
    TASK,
    Life,
    a_team,
    broken,
    events_of,
    happened,
    project_state,
    refused,
    uuid,
)

COPY = f"project/{uuid(0xB)}"
FIELD, MILESTONE, GONE = uuid(0x601), uuid(0x501), uuid(0x203)
STATES = [*DEFAULT_STATES[:3], DEFAULT_STATES[3]]


def a_template() -> Life:
    """Two living tasks with all that tasks can have, one of them closed, and a deleted one between them."""
    life = a_team()
    dated: dict[str, Any] = {"start_date": "2026-03-01", "due_date": "2026-03-09"}
    life.given(
        (OWNER, EditProject(description="How we fly", states=STATES)),
        (OWNER, DefineRole(name="Pilot", permissions=["task.edit"])),
        (OWNER, DefineField(field_id=FIELD, name="Note", type="text")),
        (MEMBER, CreateMilestone(milestone_id=MILESTONE, name="Beta", due_date="2026-03-09")),
        (MEMBER, EditMilestone(milestone_id=MILESTONE, status="Closed")),
        (MEMBER, CreateTask(task_id=TASK, title="Fly", labels=["go"], assignee_ids=[MEMBER.id], **dated)),
        (MEMBER, CreateTask(task_id=GONE, title="Gone")),
        (MEMBER, CreateTask(task_id=OTHER_TASK, title="Land", parent_id=TASK, milestone_id=MILESTONE)),
        (MEMBER, EditTask(task_id=OTHER_TASK, state_id="done", fields={FIELD: "softly"})),
        (MEMBER, AddLink(type="precedes", task_id=TASK, other_id=GONE)),
        (MEMBER, AddLink(type="relates", task_id=TASK, other_id=OTHER_TASK)),
        (MEMBER, AddComment(comment_id=COMMENT, task_id=TASK, body="said")),
        (MEMBER, DeleteTask(task_id=GONE)),
    )
    return life


def template_of(life: Life) -> Template:
    found = view_template(project_state(life), OWNER)
    assert isinstance(found, Template), found
    return found


def a_copy(template: Template | Rejection, **fields: Any) -> Life:
    life = Life(ProjectActor(), COPY)
    command = CreateProject(name="Gemini", template_id=uuid(0xA), **fields)
    outcome = life.send(command, STRANGER, now=LATER, facts={**FACTS, "projectKey": "GEM", "template": template})
    assert isinstance(outcome, Decision), outcome
    return life


def test_work_is_copied_and_nothing_that_belongs_to_people_or_days() -> None:
    state = project_state(a_copy(template_of(a_template())))
    assert state.project is not None
    assert (state.project["name"], state.project["description"]) == ("Gemini", "How we fly")
    assert state.project["states"] == STATES
    assert list(state.members) == [STRANGER.id]
    fly, land = state.tasks.values()
    assert (fly["key"], fly["title"], fly["labels"]) == ("GEM-1", "Fly", ["go"])
    assert (land["key"], land["title"], land["fields"]) == ("GEM-2", "Land", {next(iter(state.fields)): "softly"})
    assert (fly["assigneeIds"], fly["watcherIds"], fly["startDate"], fly["dueDate"]) == ([], [], None, None)
    assert {task["createdBy"] for task in (fly, land)} == {STRANGER.id}
    assert {task["createdAt"] for task in (fly, land)} == {LATER}
    [role], [field], [milestone] = state.roles.values(), state.fields.values(), state.milestones.values()
    assert (role["name"], field["name"], milestone["name"]) == ("Pilot", "Note", "Beta")
    assert (milestone["status"], milestone["dueDate"], milestone["closedAt"]) == ("Open", None, None)
    assert (land["parentId"], land["milestoneId"]) == (fly["id"], milestone["id"])
    assert state.comments == {}


def test_a_rule_comes_along_without_the_days_of_the_dates_that_stay_behind() -> None:
    life, rule = a_template(), {"every": 1, "unit": "month"}
    life.given(
        (MEMBER, EditTask.model_validate({"taskId": TASK, "recurrence": {**rule, "startDay": 30, "dueDay": 31}}))
    )
    fly, land = project_state(a_copy(template_of(life))).tasks.values()
    assert (fly["recurrence"], land["recurrence"]) == (rule, None)


def test_closed_tasks_begin_again_behind_the_open_ones() -> None:
    state = project_state(a_copy(template_of(a_template())))
    fly, land = state.tasks.values()
    assert (fly["stateId"], land["stateId"], land["closedAt"]) == ("backlog", "backlog", None)
    assert [task_id for _, task_id in state.cards["backlog"]] == [fly["id"], land["id"]]


def test_links_between_living_tasks_come_along_with_ids_of_their_own() -> None:
    life = a_template()
    state = project_state(a_copy(template_of(life)))
    fly, land = state.tasks.values()
    [link] = state.links.values()
    assert (link["type"], link["taskId"], link["otherId"]) == ("relates", fly["id"], land["id"])
    assert not {*state.tasks, *state.fields, *state.milestones} & {TASK, OTHER_TASK, GONE, FIELD, MILESTONE}


def test_what_the_author_says_counts_more_than_the_template() -> None:
    state = project_state(a_copy(template_of(a_template()), description="Mine", states=list(DEFAULT_STATES[1:4])))
    assert state.project is not None
    assert state.project["description"] == "Mine"
    assert {task["stateId"] for task in state.tasks.values()} == {"todo"}


def test_one_entry_holds_it_all_and_its_answer_names_the_project() -> None:
    life = a_copy(template_of(a_template()))
    [entry] = life.entries
    assert life.actor.answer(events_of(entry)) == {"projectId": uuid(0xB), "key": "GEM"}
    assert entry.author == STRANGER.id


def test_who_may_not_look_at_it_has_no_template() -> None:
    life = a_template()
    assert refused(view_template(project_state(life), STRANGER)) == NOT_FOUND
    life.given((OWNER, DeleteProject()))
    assert refused(view_template(project_state(life), MEMBER)) == NOT_FOUND


def test_a_refused_template_refuses_the_project() -> None:
    life = Life(ProjectActor(), COPY)
    command = CreateProject(name="Gemini", template_id=uuid(0xA))
    missing = Rejection(ErrorCode.NOT_FOUND, "no such project")
    assert life.send(command, OWNER, facts={"template": missing}) == missing
    assert happened(life.send(CreateProject(name="Gemini"), OWNER))


@pytest.mark.parametrize("limit", ["TASKS_MAX", "LINKS_MAX", "CHARACTERS_MAX"])
def test_a_large_project_is_no_template(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    life = a_template()
    monkeypatch.setattr(templates, limit, 0)
    assert refused(view_template(project_state(life), OWNER)) == broken("template_too_large")


@pytest.mark.parametrize(
    "longer",
    [
        EditProject(description="How we fly!"),
        EditProject(states=[*STATES[:-1], {**STATES[-1], "name": STATES[-1]["name"] + "!"}]),
        DefineRole(name="Crew", permissions=[]),
        DefineField(name="Fuel", type="choice", choices=[{"id": "high", "name": "High"}]),
        EditField(field_id=FIELD, name="Notes"),
        EditMilestone(milestone_id=MILESTONE, name="Beta!"),
        EditMilestone(milestone_id=MILESTONE, description="!"),
        EditTask(task_id=TASK, title="Fly!"),
        EditTask(task_id=TASK, description="!"),
        EditTask(task_id=TASK, add_labels=["!"]),
        EditTask(task_id=TASK, fields={FIELD: "!"}),
    ],
)
def test_every_text_counts_that_the_copy_would_hold(monkeypatch: pytest.MonkeyPatch, longer: Command) -> None:
    life = a_template()
    [entry] = a_copy(template_of(life)).entries
    held = sum(characters_of(event) for event in events_of(entry)) - len("Gemini")
    monkeypatch.setattr(templates, "CHARACTERS_MAX", held)
    template_of(life)
    life.given((OWNER, longer))
    assert refused(view_template(project_state(life), OWNER)) == broken("template_too_large")


def test_what_the_copy_leaves_behind_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    life = a_template()
    [entry] = a_copy(template_of(life)).entries
    monkeypatch.setattr(templates, "CHARACTERS_MAX", sum(characters_of(event) for event in events_of(entry)))
    life.given(
        (MEMBER, AddComment(task_id=TASK, body="c" * 1000)),
        (MEMBER, EditTask(task_id=TASK, add_watchers=[OWNER.id])),
        (MEMBER, CreateTask(task_id=uuid(0x204), title="Gone", description="d" * 1000)),
        (MEMBER, DeleteTask(task_id=uuid(0x204))),
    )
    template_of(life)
