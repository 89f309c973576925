"""Tasks: created, edited, deleted, restored. The next task of a recurring one comes from the server alone."""

from __future__ import annotations

from typing import Any, Final

from pantherahive_client.foresight import watchers
from pantherahive_client.foresight.places import end_rank
from pantherahive_client.foresight.wish import Wish, changed, event, has_state, is_closing, living
from pantherahive_client.models import TaskView, WireEvent
from pantherahive_client.project_state import ProjectState

SINGLE_VALUED: Final = (
    "title",
    "description",
    "stateId",
    "priority",
    "startDate",
    "dueDate",
    "estimate",
    "parentId",
    "milestoneId",
    "recurrence",
)


def create(state: ProjectState, wish: Wish) -> list[WireEvent]:
    """Its number and key are the next ones of now; the server may give it later ones."""
    project, data = state.project, wish.data
    if project is None or data["taskId"] in state.tasks:
        return []
    state_id = data.get("stateId", project["states"][0]["id"])
    if not has_state(state, state_id):
        return []
    number = state.counters["nextTaskNumber"]
    task: TaskView = {
        "id": data["taskId"],
        "key": f"{project['key']}-{number}",
        "number": number,
        "title": data["title"].strip(),
        "description": data.get("description", ""),
        "stateId": state_id,
        "priority": data.get("priority", "none"),
        "labels": [label.strip() for label in data.get("labels", ())],
        "assigneeIds": list(data.get("assigneeIds", ())),
        "startDate": data.get("startDate"),
        "dueDate": data.get("dueDate"),
        "estimate": data.get("estimate"),
        "externalId": data.get("externalId"),
        "parentId": data.get("parentId"),
        "milestoneId": data.get("milestoneId"),
        "watcherIds": [],
        "fields": {field_id: value for field_id, value in data.get("fields", {}).items() if value is not None},
        "recurrence": data.get("recurrence"),
        "rank": end_rank(state, state_id),
        "createdBy": wish.author,
        "createdAt": wish.at,
        "updatedAt": wish.at,
        "closedAt": wish.at if is_closing(state, state_id) else None,
        "deletedAt": None,
    }
    return [event("TaskCreated", task=task)]


def edit(state: ProjectState, wish: Wish) -> list[WireEvent]:
    """Only what really changes."""
    task = living(state, wish.data["taskId"])
    if task is None or ("stateId" in wish.data and not has_state(state, wish.data["stateId"])):
        return []
    return [*_edited(state, task, wish), *_values_set(task, wish), *_watched(task, wish)]


def _edited(state: ProjectState, task: TaskView, wish: Wish) -> list[WireEvent]:
    data = dict(wish.data)
    if "title" in data:
        data["title"] = data["title"].strip()
    changes, was = changed(task, data, SINGLE_VALUED)
    _forget_days(task, changes, was)
    if "stateId" in changes:
        changes["rank"], was["rank"] = end_rank(state, changes["stateId"]), task["rank"]
    labels, unwanted = ([label.strip() for label in data.get(name, ())] for name in ("addLabels", "removeLabels"))
    sets = {
        "labelsAdded": _joining(task["labels"], labels),
        "labelsRemoved": _leaving(task["labels"], unwanted, labels),
        "assigneesAdded": _joining(task["assigneeIds"], data.get("addAssignees", ())),
        "assigneesRemoved": _leaving(
            task["assigneeIds"], data.get("removeAssignees", ()), data.get("addAssignees", ())
        ),
    }
    if not changes and not any(sets.values()):
        return []
    return [event("TaskEdited", taskId=task["id"], changes=changes, was=was, **sets, **closing(state, changes, wish))]


def _forget_days(task: TaskView, changes: dict[str, Any], was: dict[str, Any]) -> None:
    """With a date goes the day that the rule would go back to."""
    rule = task["recurrence"]
    if (
        rule is None
        or "recurrence" in changes
        or None not in (changes.get("startDate", ""), changes.get("dueDate", ""))
    ):
        return
    days = {"startDay": {**task, **changes}["startDate"], "dueDay": {**task, **changes}["dueDate"]}
    fitting = {name: value for name, value in rule.items() if days.get(name, "") is not None}
    if fitting != rule:
        changes["recurrence"], was["recurrence"] = fitting, rule


def closing(state: ProjectState, changes: dict[str, Any], wish: Wish) -> dict[str, Any]:
    """What an event says of `closedAt`: nothing, unless the task comes into another state."""
    if "stateId" not in changes:
        return {}
    return {"closedAt": wish.at if is_closing(state, changes["stateId"]) else None}


def _values_set(task: TaskView, wish: Wish) -> list[WireEvent]:
    before = task["fields"]
    wishes = wish.data.get("fields", {})
    values = {field_id: value for field_id, value in wishes.items() if value != before.get(field_id)}
    was = {field_id: before.get(field_id) for field_id in values}
    return [event("FieldValuesSet", taskId=task["id"], values=values, was=was)] if values else []


def _watched(task: TaskView, wish: Wish) -> list[WireEvent]:
    return watchers.changes(task, wish.data.get("addWatchers", ()), wish.data.get("removeWatchers", ()))


def _joining(present: list[str], wished: Any) -> list[str]:
    return [item for item in wished if item not in present]


def _leaving(present: list[str], unwished: Any, wished: Any) -> list[str]:
    """What is added and removed by one command stays."""
    return [item for item in unwished if item in present and item not in wished]


def delete(state: ProjectState, wish: Wish) -> list[WireEvent]:
    task = living(state, wish.data["taskId"])
    return [event("TaskDeleted", taskId=task["id"])] if task is not None else []


def restore(state: ProjectState, wish: Wish) -> list[WireEvent]:
    task = state.tasks.get(wish.data["taskId"])
    if task is None or task["deletedAt"] is None:
        return []
    return [event("TaskRestored", taskId=task["id"]), *_at_home(state, task, wish)]


def _at_home(state: ProjectState, task: TaskView, wish: Wish) -> list[WireEvent]:
    """Where the tombstone's state is gone, or closes tasks otherwise than before."""
    was_closed = task["closedAt"] is not None
    changes: dict[str, Any] = {}
    was: dict[str, Any] = {}
    state_id = task["stateId"]
    if not has_state(state, state_id):
        states = [one["id"] for one in state.project["states"]] if state.project is not None else []
        state_id = next((one for one in states if is_closing(state, one) == was_closed), states[0])
        changes = {"stateId": state_id, "rank": end_rank(state, state_id)}
        was = {"stateId": task["stateId"], "rank": task["rank"]}
    closes = is_closing(state, state_id)
    if not changes and closes == was_closed:
        return []
    return [event("TaskEdited", taskId=task["id"], changes=changes, was=was, closedAt=wish.at if closes else None)]
