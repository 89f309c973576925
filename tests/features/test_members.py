"""Members: who may bring in, promote, demote and remove whom."""

from __future__ import annotations

import pytest

from actors.project.limits import ProjectLimits
from actors.project.members import list_members
from protocol.errors import Rejection
from protocol.event import OPERATOR, Principal
from protocol.members import (
    AddMember,
    ChangeMemberRole,
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    RemoveMember,
    TransferOwnership,
)
from protocol.projects import DeleteProject
from protocol.roles import DefineRole, EditRole
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import (
    ADMIN,
    ALREADY_EXISTS,
    COMMENTER,
    FORBIDDEN,
    MEMBER,
    NOT_FOUND,
    NOW,
    OWNER,
    STRANGER,
    TASK,
    VIEWER,
    Life,
    a_project,
    a_team,
    broken,
    happened,
    project_state,
    refused,
    uuid,
)

NEWCOMER, ROLE = STRANGER.id, uuid(0x501)


def test_admins_bring_people_in_but_only_owners_make_owners() -> None:
    life = a_team()
    added = happened(life.decide(AddMember(user_id=NEWCOMER, role="admin"), ADMIN))
    assert added == [MemberAdded(user_id=NEWCOMER, role="admin")]
    assert refused(life.decide(AddMember(user_id=NEWCOMER, role="owner"), ADMIN)) == FORBIDDEN
    assert len(happened(life.decide(AddMember(user_id=NEWCOMER, role="owner"), OWNER))) == 1
    assert refused(life.decide(AddMember(user_id=NEWCOMER, role="viewer"), MEMBER)) == FORBIDDEN
    assert refused(life.decide(AddMember(user_id=NEWCOMER, role="viewer"), STRANGER)) == NOT_FOUND


def test_a_member_is_added_once_and_has_to_exist() -> None:
    life = a_team()
    assert refused(life.decide(AddMember(user_id=MEMBER.id, role="viewer"), OWNER)) == ALREADY_EXISTS
    nobody = life.decide(AddMember(user_id=NEWCOMER, role="viewer"), OWNER, facts={"userExists": False})
    assert refused(nobody) == broken("unknown_user")


def test_a_project_has_room_for_so_many() -> None:
    life = a_team(ProjectLimits(members_max=5))
    assert refused(life.decide(AddMember(user_id=NEWCOMER, role="viewer"), OWNER)) == broken("members_limit")


def test_roles_change_and_the_event_says_what_was() -> None:
    life = a_team()
    [changed] = happened(life.send(ChangeMemberRole(user_id=VIEWER.id, role="member"), ADMIN))
    assert changed == MemberRoleChanged(user_id=VIEWER.id, role="member", was="viewer")
    assert len(happened(life.decide(CreateTask(title="Now I may"), VIEWER))) == 1
    assert happened(life.decide(ChangeMemberRole(user_id=VIEWER.id, role="member"), ADMIN)) == []


def test_admins_cannot_touch_owners() -> None:
    life = a_team()
    assert refused(life.decide(ChangeMemberRole(user_id=OWNER.id, role="viewer"), ADMIN)) == FORBIDDEN
    assert refused(life.decide(ChangeMemberRole(user_id=ADMIN.id, role="owner"), ADMIN)) == FORBIDDEN
    assert refused(life.decide(RemoveMember(user_id=OWNER.id), ADMIN)) == FORBIDDEN


def test_the_last_owner_neither_leaves_nor_steps_down() -> None:
    life = a_team()
    for by in (OWNER, OPERATOR):
        assert refused(life.decide(RemoveMember(user_id=OWNER.id), by)) == broken("last_owner")
        down = ChangeMemberRole(user_id=OWNER.id, role="admin")
        assert refused(life.decide(down, by)) == broken("last_owner")
    life.given((OWNER, ChangeMemberRole(user_id=ADMIN.id, role="owner")), (OWNER, RemoveMember(user_id=OWNER.id)))
    assert refused(life.decide(RemoveMember(user_id=ADMIN.id), ADMIN)) == broken("last_owner")


def test_an_ownership_is_handed_over_in_one_step() -> None:
    life = a_team()
    assert refused(life.decide(TransferOwnership(user_id=MEMBER.id), ADMIN)) == FORBIDDEN
    assert refused(life.decide(TransferOwnership(user_id=MEMBER.id), STRANGER)) == NOT_FOUND
    assert refused(life.decide(TransferOwnership(user_id=NEWCOMER), OWNER)) == NOT_FOUND
    assert refused(life.decide(TransferOwnership(user_id=OWNER.id), OWNER)) == broken("own_transfer")
    assert refused(life.decide(TransferOwnership(user_id=MEMBER.id), OPERATOR)) == broken("not_owner")
    assert happened(life.send(TransferOwnership(user_id=MEMBER.id), OWNER)) == [
        MemberRoleChanged(user_id=MEMBER.id, role="owner", was="member"),
        MemberRoleChanged(user_id=OWNER.id, role="admin", was="owner"),
    ]
    assert refused(life.decide(TransferOwnership(user_id=VIEWER.id), OWNER)) == FORBIDDEN
    life.given((MEMBER, ChangeMemberRole(user_id=ADMIN.id, role="owner")))
    to_an_owner = happened(life.send(TransferOwnership(user_id=ADMIN.id), MEMBER))
    assert to_an_owner == [MemberRoleChanged(user_id=MEMBER.id, role="admin", was="owner")]
    life.given((ADMIN, DeleteProject()))
    assert refused(life.decide(TransferOwnership(user_id=VIEWER.id), ADMIN)) == broken("project_deleted")


def test_everybody_may_leave_and_nobody_comes_back_by_themself() -> None:
    life = a_team()
    for person, role in ((VIEWER, "viewer"), (COMMENTER, "commenter"), (MEMBER, "member"), (ADMIN, "admin")):
        [left] = happened(life.send(RemoveMember(user_id=person.id), person))
        assert left == MemberRemoved(user_id=person.id, was=role)
        assert refused(life.decide(AddMember(user_id=person.id, role="viewer"), person)) == NOT_FOUND
    assert life.actor.audience(life.state) == frozenset({OWNER.id})


def test_removal_needs_permission_and_somebody_to_remove() -> None:
    life = a_team()
    assert refused(life.decide(RemoveMember(user_id=VIEWER.id), MEMBER)) == FORBIDDEN
    assert refused(life.decide(RemoveMember(user_id=NEWCOMER), ADMIN)) == NOT_FOUND
    assert refused(life.decide(RemoveMember(user_id=NEWCOMER), STRANGER)) == NOT_FOUND
    assert refused(life.decide(ChangeMemberRole(user_id=NEWCOMER, role="viewer"), ADMIN)) == NOT_FOUND


def test_nobody_leaves_a_deleted_project() -> None:
    life = a_team()
    life.given((OWNER, DeleteProject()))
    assert refused(life.decide(RemoveMember(user_id=MEMBER.id), MEMBER)) == NOT_FOUND
    assert refused(life.decide(RemoveMember(user_id=MEMBER.id), OWNER)) == broken("project_deleted")


def test_what_a_removed_member_was_assigned_to_stays_but_nothing_new_comes() -> None:
    life = a_team()
    life.given(
        (OWNER, CreateTask(task_id=TASK, title="Fly", assignee_ids=[MEMBER.id])),
        (OWNER, RemoveMember(user_id=MEMBER.id)),
    )
    assert life.state.tasks[TASK]["assigneeIds"] == [MEMBER.id]
    new = CreateTask(title="Land", assignee_ids=[MEMBER.id])
    assert refused(life.decide(new, OWNER)) == broken("assignee_not_member")
    off = EditTask(task_id=TASK, remove_assignees=[MEMBER.id])
    assert len(happened(life.send(off, OWNER))) == 1
    on = EditTask(task_id=TASK, add_assignees=[MEMBER.id])
    assert refused(life.decide(on, OWNER)) == broken("assignee_not_member")


def test_members_are_listed_page_by_page_to_members() -> None:
    life = a_project()
    ids = [uuid(0x500 + number) for number in range(5)]
    life.given(*((OWNER, AddMember(user_id=user_id, role="viewer")) for user_id in reversed(ids)))
    state = project_state(life)
    first = list_members(state, OWNER, None, 4)
    assert isinstance(first, list)
    assert [member["userId"] for member in first] == [OWNER.id, *ids[:3]]
    assert list_members(state, OWNER, ids[2], 4) == [
        {"userId": user_id, "role": "viewer", "addedAt": NOW} for user_id in ids[3:]
    ]
    assert refused(list_members(state, STRANGER)) == NOT_FOUND


def test_a_persons_bots_go_with_them() -> None:
    life = a_team()
    life.given((OWNER, AddMember(user_id=STRANGER.id, role="member")))
    facts = {"botIds": [STRANGER.id, TASK]}
    for by in (OWNER, MEMBER):
        events = happened(life.decide(RemoveMember(user_id=MEMBER.id), by, facts=facts))
        assert [(event.user_id, event.was) for event in events] == [(MEMBER.id, "member"), (STRANGER.id, "member")]


def test_an_owner_whose_bot_alone_would_be_left_as_owner_stays() -> None:
    life = a_team()
    life.given((OWNER, AddMember(user_id=STRANGER.id, role="owner")))
    leaving = RemoveMember(user_id=OWNER.id)
    assert refused(life.decide(leaving, OWNER, facts={"botIds": [STRANGER.id]})) == broken("last_owner")
    assert happened(life.decide(leaving, OWNER, facts={"botIds": []}))


def a_project_with_a_bot(role: str = "admin") -> tuple[Life, Principal]:
    """ADMIN's bot is a member of the team."""
    life, bot = a_team(), Principal(STRANGER.id, "bot", owner_id=ADMIN.id)
    life.given((OWNER, AddMember(user_id=bot.id, role=role)))
    return life, bot


def test_a_bot_may_never_do_more_than_its_person_may_now() -> None:
    life, bot = a_project_with_a_bot()
    again = ChangeMemberRole(user_id=ADMIN.id, role="admin")
    assert happened(life.decide(AddMember(user_id=uuid(0x777), role="admin"), bot))
    life.given((OWNER, ChangeMemberRole(user_id=ADMIN.id, role="viewer")))
    for forbidden in (again, AddMember(user_id=uuid(0x777), role="viewer"), CreateTask(title="Mine")):
        assert refused(life.decide(forbidden, bot)) == FORBIDDEN
    life.given((OWNER, ChangeMemberRole(user_id=ADMIN.id, role="member")))
    assert happened(life.decide(CreateTask(title="Allowed to both"), bot))
    assert refused(life.decide(again, bot)) == FORBIDDEN
    life.given((OWNER, again))
    assert happened(life.decide(AddMember(user_id=uuid(0x777), role="admin"), bot))


def test_a_bot_follows_its_person_through_edits_of_a_role() -> None:
    life, bot = a_project_with_a_bot()
    define = DefineRole(role_id=ROLE, name="Keeper", permissions=["task.add", "member.add"])
    life.given((OWNER, define), (OWNER, ChangeMemberRole(user_id=ADMIN.id, role=ROLE)))
    assert happened(life.decide(AddMember(user_id=uuid(0x777), role="viewer"), bot))
    life.given((OWNER, EditRole(role_id=ROLE, permissions=["task.add"])))
    assert refused(life.decide(AddMember(user_id=uuid(0x777), role="viewer"), bot)) == FORBIDDEN


def test_a_bot_of_somebody_who_is_no_member_may_what_its_own_role_says() -> None:
    life, _ = a_project_with_a_bot()
    guest = Principal(STRANGER.id, "bot", owner_id=uuid(0x778))
    assert happened(life.decide(AddMember(user_id=uuid(0x777), role="admin"), guest))


@pytest.mark.parametrize(("role", "sees"), [("admin", False), ("owner", True)])
def test_owners_alone_see_a_deleted_project_bots_or_not(role: str, sees: bool) -> None:
    life, bot = a_project_with_a_bot(role)
    life.given((OWNER, DeleteProject()))
    assert isinstance(list_members(project_state(life), bot), Rejection) is not sees


def test_a_bot_that_is_an_owner_acts_as_one_whoever_it_belongs_to() -> None:
    life, bot = a_project_with_a_bot("member")
    life.given((OWNER, ChangeMemberRole(user_id=ADMIN.id, role="viewer")), (OWNER, TransferOwnership(user_id=bot.id)))
    assert refused(life.decide(DeleteProject(), OWNER)) == FORBIDDEN
    assert happened(life.decide(ChangeMemberRole(user_id=OWNER.id, role="owner"), bot))
    assert refused(life.decide(RemoveMember(user_id=ADMIN.id), OWNER, facts={"botIds": [bot.id]})) == FORBIDDEN


def test_with_an_owner_their_bots_stop_to_be_owners() -> None:
    life = a_team()
    life.given(
        (OWNER, AddMember(user_id=STRANGER.id, role="owner")), (OWNER, ChangeMemberRole(user_id=ADMIN.id, role="owner"))
    )
    facts = {"botIds": [STRANGER.id, MEMBER.id]}
    down = happened(life.decide(ChangeMemberRole(user_id=OWNER.id, role="viewer"), ADMIN, facts=facts))
    assert [(event.user_id, event.role) for event in down] == [(OWNER.id, "viewer"), (STRANGER.id, "viewer")]
    given = happened(life.decide(TransferOwnership(user_id=MEMBER.id), OWNER, facts={"botIds": [STRANGER.id]}))
    changed = [(event.user_id, event.role) for event in given]
    assert changed == [(MEMBER.id, "owner"), (OWNER.id, "admin"), (STRANGER.id, "admin")]


def test_no_bot_stays_the_owner_alone() -> None:
    life = a_team()
    life.given((OWNER, AddMember(user_id=STRANGER.id, role="owner")))
    facts = {"botIds": [STRANGER.id]}
    down = ChangeMemberRole(user_id=OWNER.id, role="admin")
    assert refused(life.decide(down, OWNER, facts=facts)) == broken("last_owner")
    give = TransferOwnership(user_id=STRANGER.id)
    assert refused(life.decide(give, OWNER, facts=facts)) == broken("own_transfer")
    assert happened(life.decide(down, OWNER, facts={"botIds": []}))
