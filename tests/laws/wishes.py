"""Random commands of every type. The pools of ids are small: what matters happens when commands meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol.comments import AddComment, DeleteComment, EditComment, RestoreComment
from protocol.event import (
    Command,
)
from protocol.links import AddLink, RemoveLink
from protocol.members import (
    AddMember,
    ChangeMemberRole,
    RemoveMember,
    TransferOwnership,
)
from protocol.notifications import (
    REASONS,
    MarkRead,
    Notify,
)
from protocol.preferences import (
    MuteProject,
    SetPreferences,
    UnmuteProject,
)
from protocol.profiles import CreateProfile, EditProfile
from protocol.projects import (
    DEFAULT_STATES,
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    RestoreProject,
    UnarchiveProject,
    WorkflowState,
)
from protocol.ranks import MoveTask
from protocol.reactions import AddReaction, RemoveReaction
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from tests.actors.given import ADMIN, COMMENTER, MATZ, MEMBER, OWNER, STRANGER, VIEWER, uuid
from tests.laws.endings import TIMED
from tests.laws.planning import PLANNED, PLANNING, WATCHED
from tests.laws.team import ROLE_IDS, team_commands
from tests.laws.undone import undo_commands

PEOPLE = (OWNER, ADMIN, MEMBER, COMMENTER, VIEWER, STRANGER)
TASK_IDS = [uuid(0x200 + n) for n in range(2)]
LINK_IDS = [uuid(0x250 + n) for n in range(3)]
COMMENT_IDS = [uuid(0x300 + n) for n in range(3)]
ROLES: list[Any] = ["owner", "admin", "member", "commenter", "viewer", *ROLE_IDS]
REVIEW: WorkflowState = {"id": "review", "name": "Review", "group": "started", "waiting": True}
WORKFLOWS: list[list[WorkflowState]] = [
    list(DEFAULT_STATES),
    [*DEFAULT_STATES[:3], REVIEW, *DEFAULT_STATES[3:]],
    [DEFAULT_STATES[1], DEFAULT_STATES[3]],
]

_user_ids = st.sampled_from([person.id for person in PEOPLE])
_roles: SearchStrategy[Any] = st.sampled_from(ROLES)
_texts = st.sampled_from(["one", "two", "# drei\n\nund „mehr“ 🚀", "for @member", "x" * 300])
_titles = st.sampled_from(["one", "two", "drei 🚀"])
_labels = st.lists(st.sampled_from(["bug", "ui", "später"]), unique=True, max_size=3)
_assignees = st.lists(st.one_of(_user_ids, st.just(MATZ)), unique=True, max_size=2)
_days = st.sampled_from([None, "2026-01-31", "2026-02-28"])
_estimates = st.sampled_from([None, 0.0, 3.0, 0.5])
_emoji = st.sampled_from(["👍", "❤", "❤\ufe0f", "👩\u200d🚀"])
_state_ids = st.sampled_from(["backlog", "todo", "in-progress", "review", "done", "cancelled", "nowhere"])
_priorities: SearchStrategy[Any] = st.sampled_from(["urgent", "high", "medium", "low", "none"])
_visibilities: SearchStrategy[Any] = st.sampled_from(["private", "public"])
_task_ids = st.sampled_from(TASK_IDS)
_link_types: SearchStrategy[Any] = st.sampled_from(["blocks", "precedes", "relates", "duplicates"])
_ordering: SearchStrategy[Any] = st.sampled_from(["blocks", "precedes"])
_parent_ids = st.sampled_from([None, None, None, *TASK_IDS])
_names = st.sampled_from([None, "Ada", "Grace"])
_project_ids = st.sampled_from([uuid(0x500), uuid(0x501)])
_reasons: SearchStrategy[Any] = st.sampled_from(REASONS)


def _some(model: type[Command], optional: dict[str, SearchStrategy[Any]], **always: Any) -> Any:
    """The command with any subset of its optional fields."""
    return st.fixed_dictionaries(always, optional=optional).map(lambda fields: model(**fields))


_edits = _some(
    EditTask,
    {
        "title": _titles,
        "description": _texts,
        "state_id": _state_ids,
        "priority": _priorities,
        "start_date": _days,
        "due_date": _days,
        "estimate": _estimates,
        "parent_id": _parent_ids,
        "add_labels": _labels,
        "remove_labels": _labels,
        "add_assignees": _assignees,
        "remove_assignees": _assignees,
        **PLANNED,
        **WATCHED,
    },
    task_id=st.sampled_from(TASK_IDS),
)

STRATEGIES: Mapping[type[Command], SearchStrategy[Command]] = {
    CreateProject: _some(
        CreateProject,
        {"owner_id": _user_ids, "visibility": _visibilities, "states": st.sampled_from(WORKFLOWS)},
        name=_titles,
    ),
    EditProject: _some(
        EditProject,
        {
            "name": _titles,
            "description": _texts,
            "status": st.sampled_from(["Active", "Active", "Active", "Completed", "OnHold", "Archived"]),
            "visibility": _visibilities,
            "states": st.sampled_from(WORKFLOWS),
        },
    ),
    ArchiveProject: st.just(ArchiveProject()),
    UnarchiveProject: _some(UnarchiveProject, {"status": st.sampled_from(["Active", "Completed", "OnHold"])}),
    DeleteProject: st.just(DeleteProject()),
    RestoreProject: st.just(RestoreProject()),
    AddMember: _some(AddMember, {}, user_id=_user_ids, role=_roles),
    ChangeMemberRole: _some(ChangeMemberRole, {}, user_id=_user_ids, role=_roles),
    RemoveMember: _some(RemoveMember, {}, user_id=_user_ids),
    TransferOwnership: _some(TransferOwnership, {}, user_id=_user_ids),
    **team_commands(_user_ids, _roles),
    CreateTask: _some(
        CreateTask,
        {
            "task_id": st.sampled_from(TASK_IDS),
            "state_id": _state_ids,
            "description": _texts,
            "priority": _priorities,
            "labels": _labels,
            "assignee_ids": _assignees,
            "start_date": _days,
            "due_date": _days,
            "estimate": _estimates,
            "external_id": st.sampled_from([None, "github:a/b#1", "github:a/b#2"]),
            **PLANNED,
            "parent_id": _parent_ids,
        },
        title=_titles,
    ),
    EditTask: _edits,
    EditTasks: st.lists(_edits, min_size=1, max_size=2, unique_by=lambda edit: edit.task_id).map(
        lambda edits: EditTasks(edits=edits)
    ),
    MoveTask: _some(
        MoveTask,
        {
            "state_id": _state_ids,
            "after": st.sampled_from(TASK_IDS),
            "before": st.sampled_from(TASK_IDS),
        },
        task_id=st.sampled_from(TASK_IDS),
    ),
    **PLANNING,
    **TIMED,
    DeleteTask: _some(DeleteTask, {}, task_id=_task_ids),
    RestoreTask: _some(RestoreTask, {}, task_id=_task_ids),
    AddLink: _some(
        AddLink, {"link_id": st.sampled_from(LINK_IDS)}, type=_link_types, task_id=_task_ids, other_id=_task_ids
    ),
    RemoveLink: _some(RemoveLink, {}, link_id=st.sampled_from(LINK_IDS)),
    AddComment: _some(
        AddComment,
        {"comment_id": st.sampled_from(COMMENT_IDS), "reply_to": st.sampled_from(COMMENT_IDS)},
        task_id=st.sampled_from(TASK_IDS),
        body=_texts,
    ),
    EditComment: _some(EditComment, {}, comment_id=st.sampled_from(COMMENT_IDS), body=_texts),
    DeleteComment: _some(DeleteComment, {}, comment_id=st.sampled_from(COMMENT_IDS)),
    RestoreComment: _some(RestoreComment, {}, comment_id=st.sampled_from(COMMENT_IDS)),
    AddReaction: _some(AddReaction, {}, comment_id=st.sampled_from(COMMENT_IDS), emoji=_emoji),
    RemoveReaction: _some(RemoveReaction, {}, comment_id=st.sampled_from(COMMENT_IDS), emoji=_emoji),
    **undo_commands(),
    CreateProfile: _some(CreateProfile, {"first_name": _names, "last_name": _names}),
    EditProfile: _some(
        EditProfile,
        {
            "first_name": _names,
            "last_name": _names,
            "bio": st.sampled_from([None, "sails", "climbs"]),
            "avatar_id": st.sampled_from([None, uuid(0x400)]),
        },
    ),
    Notify: st.builds(
        lambda project, seq, reasons: Notify(
            source={"stream": f"project/{project}", "seq": seq},
            subject={"projectId": project, "taskId": TASK_IDS[0], "commentId": None},
            reasons=reasons,
            actor_id=ADMIN.id,
        ),
        _project_ids,
        st.integers(1, 3),
        st.lists(_reasons, unique=True, min_size=1, max_size=3),
    ),
    MarkRead: _some(MarkRead, {"up_to": st.integers(1, 6)}),
    SetPreferences: _some(
        SetPreferences,
        {
            "channels": st.dictionaries(_reasons, st.sampled_from([[], ["inbox"], ["inbox", "email"]]), max_size=2),
            "quiet_hours": st.sampled_from([None, {"start": "22:00", "end": "07:00", "timezone": "Europe/Berlin"}]),
        },
    ),
    MuteProject: _some(MuteProject, {}, project_id=_project_ids),
    UnmuteProject: _some(UnmuteProject, {}, project_id=_project_ids),
}
