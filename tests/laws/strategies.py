"""Random lives of streams: commands of every type, by everybody, live and imported."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol.comments import AddComment, DeleteComment, EditComment, RestoreComment
from protocol.event import (
    OPERATOR,
    SYSTEM,
    Command,
    Origin,
)
from protocol.links import AddLink, RemoveLink
from protocol.members import (
    AddMember,
    ChangeMemberRole,
    RemoveMember,
    TransferOwnership,
)
from protocol.notifications import (
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
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    RestoreProject,
    UnarchiveProject,
)
from protocol.ranks import MoveTask
from protocol.reactions import AddReaction, RemoveReaction
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from tests.actors.given import ADMIN, COMMENTER, MATZ, MEMBER, OWNER, STRANGER, VIEWER
from tests.laws.endings import purged_lives, timed_lives
from tests.laws.planning import PLANNING, planning_episodes
from tests.laws.steps import Step
from tests.laws.team import INVITATION_COMMANDS, ROLE_COMMANDS, team_lives
from tests.laws.undone import UNDO_COMMANDS, undo_lives
from tests.laws.wishes import (
    COMMENT_IDS,
    LINK_IDS,
    STRATEGIES,
    TASK_IDS,
    _emoji,
    _link_types,
    _ordering,
    _project_ids,
    _roles,
    _task_ids,
)

__all__ = ["PROFILE_LIVES", "PROJECT_LIVES", "STRATEGIES", "USER_LIVES", "Step"]

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
    command=_mixed(
        (_content, 6),
        (tuple(PLANNING), 3),
        (_membership, 3),
        (INVITATION_COMMANDS, 1),
        (ROLE_COMMANDS, 1),
        (UNDO_COMMANDS, 1),
        (_rare, 1),
    ),
    by=_powers,
    day=st.integers(0, 3),
    origin=st.sampled_from([None] * 9 + [Origin(author=MATZ, at="2015-06-01T00:00:00.000Z")]),
    behind=st.sampled_from([None, None, None, 0, 1, 5, 99, -1]),
)
_imported = st.builds(
    Step,
    turn=_turns,
    command=_mixed((_content, 1), (tuple(PLANNING), 1), (_history_has, 2)),
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
        _crowded,
        _crowded,
        _came_and_left,
        _deleted_and_restored,
        _archived_and_back,
        _removed_and_back,
        *planning_episodes(_live, _by_owner),
        *team_lives(_live, _turns),
        *undo_lives(_live, _turns),
        *timed_lives(_live, _turns),
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
PROJECT_LIVES = st.one_of(
    _episodes,
    _lives_from_history,
    _lives_from_history,
    _only_history,
    purged_lives(_episodes, _live, _turns),
)
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
