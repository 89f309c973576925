"""What an event of a project says, in words for a person.

`words(event, state, name)` is the end of a sentence that begins with its author. `state` is the project as it is now:
keys are for ever, and what was renamed since is called by its new name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pantherahive_client import ProjectEvent, ProjectState
from server.commands.texts import one_line

TEXT_CHARACTERS_MAX: Final = 100
LINE_CHARACTERS_MAX: Final = 400
NameOf = Callable[[str], str]
"""A person's name by their id."""

_LINKS: Final[Mapping[str, tuple[str, str]]] = {
    "blocks": ("blocks", "no longer blocks"),
    "precedes": ("precedes", "no longer precedes"),
    "relates": ("relates to", "no longer relates to"),
    "duplicates": ("duplicates", "no longer duplicates"),
}
_SILENT: Final = frozenset({"rank"})
"""Fields that change along with what a person did."""


def words(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    """A kind that this build does not know is told by its own name."""
    told = _TOLD.get(event.kind)
    return one_line(told(event, state, name) if told is not None else _apart(event.kind), LINE_CHARACTERS_MAX)


def task_of(event: ProjectEvent, state: ProjectState) -> str | None:
    """The id of the task that it is about."""
    data = event.data
    if "taskId" in data:
        return str(data["taskId"])
    if "task" in data:
        return str(data["task"]["id"])
    for record in (data.get("link"), data.get("was")):
        if isinstance(record, Mapping) and "taskId" in record:
            return str(record["taskId"])
    comment = state.comments.get(data.get("commentId", ""))
    return comment["taskId"] if comment is not None else None


def people_in(value: Any) -> Iterator[str]:
    """The ids of people whose names its words may need."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            if key in _PERSON and isinstance(inside, str):
                yield inside
            elif key in _PEOPLE and isinstance(inside, list):
                yield from inside
            else:
                yield from people_in(inside)


_PERSON: Final = frozenset({"userId"})
_PEOPLE: Final = frozenset({"assigneeIds", "assigneesAdded", "assigneesRemoved", "added", "removed"})


def _quoted(text: str) -> str:
    return f"“{one_line(text, TEXT_CHARACTERS_MAX)}”"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _plain(value: Any) -> str:
    """A number without a fraction of zero; all else as it is."""
    is_whole = isinstance(value, float) and value.is_integer()
    return one_line(str(int(value) if is_whole else value), TEXT_CHARACTERS_MAX)


def _apart(name: str) -> str:
    """`TaskFrozen` → `task frozen`, `dueDate` → `due date`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _listed(items: Iterable[str]) -> str:
    return ", ".join(one_line(item, TEXT_CHARACTERS_MAX) for item in items)


def _key(state: ProjectState, task_id: str) -> str:
    task = state.tasks.get(task_id)
    return task["key"] if task is not None else task_id


def _called(what: str, record: Mapping[str, Any] | None) -> str:
    """A record by its name. Ids say nothing to anybody."""
    return f"the {what} {_quoted(record['name'])}" if record is not None else f"a {what} that is gone by now"


def _state_name(state: ProjectState, state_id: str) -> str:
    states = state.project["states"] if state.project is not None else ()
    return next((one["name"] for one in states if one["id"] == state_id), state_id)


def _role_name(state: ProjectState, role: str) -> str:
    return state.roles[role]["name"] if role in state.roles else role


# ------------------------------------------------------------------ tasks


def _task_created(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    task = event.data["task"]
    assigned = f", for {_listed(map(name, task['assigneeIds']))}" if task["assigneeIds"] else ""
    return f"created {_quoted(task['title'])} in {_state_name(state, task['stateId'])}{assigned}"


def _task_edited(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    data = event.data
    said = [_set_of_task(field, value, data["was"].get(field), state) for field, value in data["changes"].items()]
    for field, verb in (("labelsAdded", "labelled it"), ("labelsRemoved", "took off the label")):
        if data.get(field):
            said.append(f"{verb} {_listed(data[field])}")
    for field, verb in (("assigneesAdded", "assigned"), ("assigneesRemoved", "unassigned")):
        if data.get(field):
            said.append(f"{verb} {_listed(map(name, data[field]))}")
    return "; ".join(filter(None, said)) or "changed its place"


def _set_of_task(field: str, value: Any, was: Any, state: ProjectState) -> str:
    match field:
        case "title":
            return f"renamed it to {_quoted(value)}"
        case "stateId":
            return f"moved it from {_state_name(state, str(was))} to {_state_name(state, value)}"
        case "parentId":
            return f"made it a part of {_key(state, value)}" if value is not None else "made it a task of its own"
        case "milestoneId":
            if value is None:
                return "took it out of its milestone"
            return f"put it into {_called('milestone', state.milestones.get(value))}"
        case _:
            return _set(field, value)


def _set(field: str, value: Any) -> str:
    if field in _SILENT:
        return ""
    if value is None or value == "":
        return f"cleared the {_apart(field)}"
    if isinstance(value, str) and field != "description":
        return f"set the {_apart(field)} to {one_line(value, TEXT_CHARACTERS_MAX)}"
    return (
        f"set the {_apart(field)} to {_plain(value)}"
        if isinstance(value, int | float)
        else f"changed the {_apart(field)}"
    )


def _edits_judged(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    items: Sequence[Any] = event.data["items"]
    refused = sum("error" in item for item in items)
    said = f"edited {_counted(len(items) - refused, 'task')} at once"
    return f"{said}; {_counted(refused, 'edit')} refused" if refused else said


def _recurred(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    return f"let it come again as {_key(state, event.data['nextTaskId'])}"


def _values_set(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    return "; ".join(_value_set(state, field_id, value) for field_id, value in event.data["values"].items())


def _value_set(state: ProjectState, field_id: str, value: Any) -> str:
    field = state.fields.get(field_id)
    called = _quoted(field["name"]) if field is not None else _called("field", None)
    if value is None:
        return f"cleared {called}"
    choices = field["choices"] if field is not None else None
    chosen = next((choice["name"] for choice in choices or () if choice["id"] == value), value)
    return f"set {called} to {_plain(chosen)}"


def _restored_to(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    what = "it" if "taskId" in event.data else "the project"
    remaining = event.data.get("remaining", 0)
    more = f"; {_counted(remaining, 'piece')} still to come" if remaining else ""
    return f"made {what} what it was as of entry {event.data['seq']}{more}"


def _watchers(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    said = []
    for field, verb in (("added", "be watched by"), ("removed", "no longer be watched by")):
        if event.data[field]:
            said.append(f"{verb} {_listed(map(name, event.data[field]))}")
    return f"let it {' and '.join(said)}"


def _link(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    is_new = "link" in event.data
    link = event.data["link" if is_new else "was"]
    verbs = _LINKS.get(link["type"], (link["type"], f"no longer {link['type']}"))
    return f"linked it: it {verbs[0 if is_new else 1]} {_key(state, link['otherId'])}"


# ------------------------------------------------------------------ comments, people, the project


def _comment(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    verb = "commented" if event.data.get("replyTo") is None else "answered"
    return f"{verb} {_quoted(event.data['body'])}"


def _member_added(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    role = _role_name(state, event.data["role"])
    if event.data["userId"] == event.author:
        return f"joined as {role}"
    return f"added {name(event.data['userId'])} as {role}"


def _role_changed(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    new, was = (_role_name(state, event.data[field]) for field in ("role", "was"))
    return f"made {name(event.data['userId'])} {new}, who was {was}"


def _member_removed(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    return "left" if event.data["userId"] == event.author else f"removed {name(event.data['userId'])}"


def _invited(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    invitation = event.data["invitation"]
    who = name(invitation["userId"]) if invitation["userId"] is not None else "somebody by e-mail"
    return f"invited {who} as {_role_name(state, invitation['role'])}"


def _project_edited(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
    return "; ".join(_set(field, value) for field, value in event.data["changes"].items())


def _named(verb: str, what: str, record: str) -> Callable[[ProjectEvent, ProjectState, NameOf], str]:
    """About a record that is in the event and has a name."""
    return lambda event, state, name: f"{verb} the {what} {_quoted(event.data[record]['name'])}"


def _edited(what: str, of: Callable[[ProjectState], Mapping[str, Any]]) -> Callable[..., str]:
    """About a record that the event names by its id."""

    def told(event: ProjectEvent, state: ProjectState, name: NameOf) -> str:
        called = _called(what, of(state).get(event.data[f"{what}Id"]))
        changes = "; ".join(filter(None, (_set(field, value) for field, value in event.data["changes"].items())))
        return f"edited {called}: {changes}"

    return told


def _plainly(text: str) -> Callable[[ProjectEvent, ProjectState, NameOf], str]:
    return lambda event, state, name: text


def _with(text: str, field: str) -> Callable[[ProjectEvent, ProjectState, NameOf], str]:
    return lambda event, state, name: text.format(one_line(str(event.data[field]), TEXT_CHARACTERS_MAX))


_TOLD: Final[Mapping[str, Callable[[ProjectEvent, ProjectState, NameOf], str]]] = {
    "ProjectCreated": _named("created", "project", "project"),
    "ProjectEdited": _project_edited,
    "ProjectDeleted": _plainly("deleted the project"),
    "ProjectRestored": _plainly("restored the project"),
    "MemberAdded": _member_added,
    "MemberRoleChanged": _role_changed,
    "MemberRemoved": _member_removed,
    "MemberInvited": _invited,
    "InvitationAccepted": _plainly("accepted an invitation"),
    "InvitationDeclined": _plainly("declined an invitation"),
    "InvitationRevoked": _plainly("took an invitation back"),
    "InvitationExpired": _plainly("let an invitation run out"),
    "RoleDefined": _named("defined", "role", "role"),
    "RoleEdited": _edited("role", lambda state: state.roles),
    "RoleRemoved": _named("removed", "role", "was"),
    "MilestoneCreated": _named("created", "milestone", "milestone"),
    "MilestoneEdited": _edited("milestone", lambda state: state.milestones),
    "MilestoneDeleted": _named("deleted", "milestone", "was"),
    "FieldDefined": _named("defined", "field", "field"),
    "FieldEdited": _edited("field", lambda state: state.fields),
    "FieldRemoved": _named("removed", "field", "was"),
    "TaskCreated": _task_created,
    "TaskEdited": _task_edited,
    "TaskEditsJudged": _edits_judged,
    "TasksReranked": _plainly("gave neighbours of a task new ranks"),
    "TaskDeleted": _plainly("deleted it"),
    "TaskRestored": _plainly("restored it"),
    "TaskRecurred": _recurred,
    "TaskRestoredTo": _restored_to,
    "ProjectRestoredTo": _restored_to,
    "CommandUndone": _with("took back entry {}", "seq"),
    "CommandRedone": _with("did entry {} again", "seq"),
    "FieldValuesSet": _values_set,
    "WatchersChanged": _watchers,
    "DueDateNeared": _with("said that it is due on {}", "dueDate"),
    "LinkAdded": _link,
    "LinkRemoved": _link,
    "CommentAdded": _comment,
    "CommentEdited": lambda event, state, name: f"edited a comment: {_quoted(event.data['body'])}",
    "CommentDeleted": _plainly("deleted a comment"),
    "CommentRestored": lambda event, state, name: f"restored a comment: {_quoted(event.data['body'])}",
    "ReactionAdded": _with("reacted to a comment with {}", "emoji"),
    "ReactionRemoved": _with("took back the reaction {}", "emoji"),
}
