"""Random milestones, fields of a project's own, watchers and recurrence; a part of `tests.laws.strategies`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol.custom_fields import DefineField, EditField, RemoveField
from protocol.event import Command
from protocol.milestones import CreateMilestone, DeleteMilestone, EditMilestone
from protocol.tasks import CreateTask, EditTask
from protocol.watchers import UnwatchTask, WatchTask
from tests.actors.given import ADMIN, MEMBER, OWNER, STRANGER, VIEWER, uuid

TASK_IDS = [uuid(0x200 + n) for n in range(2)]
MILESTONE_IDS = [uuid(0x700 + n) for n in range(2)]
TEXT_FIELD, DATE_FIELD, CHOICE_FIELD = (uuid(0x600 + n) for n in range(3))

_names = st.sampled_from(["one", "two", "drei 🚀"])
_days = st.sampled_from([None, "2026-01-31", "2026-02-28"])
_people = st.lists(
    st.sampled_from([person.id for person in (OWNER, ADMIN, MEMBER, VIEWER, STRANGER)]), unique=True, max_size=2
)
_rules: SearchStrategy[Any] = st.sampled_from(
    [None, {"every": 1, "unit": "month", "startDay": 31, "dueDay": 31}, {"every": 2, "unit": "week"}]
)
_choices = st.lists(
    st.sampled_from([{"id": "red", "name": "Red"}, {"id": "blue", "name": "Blue"}, {"id": "rot", "name": "red"}]),
    unique_by=lambda choice: choice["id"],
    max_size=2,
)
_field_ids = st.sampled_from([TEXT_FIELD, DATE_FIELD, CHOICE_FIELD])
_values = st.dictionaries(_field_ids, st.sampled_from([None, "words", "2026-01-31", "red", "blue", 3.5]), max_size=2)
_fitting = st.fixed_dictionaries(
    {},
    optional={
        TEXT_FIELD: st.sampled_from([None, "words", "others"]),
        DATE_FIELD: st.sampled_from([None, "2026-01-31"]),
        CHOICE_FIELD: st.sampled_from([None, "red", "blue"]),
    },
)

PLANNED: Final[Mapping[str, SearchStrategy[Any]]] = {
    "milestone_id": st.sampled_from([None, *MILESTONE_IDS]),
    "recurrence": _rules,
    "fields": st.one_of(_values, _fitting, _fitting),
}
"""Fields of new and edited tasks."""

WATCHED: Final[Mapping[str, SearchStrategy[Any]]] = {"add_watchers": _people, "remove_watchers": _people}
"""Fields of edited tasks."""


def some(model: type[Command], optional: dict[str, SearchStrategy[Any]], **always: Any) -> Any:
    """The command with any subset of its optional fields."""
    return st.fixed_dictionaries(always, optional=optional).map(lambda fields: model(**fields))


PLANNING: Final[Mapping[type[Command], SearchStrategy[Command]]] = {
    WatchTask: some(WatchTask, {}, task_id=st.sampled_from(TASK_IDS)),
    UnwatchTask: some(UnwatchTask, {}, task_id=st.sampled_from(TASK_IDS)),
    CreateMilestone: some(
        CreateMilestone,
        {"description": _names, "start_date": _days, "due_date": _days},
        milestone_id=st.sampled_from(MILESTONE_IDS),
        name=_names,
    ),
    EditMilestone: some(
        EditMilestone,
        {
            "name": _names,
            "description": _names,
            "status": st.sampled_from(["Open", "Closed"]),
            "start_date": _days,
            "due_date": _days,
        },
        milestone_id=st.sampled_from(MILESTONE_IDS),
    ),
    DeleteMilestone: some(DeleteMilestone, {}, milestone_id=st.sampled_from(MILESTONE_IDS)),
    DefineField: st.one_of(
        some(DefineField, {}, field_id=st.just(TEXT_FIELD), name=st.just("one"), type=st.just("text")),
        some(DefineField, {}, field_id=st.just(DATE_FIELD), name=_names, type=st.just("date")),
        some(
            DefineField,
            {"choices": _choices},
            field_id=st.just(CHOICE_FIELD),
            name=st.just("two"),
            type=st.sampled_from(["choice", "choice", "number"]),
        ),
    ),
    EditField: some(
        EditField,
        {
            "name": _names,
            "add_choices": _choices,
            "rename_choices": st.sampled_from([[], [{"id": "red", "name": "Crimson"}]]),
            "retire_choices": st.sampled_from([[], ["red"], ["blue"]]),
        },
        field_id=_field_ids,
    ),
    RemoveField: some(RemoveField, {}, field_id=_field_ids),
}
"""Command → how it is drawn."""


def planning_episodes(live: SearchStrategy[Any], by_owner: Callable[[Command], Any]) -> Sequence[SearchStrategy[Any]]:
    """What is rare by chance: there, something else in between, and back again."""
    task, milestone = st.sampled_from(TASK_IDS), st.sampled_from(MILESTONE_IDS)

    def lived(*commands: Command, between: Any) -> list[Any]:
        *first, last = [by_owner(command) for command in commands]
        return [*first, between, last]

    planned = st.tuples(task, milestone, live).map(
        lambda drawn: lived(
            CreateTask(task_id=drawn[0], title="made"),
            CreateMilestone(milestone_id=drawn[1], name=f"Version {drawn[1][-1]}"),
            EditTask(task_id=drawn[0], milestone_id=drawn[1]),
            EditMilestone(milestone_id=drawn[1], status="Closed"),
            DeleteMilestone(milestone_id=drawn[1]),
            between=drawn[2],
        )
    )
    valued = st.tuples(task, live).map(
        lambda drawn: lived(
            CreateTask(task_id=drawn[0], title="made"),
            DefineField(field_id=TEXT_FIELD, name="Notes", type="text"),
            EditTask(task_id=drawn[0], fields={TEXT_FIELD: "words"}),
            EditField(field_id=TEXT_FIELD, name="Words"),
            RemoveField(field_id=TEXT_FIELD),
            between=drawn[1],
        )
    )
    watched = st.tuples(task, live).map(
        lambda drawn: lived(
            CreateTask(task_id=drawn[0], title="made"),
            WatchTask(task_id=drawn[0]),
            UnwatchTask(task_id=drawn[0]),
            between=drawn[1],
        )
    )
    again = st.tuples(task, live).map(
        lambda drawn: lived(
            CreateTask(task_id=drawn[0], title="made"),
            EditTask(task_id=drawn[0], state_id="todo", recurrence={"every": 1, "unit": "month"}),
            EditTask(task_id=drawn[0], state_id="done"),
            between=drawn[1],
        )
    )
    return [planned, valued, watched, again]
