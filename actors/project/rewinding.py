"""A whole project on its way back: piece by piece, in an order in which every piece leaves a sound project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from actors.project import milestones
from actors.project.links import foresee_links
from actors.project.order import SearchTooLong
from actors.project.projects import states_in_use
from actors.project.restoration import Restoration
from actors.project.sizes import ENTRY_CHARACTERS_MAX, field_characters
from actors.project.state import CLOSED_GROUPS
from protocol.custom_fields import FieldDefined, FieldEdited, FieldRemoved, FieldView
from protocol.links import LinkView
from protocol.milestones import MilestoneCreated, MilestoneView
from protocol.projects import ProjectEdited, ProjectView, WorkflowState
from protocol.tasks import TaskView

EVENTS_MAX: Final = 1000
"""An entry ends after so many events; what is left over comes in the next one."""

STATES_MAX: Final = 50
NAME_KEPT_MAX: Final = 150
"""So much of a state's name is kept where its id has to tell it from another one."""

Piece = Callable[[], Iterator[int] | None]
"""A long one has places to pause at, and says there how much of it is still to come."""

Records = Mapping[str, Any]
"""Id → the record then; None where it was not there. Only of those that are different now."""


def rewind(restoration: Restoration, then: Mapping[str, Any]) -> int:
    """Takes what one entry holds; how many pieces are left over. Raises SearchTooLong where that is nothing at all."""
    steps, remaining = _steps(list(_pieces(restoration, then))), 0
    try:
        for remaining in steps:
            if len(restoration.events) >= EVENTS_MAX or restoration.characters > ENTRY_CHARACTERS_MAX:
                return _still_to_come(restoration, steps, remaining)
    except SearchTooLong:
        if not restoration.events:
            raise
        return max(1, remaining)  # the next entry may search as much again
    return 0


def _steps(pieces: Sequence[Piece]) -> Iterator[int]:
    """Takes piece by piece; how many are still to come."""
    for remaining, piece in zip(range(len(pieces) - 1, -1, -1), pieces, strict=True):
        for more in piece() or ():
            yield remaining + more
        yield remaining


def _still_to_come(restoration: Restoration, steps: Iterator[int], remaining: int) -> int:
    """None, where the rest would change nothing: the next change is tried on the draft, and forgotten."""
    events, left = len(restoration.events), len(restoration.left)
    for after in steps:
        if len(restoration.events) > events:
            del restoration.events[events:], restoration.left[left:]
            return remaining
        remaining = after
    return 0


def _pieces(restoration: Restoration, then: Mapping[str, Any]) -> Iterator[Piece]:
    """What goes away first makes room for what comes back. Parents and links depend on all tasks.

    Names are changed at once, as two records may have each other's: no entry ends between them.
    """
    tasks: list[tuple[str, TaskView | None]] = sorted(
        then["tasks"].items(), key=lambda one: _number(restoration, one[0])
    )
    known = [record for _, record in tasks if record is not None]
    yield partial(_project, restoration, then["project"], False)
    yield from _emptied(restoration, then["fields"])
    yield from (partial(_without_field, restoration, field_id) for field_id in _missing(then["fields"]))
    yield partial(_name_fields, restoration, then["fields"])
    yield from (partial(_field, restoration, record) for record in _known(then["fields"]))
    yield from (partial(_without_milestone, restoration, one) for one in _missing(then["milestones"]))
    yield partial(_name_milestones, restoration, then["milestones"])
    yield from (partial(_milestone, restoration, record) for record in _known(then["milestones"]))
    yield from (partial(restoration.without_link, link_id) for link_id in _other_links(restoration, then["links"]))
    yield from (partial(restoration.without_task, task_id) for task_id, record in tasks if record is None)
    # A recurrence leaves one task before another one gets it: an entry may end between them.
    yield from (partial(restoration.task, record) for record in sorted(known, key=_goes_on))
    yield partial(_parents, restoration, known)
    links = list(_known(then["links"]))
    yield from (partial(_link, restoration, record, links if record is links[0] else ()) for record in links)
    yield from (partial(restoration.without_comment, comment_id) for comment_id in _missing(then["comments"]))
    yield from (partial(restoration.comment, record) for record in _known(then["comments"]))
    yield partial(_project, restoration, then["project"], True)


def _number(restoration: Restoration, task_id: str) -> int:
    return restoration.draft.tasks[task_id]["number"]


def _goes_on(then: TaskView) -> bool:
    return then["deletedAt"] is None and then["recurrence"] is not None


def _missing(records: Records) -> Iterator[str]:
    return (record_id for record_id, record in records.items() if record is None)


def _known(records: Records) -> Iterator[Any]:
    return (record for record in records.values() if record is not None)


def _other_links(restoration: Restoration, records: Records) -> Iterator[str]:
    """Those that were not there yet, and those whose id says something else now: they may stand in others' way."""
    present = restoration.draft.links
    return (one for one, then in records.items() if then is None or present.get(one, then) != then)


def _parents(restoration: Restoration, tasks: Sequence[TaskView]) -> Iterator[int]:
    """One look at the order of all tasks, as for links, before each is asked whether its old parent closes a cycle."""
    draft, wanted = restoration.draft, [(then["id"], then["parentId"]) for then in tasks]
    draft.order.foresee(
        [(one, parent) for one, parent in wanted if parent is not None and draft.tasks[one]["parentId"] != parent]
    )
    yield from restoration.parents(tasks)


def _link(restoration: Restoration, then: LinkView, foreseen: Sequence[LinkView]) -> None:
    """`foreseen`: all that are to come, for the first of them."""
    if foreseen:
        foresee_links(restoration.draft, foreseen)
    restoration.link(then)


def _renamed(present: Records, records: Records) -> Iterable[tuple[str, str, str]]:
    """The id, the name then and the name now."""
    for then in _known(records):
        now = present.get(then["id"])
        if now is not None and now["name"] != then["name"]:
            yield then["id"], then["name"], now["name"]


def _name_milestones(restoration: Restoration, records: Records) -> None:
    for milestone_id, name, was in list(_renamed(restoration.draft.milestones, records)):
        restoration.take(milestones.edited(milestone_id, {"name": name}, {"name": was}, restoration.dating))


def _name_fields(restoration: Restoration, records: Records) -> None:
    for field_id, name, was in list(_renamed(restoration.draft.fields, records)):
        restoration.take(FieldEdited(field_id=field_id, changes={"name": name}, was={"name": was}))


def _project(restoration: Restoration, then: ProjectView, last: bool) -> None:
    """Its own fields. States that tasks are in go at last, and stay where tasks stay in them."""
    now: Any = restoration.project
    wished: dict[str, Any] = {"name": then["name"], "description": then["description"]}
    if then["status"] != "Archived":
        wished["status"] = then["status"]
    states = _states(restoration, then["states"], now["states"], everything=not last)
    if len(states) <= STATES_MAX:
        wished["states"] = states
    changes: Any = {name: value for name, value in wished.items() if now[name] != value}
    if changes:
        was: Any = {name: now[name] for name in changes}
        restoration.take(ProjectEdited(changes=changes, was=was))


def _states(
    restoration: Restoration, then: list[WorkflowState], now: list[WorkflowState], *, everything: bool
) -> list[WorkflowState]:
    """Those of then, and of the others those in use or `everything`, under names that are free.

    One that would open or close the tasks in it stays as it is.
    """
    used = states_in_use(restoration.draft)
    present = {state["id"]: state for state in now}
    states = [present[one["id"]] if one["id"] in used and _turns(one, present) else one for one in then]
    known = {state["id"] for state in states}
    states += [state for state in now if state["id"] not in known and (everything or state["id"] in used)]
    names: set[str] = set()
    for place, state in enumerate(states):
        if state["name"] in names:
            states[place] = {**state, "name": f"{state['name'][:NAME_KEPT_MAX]} ({state['id']})"}
        names.add(states[place]["name"])
    return states


def _turns(then: WorkflowState, present: Mapping[str, WorkflowState]) -> bool:
    now = present.get(then["id"])
    return now is not None and (now["group"] in CLOSED_GROUPS) != (then["group"] in CLOSED_GROUPS)


def _without_milestone(restoration: Restoration, milestone_id: str) -> None:
    milestone = restoration.draft.milestones.get(milestone_id)
    if milestone is not None:
        restoration.take(*milestones.removal(restoration.draft, milestone))


def _milestone(restoration: Restoration, then: MilestoneView) -> None:
    now: Any = restoration.draft.milestones.get(then["id"])
    if now is None:
        restoration.take(MilestoneCreated(milestone=then))
        return
    names = ("name", "description", "status", "startDate", "dueDate")
    changes: Any = {name: then[name] for name in names if now[name] != then[name]}  # type: ignore[literal-required]
    if changes:
        was: Any = {name: now[name] for name in changes}
        restoration.take(milestones.edited(then["id"], changes, was, restoration.dating))


def _without_field(restoration: Restoration, field_id: str) -> None:
    field = restoration.draft.fields.get(field_id)
    if field is not None:
        restoration.take(FieldRemoved(field_id=field_id, was=field))


def _emptied(restoration: Restoration, records: Records) -> Iterator[Piece]:
    """A field that has more values than one entry holds gives them up before it goes, task by task."""
    for field_id, then in records.items():
        now = restoration.draft.fields.get(field_id)
        goes = now is not None and (then is None or now["type"] != then["type"])
        if not goes:
            continue
        holders = [task_id for task_id, task in restoration.draft.tasks.items() if field_id in task["fields"]]
        if len(holders) > EVENTS_MAX or field_characters(restoration.draft, field_id) > ENTRY_CHARACTERS_MAX:
            yield from (partial(restoration.without_value, task_id, field_id) for task_id in holders)


def _field(restoration: Restoration, then: FieldView) -> None:
    """One of another type has the id of a field that is gone. Choices that came since stay, retired."""
    now: Any = restoration.draft.fields.get(then["id"])
    if now is not None and now["type"] != then["type"]:
        _without_field(restoration, then["id"])
        now = None
    if now is None:
        restoration.take(FieldDefined(field=then))
        return
    known = {choice["id"] for choice in then["choices"]}
    later = [{**choice, "retired": True} for choice in now["choices"] if choice["id"] not in known]
    wished: dict[str, Any] = {"name": then["name"], "choices": [*then["choices"], *later]}
    changes: Any = {name: value for name, value in wished.items() if now[name] != value}
    if changes:
        was: Any = {name: now[name] for name in changes}
        restoration.take(FieldEdited(field_id=then["id"], changes=changes, was=was))
