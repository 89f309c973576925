"""A template for random lives to begin with: a task of each kind, and everything that they speak of."""

from __future__ import annotations

from functools import cache

from actors.project.decider import ProjectActor
from actors.project.templates import Template, view_template
from protocol.custom_fields import DefineField
from protocol.links import AddLink
from protocol.milestones import CreateMilestone
from protocol.projects import CreateProject
from protocol.roles import DefineRole
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import OWNER, Life, uuid

FIELD, MILESTONE, FIRST, SECOND = (uuid(0x900 + number) for number in range(4))


@cache
def template() -> Template:
    """The same one every time; nothing of it may change."""
    life = Life(ProjectActor(), f"project/{uuid(0x999)}")
    life.given(
        (OWNER, CreateProject(name="Template")),
        (OWNER, DefineRole(name="Pilot", permissions=["task.edit"])),
        (OWNER, DefineField(field_id=FIELD, name="Note", type="text")),
        (OWNER, CreateMilestone(milestone_id=MILESTONE, name="Beta")),
        (
            OWNER,
            CreateTask(task_id=FIRST, title="First", fields={FIELD: "noted"}, recurrence={"every": 1, "unit": "day"}),
        ),
        (OWNER, CreateTask(task_id=SECOND, title="Second", milestone_id=MILESTONE, parent_id=FIRST)),
        (OWNER, EditTask(task_id=SECOND, state_id="done")),
        (OWNER, AddLink(type="relates", task_id=FIRST, other_id=SECOND)),
    )
    found = view_template(life.state, OWNER)
    assert isinstance(found, Template)
    return found
