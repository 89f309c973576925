"""Random lives of streams: commands of every type, by everybody, live and imported.

The pools of ids are small on purpose: what matters happens when commands meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol.comments import AddComment, DeleteComment, EditComment, RestoreComment
from protocol.event import (
    OPERATOR,
    SYSTEM,
    Command,
    Origin,
    Principal,
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
from protocol.roles import DefineRole, EditRole, RemoveRole
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from tests.actors.given import ADMIN, COMMENTER, MATZ, MEMBER, OWNER, STRANGER, VIEWER, uuid

PEOPLE = (OWNER, ADMIN, MEMBER, COMMENTER, VIEWER, STRANGER)
TASK_IDS = [uuid(0x200 + n) for n in range(2)]
LINK_IDS = [uuid(0x250 + n) for n in range(3)]
COMMENT_IDS = [uuid(0x300 + n) for n in range(3)]
ROLE_IDS = [uuid(0x500 + n) for n in range(2)]
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
_permissions = st.lists(
    st.sampled_from(["task.edit", "task.add", "comment.add", "member.add", "role.manage", "project.delete"]), max_size=4
)
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
    DefineRole: _some(
        DefineRole, {"role_id": st.sampled_from(ROLE_IDS)}, name=st.sampled_from(["A", "B"]), permissions=_permissions
    ),
    EditRole: _some(
        EditRole,
        {"name": st.sampled_from(["A", "B", "C"]), "permissions": _permissions},
        role_id=st.sampled_from(ROLE_IDS),
    ),
    RemoveRole: _some(RemoveRole, {}, role_id=st.sampled_from(ROLE_IDS)),
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

Turn = Literal["go on", "retry", "snapshot", "restart"]


@dataclass(frozen=True)
class Step:
    """One command, and what happens to the actor before it."""

    turn: Turn
    command: Command
    by: Principal
    day: int
    origin: Origin | None
    # How many entries its sender had not seen; less than none is a base in the future. None: no base is given.
    behind: int | None = None


_content: tuple[type[Command], ...] = (
    EditProject,
    CreateTask,
    EditTask,
    DeleteTask,
    RestoreTask,
    AddLink,
    RemoveLink,
    AddComment,
    EditComment,
    DeleteComment,
    RestoreComment,
    AddReaction,
    RemoveReaction,
)
_history_has: tuple[type[Command], ...] = (CreateTask, EditTask, EditTasks, MoveTask, AddComment, EditComment)
_membership: tuple[type[Command], ...] = (AddMember, ChangeMemberRole, RemoveMember)
_own_roles: tuple[type[Command], ...] = (DefineRole, EditRole, RemoveRole)
_rare: tuple[type[Command], ...] = (
    CreateProject,
    ArchiveProject,
    UnarchiveProject,
    DeleteProject,
    RestoreProject,
    TransferOwnership,
)
_origins = st.tuples(st.sampled_from([MATZ] * 4 + ["unknown", OWNER.id]), st.integers(1, 9)).map(
    lambda both: Origin(author=both[0], at=f"2015-06-{both[1]:02d}T00:00:00.000Z")
)
_turns: SearchStrategy[Any] = st.sampled_from(["go on", "go on", "go on", "retry", "snapshot", "restart"])
_powers = st.sampled_from([OWNER] * 4 + [ADMIN, MEMBER, COMMENTER, VIEWER, STRANGER, OPERATOR])


def _commands(models: tuple[type[Command], ...]) -> SearchStrategy[Command]:
    return st.sampled_from(models).flatmap(lambda model: STRATEGIES[model])


def _mixed(*groups: tuple[tuple[type[Command], ...], int]) -> SearchStrategy[Command]:
    """A command of one of the groups, each with its weight, however many commands there are in it."""
    return st.sampled_from([group for group, weight in groups for _ in range(weight)]).flatmap(_commands)


_live = st.builds(
    Step,
    turn=_turns,
    command=_mixed((_content, 6), (_membership, 3), (_own_roles, 1), (_rare, 1)),
    by=_powers,
    day=st.integers(0, 3),
    origin=st.sampled_from([None] * 9 + [Origin(author=MATZ, at="2015-06-01T00:00:00.000Z")]),
    behind=st.sampled_from([None, None, None, 0, 1, 5, 99, -1]),
)
_imported = st.builds(
    Step,
    turn=_turns,
    command=_mixed((_content, 1), (_history_has, 2)),
    by=st.just(OWNER),
    day=st.just(0),
    origin=_origins,
)


def _by_owner(command: Command) -> Step:
    return Step("go on", command, OWNER, 0, None)


# What is rare by chance, because it needs several commands in a row: there and back again.
_tasks_made = st.sampled_from(TASK_IDS).map(
    lambda task_id: [_by_owner(CreateTask(task_id=task_id, title="made", labels=["bug"]))]
)
_closed_and_reopened = st.tuples(st.sampled_from(TASK_IDS), _live, _turns).map(
    lambda drawn: [
        _by_owner(EditTask(task_id=drawn[0], state_id="done")),
        drawn[1],
        Step(drawn[2], EditTask(task_id=drawn[0], state_id="todo"), OWNER, 1, None),
    ]
)
_deleted_and_restored = st.tuples(_live, _turns).map(
    lambda drawn: [
        _by_owner(DeleteProject()),
        drawn[0],
        Step(drawn[1], RestoreProject(), OWNER, 1, None),
    ]
)
_archived_and_back = _live.map(
    lambda step: [_by_owner(EditProject(status="Archived")), step, _by_owner(EditProject(status="Active"))]
)
_labelled_and_not = st.tuples(st.sampled_from(TASK_IDS), _live, _turns).map(
    lambda drawn: [
        _by_owner(EditTask(task_id=drawn[0], add_labels=["bug", "ui"])),
        drawn[1],
        Step(drawn[2], EditTask(task_id=drawn[0], remove_labels=["bug"]), OWNER, 1, None),
    ]
)
_said_and_corrected = st.tuples(st.sampled_from(COMMENT_IDS), st.sampled_from(TASK_IDS), _turns, _live).map(
    lambda drawn: [
        _by_owner(AddComment(comment_id=drawn[0], task_id=drawn[1], body="said")),
        drawn[3],
        Step(drawn[2], EditComment(comment_id=drawn[0], body="meant"), OWNER, 1, None),
        _by_owner(EditComment(comment_id=drawn[0], body="really meant")),
    ]
)
_removed_and_back = st.tuples(st.sampled_from([ADMIN, MEMBER, VIEWER]), _live, _turns).map(
    lambda drawn: [
        _by_owner(RemoveMember(user_id=drawn[0].id)),
        drawn[1],
        Step(drawn[2], AddMember(user_id=drawn[0].id, role="member"), OWNER, 1, None),
    ]
)
_role_of_its_own = st.tuples(st.sampled_from(ROLE_IDS), _live, _turns, _live, st.booleans()).map(
    lambda drawn: [
        _by_owner(DefineRole(role_id=drawn[0], name="A", permissions=["task.add"])),
        _by_owner(ChangeMemberRole(user_id=MEMBER.id, role=drawn[0])),
        drawn[1],
        Step(drawn[2], EditRole(role_id=drawn[0], permissions=["task.edit"]), OWNER, 1, None),
        drawn[3],
        _by_owner(ChangeMemberRole(user_id=MEMBER.id, role="member")),
        *([_by_owner(RemoveRole(role_id=drawn[0]))] if drawn[4] else []),
        Step("go on", EditComment(comment_id=drawn[0], body="really meant"), OWNER, 1, None),
    ]
)
_linked_and_not = st.tuples(st.sampled_from(LINK_IDS), _link_types, _live, _turns).map(
    lambda drawn: [
        *(_by_owner(CreateTask(task_id=task_id, title="made")) for task_id in TASK_IDS),
        _by_owner(AddLink(link_id=drawn[0], type=drawn[1], task_id=TASK_IDS[0], other_id=TASK_IDS[1])),
        drawn[2],
        Step(drawn[3], RemoveLink(link_id=drawn[0]), OWNER, 1, None),
    ]
)
_crossed: SearchStrategy[list[Step]] = st.tuples(_ordering, _live, st.one_of(_ordering, st.just("parent"))).map(
    lambda drawn: [
        *(_by_owner(CreateTask(task_id=task_id, title="made")) for task_id in TASK_IDS),
        _by_owner(AddLink(type=drawn[0], task_id=TASK_IDS[0], other_id=TASK_IDS[1])),
        drawn[1],
        _by_owner(
            EditTask(task_id=TASK_IDS[1], parent_id=TASK_IDS[0])
            if drawn[2] == "parent"
            else AddLink(type=drawn[2], task_id=TASK_IDS[1], other_id=TASK_IDS[0])
        ),
    ]
)
_buried_and_back = st.tuples(_task_ids, _live, _turns).map(
    lambda drawn: [
        _by_owner(DeleteTask(task_id=drawn[0])),
        drawn[1],
        Step(drawn[2], RestoreTask(task_id=drawn[0]), OWNER, 1, None),
    ]
)
# Into a gap between neighbouring numbers, where only short ranks are taken.
_crowded = st.tuples(_turns, _turns).map(
    lambda turns: [
        _by_owner(CreateTask(title="card", state_id="todo")),
        *(_by_owner(CreateTask(task_id=task_id, title="card", state_id="todo")) for task_id in TASK_IDS),
        *(_by_owner(MoveTask(task_id=task_id, state_id="todo")) for task_id in TASK_IDS),
        Step(turns[0], MoveTask(task_id=TASK_IDS[1], before=TASK_IDS[0]), OWNER, 0, None),
        Step(turns[1], MoveTask(task_id=TASK_IDS[0], before=TASK_IDS[1]), OWNER, 0, None),
    ]
)
_came_and_left = st.tuples(st.sampled_from([MEMBER, VIEWER]), _roles, _turns).map(
    lambda drawn: [
        _by_owner(AddMember(user_id=drawn[0].id, role="commenter")),
        Step(drawn[2], ChangeMemberRole(user_id=drawn[0].id, role=drawn[1]), OWNER, 0, None),
        _by_owner(RemoveMember(user_id=drawn[0].id)),
    ]
)
_corrected_twice = st.tuples(st.sampled_from(TASK_IDS), _turns).map(
    lambda drawn: [
        _by_owner(CreateTask(task_id=drawn[0], title="made")),
        _by_owner(AddComment(comment_id=COMMENT_IDS[0], task_id=drawn[0], body="said")),
        _by_owner(EditComment(comment_id=COMMENT_IDS[0], body="meant")),
        Step(drawn[1], EditComment(comment_id=COMMENT_IDS[0], body="really meant"), OWNER, 1, None),
    ]
)
_answered = st.tuples(st.permutations(COMMENT_IDS), st.sampled_from(TASK_IDS), _turns, _live).map(
    lambda drawn: [
        _by_owner(AddComment(comment_id=drawn[0][0], task_id=drawn[1], body="asked, @member")),
        _by_owner(AddComment(comment_id=drawn[0][1], task_id=drawn[1], body="answered", reply_to=drawn[0][0])),
        drawn[3],
        Step(
            drawn[2],
            AddComment(comment_id=drawn[0][2], task_id=drawn[1], body="thanked", reply_to=drawn[0][1]),
            MEMBER,
            1,
            None,
        ),
    ]
)
_reacted = st.tuples(st.sampled_from(COMMENT_IDS), st.sampled_from(TASK_IDS), _turns, _live, _emoji).map(
    lambda drawn: [
        _by_owner(AddComment(comment_id=drawn[0], task_id=drawn[1], body="liked")),
        Step("go on", AddReaction(comment_id=drawn[0], emoji=drawn[4]), MEMBER, 0, None),
        _by_owner(AddReaction(comment_id=drawn[0], emoji="❤")),
        drawn[3],
        Step(drawn[2], RemoveReaction(comment_id=drawn[0], emoji=drawn[4]), MEMBER, 1, None),
    ]
)
_taken_back = st.tuples(st.sampled_from(COMMENT_IDS), st.sampled_from(TASK_IDS), _turns, _live, _turns).map(
    lambda drawn: [
        _by_owner(AddComment(comment_id=drawn[0], task_id=drawn[1], body="said")),
        _by_owner(EditComment(comment_id=drawn[0], body="meant")),
        _by_owner(AddReaction(comment_id=drawn[0], emoji="👍")),
        Step(drawn[4], DeleteComment(comment_id=drawn[0]), OWNER, 1, None),
        drawn[3],
        Step(drawn[2], RestoreComment(comment_id=drawn[0]), OWNER, 1, None),
    ]
)
_alone = _live.map(lambda step: [step])
_episodes = st.lists(
    st.one_of(
        _alone,
        _alone,
        _alone,
        _tasks_made,
        _labelled_and_not,
        _said_and_corrected,
        _corrected_twice,
        _answered,
        _reacted,
        _taken_back,
        _closed_and_reopened,
        _crowded,
        _came_and_left,
        _deleted_and_restored,
        _archived_and_back,
        _removed_and_back,
        _role_of_its_own,
        _linked_and_not,
        _crossed,
        _buried_and_back,
    ),
    min_size=6,
    max_size=16,
).map(lambda episodes: [step for episode in episodes for step in episode])
# Mostly in the order of time, so that most of it is taken.
_history = st.lists(_imported, max_size=6).map(
    lambda steps: sorted(steps[1:], key=lambda step: step.origin.at if step.origin else "") + steps[:1]
)
_founding = Step(
    "go on", CreateTask(task_id=TASK_IDS[0], title="old"), OWNER, 0, Origin(author=MATZ, at="2015-06-01T00:00:00Z")
)
_old_edit = Step(
    "go on", EditTask(task_id=TASK_IDS[0], title="older"), OWNER, 0, Origin(author=MATZ, at="2015-06-01T01:00:00Z")
)
_old_comment = Step(
    "go on",
    AddComment(comment_id=COMMENT_IDS[1], task_id=TASK_IDS[0], body="old"),
    OWNER,
    0,
    Origin(author=MATZ, at="2015-06-01T02:00:00Z"),
)
_old_times = [_founding, _old_edit, _old_comment]
_lives_from_history = st.tuples(_history, _episodes).map(lambda both: [*_old_times, *both[0], *both[1]])
_only_history = _history.map(lambda steps: [*_old_times, *steps])
PROJECT_LIVES = st.one_of(_episodes, _lives_from_history, _lives_from_history, _only_history)
PROFILE_LIVES = st.lists(
    st.builds(
        Step,
        turn=_turns,
        command=_commands((CreateProfile, EditProfile, EditProfile, EditProfile)),
        by=st.sampled_from([OWNER, OWNER, OWNER, STRANGER, OPERATOR]),
        day=st.integers(0, 3),
        origin=st.none(),
    ),
    min_size=1,
    max_size=12,
)
_muted_and_not = st.tuples(_project_ids, STRATEGIES[Notify], _turns).map(
    lambda drawn: [
        _by_owner(MuteProject(project_id=drawn[0])),
        Step("go on", drawn[1], SYSTEM, 0, None),
        Step(drawn[2], UnmuteProject(project_id=drawn[0]), OWNER, 1, None),
    ]
)
_private = st.one_of(
    st.builds(
        Step,
        turn=_turns,
        command=STRATEGIES[Notify],
        by=st.sampled_from([SYSTEM, SYSTEM, SYSTEM, OPERATOR]),
        day=st.integers(0, 3),
        origin=st.none(),
    ),
    st.builds(
        Step,
        turn=_turns,
        command=_commands((MarkRead, SetPreferences, MuteProject, UnmuteProject)),
        by=st.sampled_from([OWNER, OWNER, OWNER, STRANGER, OPERATOR]),
        day=st.integers(0, 3),
        origin=st.none(),
    ),
)
USER_LIVES = st.lists(
    st.one_of(_private.map(lambda step: [step]), _private.map(lambda step: [step]), _muted_and_not),
    min_size=1,
    max_size=14,
).map(lambda episodes: [step for episode in episodes for step in episode])
