"""Links between tasks: added and removed. Those that say what comes first never close a cycle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nsmallest

from actors.field_changes import end_record
from actors.project.cycles import refuse_cycle
from actors.project.dating import Dating, date_content
from actors.project.edited_fields import PRESENCE
from actors.project.limits import ProjectLimits
from actors.project.permissions import broken, missing, refusal, taken
from actors.project.projects import Outcome, archived, is_archived
from actors.project.state import ORDERING, ProjectState, drop_link, note_content, put_link
from actors.project.tombstones import is_hidden, living
from actors.runtime.actor import Context, EntryMeta
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.links import AddLink, LinkAdded, LinkRemoved, LinkType, LinkView, RemoveLink


def decide_add(state: ProjectState, command: AddLink, context: Context, limits: ProjectLimits) -> Outcome:
    refused = refusal(state, context.principal, "link.add")
    if refused is not None:
        return refused
    for task_id in (command.task_id, command.other_id):
        task = living(state, task_id)
        if isinstance(task, Rejection):
            return task
    if "link_id" in command.model_fields_set and command.link_id in state.links:
        return taken("link")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if is_archived(state):
        return archived()
    refused = refuse_link(state, command.type, command.task_id, command.other_id, limits)
    return refused or dating.decision([LinkAdded(link=_new_link(command, context, dating))])


def _new_link(command: AddLink, context: Context, dating: Dating) -> LinkView:
    return {
        "id": command.link_id if "link_id" in command.model_fields_set else context.new_id(),
        "type": command.type,
        "taskId": command.task_id,
        "otherId": command.other_id,
        "createdBy": dating.author,
        "createdAt": dating.at,
    }


def refuse_link(
    state: ProjectState, link_type: LinkType, task_id: str, other_id: str, limits: ProjectLimits
) -> Rejection | None:
    """Whether two living tasks may be linked so. Whatever puts a link into a project has to ask this first."""
    if task_id == other_id:
        return broken("self_link", "a task cannot be linked to itself")
    same = _same_link(state, link_type, task_id, other_id)
    if same is not None:
        details = {"what": "link", "linkId": same}
        return Rejection(ErrorCode.ALREADY_EXISTS, "these tasks are linked so already", details)
    if len(state.links) >= limits.links_max:
        return broken("links_limit", f"a project has at most {limits.links_max} links")
    if any(len(state.task_links.get(one, ())) >= limits.links_per_task_max for one in (task_id, other_id)):
        return broken("task_links_limit", f"a task has at most {limits.links_per_task_max} links")
    if link_type == "duplicates" and state.duplicates.path(other_id, task_id):
        return broken("cycle", "it would close a cycle: each of these tasks would be a duplicate of the other")
    return refuse_cycle(state, task_id, other_id, link_type) if link_type in ORDERING else None


def foresee_links(state: ProjectState, links: Iterable[LinkView], parents: Iterable[tuple[str, str]] = ()) -> None:
    """Called before many links come back, each by way of `refuse_link`: one look at all, not a search for each.

    `parents`: (task id, its parent) of those that get one together with the links.
    """
    coming = [link for link in links if state.links.get(link["id"]) != link]
    ordering = [(one["taskId"], one["otherId"]) for one in coming if one["type"] in ORDERING]
    state.order.foresee([*ordering, *parents])
    state.duplicates.foresee([(one["taskId"], one["otherId"]) for one in coming if one["type"] == "duplicates"])


def _same_link(state: ProjectState, link_type: LinkType, task_id: str, other_id: str) -> str | None:
    """The link that says the same already. Who relates to whom does not matter."""
    for link_id in state.task_links.get(task_id, ()):
        link = state.links[link_id]
        ends = (link["taskId"], link["otherId"])
        if link["type"] == link_type and (
            ends == (task_id, other_id) or (link_type == "relates" and ends == (other_id, task_id))
        ):
            return link_id
    return None


def decide_remove(state: ProjectState, command: RemoveLink, context: Context) -> Outcome:
    """A hidden link too: it may be what stands in the way of another one."""
    refused = refusal(state, context.principal, "link.remove")
    if refused is not None:
        return refused
    link = state.links.get(command.link_id)
    if link is None:
        return missing("link")
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if is_archived(state):
        return archived()
    return dating.decision([LinkRemoved(link_id=command.link_id, was=link)])


def evolve_added(state: ProjectState, event: LinkAdded, meta: EntryMeta) -> None:
    put_link(state, event.link)
    note_content(state, meta)


def evolve_removed(state: ProjectState, event: LinkRemoved, meta: EntryMeta) -> None:
    drop_link(state, event.link_id)
    end_record(state.changes, f"link/{event.link_id}", PRESENCE, meta)
    note_content(state, meta)


def list_links(
    state: ProjectState, principal: Principal, task_id: str | None = None, after: str | None = None, limit: int = 100
) -> Sequence[LinkView] | Rejection:
    """A page of links by id, those after the id `after`: of the project, or of one task. Hidden ones are left out."""
    refused = refusal(state, principal, "link.view")
    if refused is not None:
        return refused
    if task_id is not None and is_hidden(state, task_id):
        return missing("task")
    ids: Iterable[str] = state.links if task_id is None else state.task_links.get(task_id, ())
    wanted = (link_id for link_id in ids if (after is None or link_id > after) and _is_shown(state, link_id))
    return [state.links[link_id] for link_id in nsmallest(limit, wanted)]


def view_link(state: ProjectState, principal: Principal, link_id: str) -> LinkView | Rejection:
    """One link that is not hidden."""
    refused = refusal(state, principal, "link.view")
    if refused is not None:
        return refused
    return state.links[link_id] if link_id in state.links and _is_shown(state, link_id) else missing("link")


def _is_shown(state: ProjectState, link_id: str) -> bool:
    link = state.links[link_id]
    return not is_hidden(state, link["taskId"]) and not is_hidden(state, link["otherId"])
