"""The project itself: created, edited, deleted, restored."""

from __future__ import annotations

from typing import Any

from actors.project.dating import Dating, date_content, date_other
from actors.project.permissions import allowed, broken, forbidden, no_project, refusal, taken
from actors.project.state import CLOSED_GROUPS, ProjectState, note_content
from actors.project.templates import Template, copied
from actors.runtime.actor import Context, Decision, EntryMeta
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.members import MemberAdded
from protocol.messages import ProjectEvent
from protocol.projects import (
    DEFAULT_STATES,
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    ProjectChanges,
    ProjectCreated,
    ProjectDeleted,
    ProjectEdited,
    ProjectRestored,
    ProjectView,
    RestoreProject,
    UnarchiveProject,
    WorkflowState,
)

Outcome = Decision[ProjectEvent] | Rejection


def decide_create(state: ProjectState, command: CreateProject, context: Context) -> Outcome:
    """Facts: `projectKey`, claimed by the edge, `userExists` about an owner that the operator names, and `template`."""
    if state.purged:
        return no_project()
    if state.project is not None:
        # A stranger learns no more than from any other command to this stream: that they may not have it.
        return taken("project") if allowed(state, context.principal, "project.view") else no_project()
    dating = date_other(context)
    if isinstance(dating, Rejection):
        return dating
    owner = _owner_of(command, context)
    if isinstance(owner, Rejection):
        return owner
    template: Template | Rejection | None = context.facts.get("template")
    if isinstance(template, Rejection):
        return template
    view = _new_project(state.id, command, template, context, dating)
    made = copied(template, view, dating, context) if template is not None else ()
    return dating.decision([ProjectCreated(project=view), MemberAdded(user_id=owner, role="owner"), *made])


def _new_project(
    project_id: str, command: CreateProject, template: Template | None, context: Context, dating: Dating
) -> ProjectView:
    given = command.model_fields_set
    states = template.states if template is not None else DEFAULT_STATES
    description = template.description if template is not None and "description" not in given else command.description
    return {
        "id": project_id,
        "key": context.facts["projectKey"],
        "name": command.name,
        "description": description,
        "status": "Active",
        "visibility": command.visibility,
        "states": list(command.states if "states" in given else states),
        "createdAt": dating.at,
        "updatedAt": dating.at,
        "deletedAt": None,
    }


def _owner_of(command: CreateProject, context: Context) -> str | Rejection:
    principal = context.principal
    if "owner_id" not in command.model_fields_set:
        if principal.is_operator:
            return broken("owner_required", "the operator has to name the project's owner")
        return principal.id
    if command.owner_id == principal.id:
        return principal.id
    if not principal.is_operator:
        return forbidden("member.make_owner")
    if not context.facts["userExists"]:
        return broken("unknown_user", "there is no such user")
    return command.owner_id


def decide_edit(state: ProjectState, command: EditProject, context: Context) -> Outcome:
    """Only what really changes is recorded. An archived project takes an edit only with another status."""
    refused = refusal(state, context.principal, "project.edit")
    if refused is not None or state.project is None:
        return refused or no_project()
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    changes, was = _changes(state.project, command)
    if not changes:
        return dating.decision([])
    refused = refuse_changes(state, state.project, changes, context.principal)
    return refused or dating.decision([ProjectEdited(changes=changes, was=was)])


def refuse_changes(
    state: ProjectState, project: ProjectView, changes: ProjectChanges, principal: Principal
) -> Rejection | None:
    """Whether a rule speaks against what an edit would make of the project."""
    if "visibility" in changes and not allowed(state, principal, "project.change_visibility"):
        return forbidden("project.change_visibility")
    if project["status"] == "Archived" and "status" not in changes:
        return archived()
    return _refuse_lost_states(state, project["states"], changes["states"]) if "states" in changes else None


def decide_archive(state: ProjectState, command: ArchiveProject, context: Context) -> Outcome:
    return decide_edit(state, EditProject(status="Archived"), context)


def decide_unarchive(state: ProjectState, command: UnarchiveProject, context: Context) -> Outcome:
    refused = refusal(state, context.principal, "project.edit")
    if refused is None and not is_archived(state):
        return broken("project_not_archived", "the project is not archived")
    return refused or decide_edit(state, EditProject(status=command.status), context)


def _changes(project: ProjectView, command: EditProject) -> tuple[ProjectChanges, ProjectChanges]:
    wished: dict[str, Any] = {name: getattr(command, name) for name in command.model_fields_set}
    before: dict[str, Any] = {name: project[name] for name in wished}  # type: ignore[literal-required]
    changed = [name for name in sorted(wished) if wished[name] != before[name]]
    changes: ProjectChanges = {name: wished[name] for name in changed}  # type: ignore[assignment]
    was: ProjectChanges = {name: before[name] for name in changed}  # type: ignore[assignment]
    return changes, was


def _refuse_lost_states(
    state: ProjectState, before: list[WorkflowState], after: list[WorkflowState]
) -> Rejection | None:
    """Tasks must keep a state, and must not be opened or closed behind their back.

    Deleted ones hold no state, as nobody sees them in it: `tombstones.back` finds them another one.
    """
    closes_after = {item["id"]: item["group"] in CLOSED_GROUPS for item in after}
    gone = {item["id"] for item in before if item["id"] not in closes_after}
    turned = {
        item["id"]
        for item in before
        if item["id"] in closes_after and (item["group"] in CLOSED_GROUPS) != closes_after[item["id"]]
    }
    if not gone and not turned:
        return None
    used = states_in_use(state)
    if gone & used:
        return broken("state_in_use", "tasks are in a state that would disappear")
    if turned & used:
        return broken("state_group_in_use", "tasks are in a state that would open or close them")
    return None


def states_in_use(state: ProjectState) -> set[str]:
    """Those that tasks are in; tombstones do not count."""
    return {task["stateId"] for task in state.tasks.values() if task["deletedAt"] is None}


def decide_delete(state: ProjectState, command: DeleteProject, context: Context) -> Outcome:
    refused = refusal(state, context.principal, "project.delete")
    if refused is not None:
        return refused
    dating = date_other(context)
    return dating if isinstance(dating, Rejection) else dating.decision([ProjectDeleted()])


def decide_restore(state: ProjectState, command: RestoreProject, context: Context) -> Outcome:
    refused = refusal(state, context.principal, "project.restore")
    if refused is not None or state.project is None:
        return refused or no_project()
    if state.project["deletedAt"] is None:
        return broken("project_not_deleted", "the project is not deleted")
    dating = date_other(context)
    return dating if isinstance(dating, Rejection) else dating.decision([ProjectRestored()])


def archived() -> Rejection:
    """Work in an archived project is refused until its status is set back."""
    return broken("project_archived", "the project is archived; set its status back first")


def is_archived(state: ProjectState) -> bool:
    """Whether the project refuses changes of its content."""
    return state.project is not None and state.project["status"] == "Archived"


def evolve_created(state: ProjectState, event: ProjectCreated, meta: EntryMeta) -> None:
    state.project = event.project


def evolve_edited(state: ProjectState, event: ProjectEdited, meta: EntryMeta) -> None:
    _replace(state, meta, **event.changes)
    note_content(state, meta)


def evolve_deleted(state: ProjectState, event: ProjectDeleted, meta: EntryMeta) -> None:
    _replace(state, meta, deletedAt=meta.at)


def evolve_restored(state: ProjectState, event: ProjectRestored, meta: EntryMeta) -> None:
    _replace(state, meta, deletedAt=None)


def _replace(state: ProjectState, meta: EntryMeta, **fields: Any) -> None:
    """`updatedAt` never falls, though imported edits are older than the project's creation."""
    if state.project is None:
        raise ValueError("an event before the project's creation")
    updated_at = max(state.project["updatedAt"], meta.at)
    record: Any = {**state.project, **fields, "updatedAt": updated_at}
    state.project = record


def view_project(state: ProjectState, principal: Principal) -> ProjectView | Rejection:
    """The project's own fields.

    A past state is read with the permission of today: check `refusal` on the live state, then read the past
    one as `protocol.event.OPERATOR`. That holds for all views of this package.
    """
    refused = refusal(state, principal, "project.view")
    if refused is not None or state.project is None:
        return refused or no_project()
    return state.project
