"""A project's state as JSON objects of bounded size, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from actors.field_changes import packed, unpack
from actors.project.state import Handover, ProjectState, put_in_order, put_known_task, put_link, put_new_comment
from actors.project.undone import Undoing
from protocol.comments import CommentView
from protocol.custom_fields import FieldView
from protocol.invitations import InvitationView
from protocol.links import LinkView
from protocol.members import MemberView
from protocol.milestones import MilestoneView
from protocol.roles import RoleView
from protocol.tasks import TaskView

MEMBERS_PER_PART: Final = 200
INVITATIONS_PER_PART: Final = 200
ROLES_PER_PART: Final = 50
TASKS_PER_PART: Final = 100
LINKS_PER_PART: Final = 200
COMMENTS_PER_PART: Final = 100
CHANGES_PER_PART: Final = 200
HANDOVERS_PER_PART: Final = 500
UNDONE_PER_PART: Final = 1000
MILESTONES_PER_PART: Final = 100
FIELDS_PER_PART: Final = 50
PART_CHARACTERS_MAX: Final = 200_000
"""A part ends early when its texts are this long. One record alone may be longer; its own limits bound it."""


def parts(state: ProjectState) -> Iterator[dict[str, Any]]:
    """The copies are taken here, not when the iterator is consumed: records are replaced, never changed."""
    counters = {
        "nextTaskNumber": state.next_number,
        "contentAt": state.content_at,
        "live": state.live,
    }
    if state.purged:
        return iter([{"counters": counters}, {"_purged": True}])
    collections: list[tuple[str, Iterable[Mapping[str, Any]], int]] = [
        ("members", list(state.members.values()), MEMBERS_PER_PART),
        ("invitations", list(state.invitations.values()), INVITATIONS_PER_PART),
        ("roles", list(state.roles.values()), ROLES_PER_PART),
        ("milestones", list(state.milestones.values()), MILESTONES_PER_PART),
        ("fields", list(state.fields.values()), FIELDS_PER_PART),
        ("tasks", list(state.tasks.values()), TASKS_PER_PART),
        ("links", list(state.links.values()), LINKS_PER_PART),
        ("comments", list(state.comments.values()), COMMENTS_PER_PART),
        ("_deletedComments", list(state.deleted_comments.values()), COMMENTS_PER_PART),
    ]
    collections.append(("_changes", packed(state.changes), CHANGES_PER_PART))
    undone = [{"opId": op_id, "seq": undoing.seq, "by": undoing.op_id} for op_id, undoing in state.undone.items()]
    collections.append(("_undone", undone, UNDONE_PER_PART))
    came = [{"id": task_id, "after": one.task_id, "seq": one.seq} for task_id, one in state.came_after.items()]
    collections.append(("_cameAfter", came, HANDOVERS_PER_PART))
    return _parts(state.project, counters, collections)


def _parts(
    project: Mapping[str, Any] | None,
    counters: dict[str, Any],
    collections: Iterable[tuple[str, Iterable[Mapping[str, Any]], int]],
) -> Iterator[dict[str, Any]]:
    yield {"counters": counters}
    if project is not None:
        yield {"project": project}
    for name, records, count in collections:
        for chunk in _chunks(records, count):
            yield {name: chunk}


def _chunks(records: Iterable[Mapping[str, Any]], count: int) -> Iterator[list[Mapping[str, Any]]]:
    chunk: list[Mapping[str, Any]] = []
    characters = 0
    for record in records:
        size = _characters(record)
        if chunk and (len(chunk) == count or characters + size > PART_CHARACTERS_MAX):
            yield chunk
            chunk, characters = [], 0
        chunk.append(record)
        characters += size
    if chunk:
        yield chunk


def _characters(record: Mapping[str, Any]) -> int:
    """The long texts only: what else a record holds is small, and most have none."""
    size = len(record.get("description", "")) + len(record.get("body", ""))
    if fields := record.get("fields"):
        size += sum(len(value) for value in fields.values() if isinstance(value, str))
    if choices := record.get("choices"):
        size += sum(len(choice["name"]) for choice in choices)
    if edits := record.get("edits"):
        size += sum(len(edit["body"]) for edit in edits)
    return size


def take_part(state: ProjectState, part: Mapping[str, Any]) -> None:
    """Adds the next part. The index of cards is made when all are there."""
    for name, value in part.items():
        _take(state, name, value)


def _take(state: ProjectState, name: str, value: Any) -> None:
    match name:
        case "project":
            state.project = value
        case "counters":
            state.next_number = value["nextTaskNumber"]
            state.content_at = value["contentAt"]
            state.live = value["live"]
        case "members":
            _take_members(state, value)
        case "invitations":
            _take_invitations(state, value)
        case "roles":
            _take_roles(state, value)
        case "milestones":
            _take_milestones(state, value)
        case "fields":
            _take_fields(state, value)
        case "tasks":
            _take_tasks(state, value)
        case "_changes":
            unpack(state.changes, value)
        case "_purged":
            state.purged = value
        case "_undone":
            state.undone.update((one["opId"], Undoing(one["seq"], one["by"])) for one in value)
        case "_cameAfter":
            state.came_after.update((one["id"], Handover(one["after"], one["seq"])) for one in value)
        case "links":
            _take_links(state, value)
        case "comments":
            _take_comments(state, value)
        case "_deletedComments":
            state.deleted_comments.update((comment["id"], comment) for comment in value)
        case _:
            raise ValueError(f"a project's state has no {name}")


def _take_members(state: ProjectState, members: Iterable[MemberView]) -> None:
    state.members.update((member["userId"], member) for member in members)


def _take_invitations(state: ProjectState, invitations: Iterable[InvitationView]) -> None:
    state.invitations.update((invitation["id"], invitation) for invitation in invitations)


def _take_roles(state: ProjectState, roles: Iterable[RoleView]) -> None:
    for role in roles:
        put_in_order(state.roles, role)


def _take_milestones(state: ProjectState, milestones: Iterable[MilestoneView]) -> None:
    for milestone in milestones:
        put_in_order(state.milestones, milestone)


def _take_fields(state: ProjectState, fields: Iterable[FieldView]) -> None:
    for field in fields:
        put_in_order(state.fields, field)


def _take_tasks(state: ProjectState, tasks: Iterable[TaskView]) -> None:
    for task in tasks:
        put_known_task(state, task)


def _take_links(state: ProjectState, links: Iterable[LinkView]) -> None:
    for link in links:
        put_link(state, link)


def _take_comments(state: ProjectState, comments: Iterable[CommentView]) -> None:
    for comment in comments:
        put_new_comment(state, comment)
