"""Templates: what a new project takes over from one that its author may look at. Work, but no people and no history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from actors.project.dating import Dating
from actors.project.permissions import broken, no_project, refusal
from actors.project.recurring_dates import without_days_of_no_date
from actors.project.sizes import ENTRY_CHARACTERS_MAX, written
from actors.project.state import CLOSED_GROUPS, ProjectState
from actors.runtime.actor import Context
from protocol.custom_fields import FieldDefined, FieldView
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.links import LinkAdded, LinkView
from protocol.messages import ProjectEvent
from protocol.milestones import MilestoneCreated, MilestoneView
from protocol.projects import ProjectView, WorkflowState
from protocol.ranks import rank_of_number
from protocol.roles import RoleDefined, RoleView
from protocol.tasks import TaskCreated, TaskView

TASKS_MAX: Final = 1000
LINKS_MAX: Final = 5000
CHARACTERS_MAX: Final = ENTRY_CHARACTERS_MAX
"""A copy is one entry, so it is bounded: so many tasks and links, and so long texts of everything that is copied.

Those are the texts of the project itself with its states, and of its roles, fields with choices, milestones and tasks.
"""


Ids = Mapping[str, str]
"""Id in the template → id in the copy."""


@dataclass(frozen=True, slots=True)
class Template:
    """What is copied. `tasks` stand in the order of their numbers; tombstones and their links are left out."""

    description: str
    states: Sequence[WorkflowState]
    roles: Sequence[RoleView]
    fields: Sequence[FieldView]
    milestones: Sequence[MilestoneView]
    tasks: Sequence[TaskView]
    links: Sequence[LinkView]


def view_template(state: ProjectState, principal: Principal) -> Template | Rejection:
    """The project as a template, or why it is none for this principal."""
    refused = refusal(state, principal, "project.view")
    if refused is not None or state.project is None:
        return refused or no_project()
    tasks = [task for task in state.tasks.values() if task["deletedAt"] is None]
    alive = {task["id"] for task in tasks}
    links = [link for link in state.links.values() if link["taskId"] in alive and link["otherId"] in alive]
    template = Template(
        state.project["description"],
        state.project["states"],
        list(state.roles.values()),
        list(state.fields.values()),
        list(state.milestones.values()),
        tasks,
        links,
    )
    if len(tasks) <= TASKS_MAX and len(links) <= LINKS_MAX and _characters(template) <= CHARACTERS_MAX:
        return template
    return broken(
        "template_too_large",
        f"a template has at most {TASKS_MAX} tasks, {LINKS_MAX} links and {CHARACTERS_MAX} characters in its texts",
    )


def _characters(template: Template) -> int:
    """As in the entry of the copy: by the same measure as what any other entry holds."""
    project = {"description": template.description, "states": template.states}
    records = [*template.roles, *template.fields, *template.milestones, *template.tasks]
    return written(project) + sum(written(record) for record in records)


def copied(template: Template, project: ProjectView, dating: Dating, context: Context) -> Sequence[ProjectEvent]:
    """The events that follow the creation of `project`. Everything gets an id of its own."""
    tasks = _Tasks(template, project, dating, context)
    return [
        *(RoleDefined(role=_role(role, context, dating)) for role in template.roles),
        *(FieldDefined(field=_field(field, tasks.ids, dating)) for field in template.fields),
        *(MilestoneCreated(milestone=_milestone(one, tasks.ids, dating)) for one in template.milestones),
        *(TaskCreated(task=task) for task in tasks.made()),
        *(LinkAdded(link=_link(link, tasks.ids, context, dating)) for link in template.links),
    ]


def _role(role: RoleView, context: Context, dating: Dating) -> RoleView:
    return {**role, "id": context.new_id(), "createdAt": dating.at, "updatedAt": dating.at}


def _field(field: FieldView, ids: Ids, dating: Dating) -> FieldView:
    return {**field, "id": ids[field["id"]], "createdAt": dating.at, "updatedAt": dating.at}


def _link(link: LinkView, ids: Ids, context: Context, dating: Dating) -> LinkView:
    return {
        "id": context.new_id(),
        "type": link["type"],
        "taskId": ids[link["taskId"]],
        "otherId": ids[link["otherId"]],
        "createdBy": dating.author,
        "createdAt": dating.at,
    }


def _milestone(milestone: MilestoneView, ids: Ids, dating: Dating) -> MilestoneView:
    return {
        "id": ids[milestone["id"]],
        "name": milestone["name"],
        "description": milestone["description"],
        "status": "Open",
        "startDate": None,
        "dueDate": None,
        "createdBy": dating.author,
        "createdAt": dating.at,
        "updatedAt": dating.at,
        "closedAt": None,
    }


class _Tasks:
    """The tasks of the copy, numbered from 1, in the order in which the template shows them in each state."""

    def __init__(self, template: Template, project: ProjectView, dating: Dating, context: Context) -> None:
        self._template = template
        self._project = project
        self._dating = dating
        records: Sequence[FieldView | MilestoneView | TaskView] = [
            *template.fields,
            *template.milestones,
            *template.tasks,
        ]
        # Of everything that tasks and links speak of.
        self.ids: Ids = {record["id"]: context.new_id() for record in records}
        # State → how many tasks it has so far.
        self._ranked: Counter[str] = Counter()
        self._open = {state["id"] for state in project["states"] if state["group"] not in CLOSED_GROUPS}
        states = [state["id"] for state in project["states"]]
        self._first = next((state_id for state_id in states if state_id in self._open), states[0])

    def made(self) -> Sequence[TaskView]:
        """The new tasks by their numbers."""
        board = sorted(self._template.tasks, key=lambda task: (task["closedAt"] is not None, task["rank"]))
        places = {task["id"]: self._place(task) for task in board}
        return [self._task(number, task, *places[task["id"]]) for number, task in enumerate(self._template.tasks, 1)]

    def _place(self, task: TaskView) -> tuple[str, str]:
        """State and rank. What is closed begins again behind what is open, where there is an open state at all."""
        state_id = task["stateId"] if task["stateId"] in self._open else self._first
        self._ranked[state_id] += 1
        return state_id, rank_of_number(self._ranked[state_id])

    def _task(self, number: int, task: TaskView, state_id: str, rank: str) -> TaskView:
        at, parent_id, milestone_id = self._dating.at, task["parentId"], task["milestoneId"]
        rule = task["recurrence"]
        return {
            "id": self.ids[task["id"]],
            "key": f"{self._project['key']}-{number}",
            "number": number,
            "title": task["title"],
            "description": task["description"],
            "stateId": state_id,
            "priority": task["priority"],
            "labels": task["labels"],
            "assigneeIds": [],
            "startDate": None,
            "dueDate": None,
            "estimate": task["estimate"],
            "externalId": None,
            # A parent that was deleted stays behind.
            "parentId": self.ids.get(parent_id) if parent_id is not None else None,
            "milestoneId": self.ids[milestone_id] if milestone_id is not None else None,
            "watcherIds": [],
            "fields": {self.ids[field_id]: value for field_id, value in task["fields"].items()},
            "recurrence": without_days_of_no_date(rule, None, None) if rule is not None else None,
            "rank": rank,
            "createdBy": self._dating.author,
            "createdAt": at,
            "updatedAt": at,
            "closedAt": None if state_id in self._open else at,
            "deletedAt": None,
        }
