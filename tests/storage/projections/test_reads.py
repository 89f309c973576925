"""The derived reads: page by page, without what one may not see, and with the seq they are true for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from actors.project.decider import ProjectActor
from protocol.comments import AddComment
from protocol.event import Command, Principal
from protocol.invitations import AcceptInvitation, InviteMember
from protocol.links import AddLink, RemoveLink
from protocol.log import shard_of
from protocol.members import AddMember, RemoveMember
from protocol.profiles import CreateProfile
from protocol.projects import CreateProject, DeleteProject, EditProject, PurgeProject, RestoreProject
from protocol.tasks import CreateTask, DeleteTask, EditTask, RestoreTask
from protocol.watchers import WatchTask
from storage.postgres.consumers import PostgresConsumers
from storage.postgres.pool import Database
from storage.projections import comments, invitations, members, profiles, projects, tasks, watchers
from storage.projections.across import InProject, PlaceAcross
from storage.projections.folding import TABLES
from storage.projections.table import Table
from storage.projections.writer import PROJECTOR
from tests.actors.given import MEMBER, OWNER, STRANGER, Life, a_profile, uuid
from tests.architecture.sources import ROOT
from tests.storage.projections.given import Feeder


def a_life(number: int, *commands: tuple[Principal, Command]) -> Life:
    life = Life(ProjectActor(), f"project/{uuid(0xB000 + number)}")
    now = f"2026-03-01T12:00:{number:02d}.000Z"
    created = (OWNER, CreateProject(name=f"Project {number}"))
    added = (OWNER, AddMember(user_id=MEMBER.id, role="member"))
    life.given(created, added, *commands, now=now)
    return life


async def projected(database: Database, *lives: Life) -> None:
    await PostgresConsumers(database).positions(PROJECTOR)
    feeder = Feeder(database)
    for life in lives:
        entries = [replace(entry, shard=shard_of(life.stream)) for entry in life.entries]
        assert await feeder.feed(entries)


def _task(number: int, *people: Principal) -> CreateTask:
    return CreateTask(
        task_id=uuid(0xC000 + number), title=f"Task {number}", assignee_ids=[person.id for person in people]
    )


async def test_public_projects_are_listed_the_last_changed_first(database: Database) -> None:
    public = (OWNER, EditProject(visibility="public"))
    hidden_again = a_life(1, public, (OWNER, EditProject(visibility="private")))
    deleted = a_life(2, public, (OWNER, DeleteProject()))
    await projected(database, a_life(0), hidden_again, deleted, *(a_life(number, public) for number in range(3, 6)))
    names: list[str] = []
    place: tuple[str, str] | None = None
    while page := await projects.list_public(database, place, 2):
        names += [listed.record["name"] for listed in page]
        place = (page[-1].record["updatedAt"], page[-1].record["id"])
    assert names == ["Project 5", "Project 4", "Project 3"]


async def test_a_person_has_the_projects_they_are_in_the_last_changed_first(database: Database) -> None:
    left = a_life(1, (MEMBER, RemoveMember(user_id=MEMBER.id)))
    deleted = a_life(2, (OWNER, DeleteProject()))
    back = a_life(3, (OWNER, DeleteProject()), (OWNER, RestoreProject()))
    others = [a_life(number) for number in range(4, 9)]
    changed = a_life(0)
    changed.given((OWNER, EditProject(name="Newest")), now="2026-03-09T00:00:00.000Z")
    await projected(database, left, deleted, back, *others, changed)
    names: list[str] = []
    place: tuple[str, str] | None = None
    while page := await projects.list_of_user(database, MEMBER.id, place, 2):
        names += [listed.record["name"] for listed in page]
        place = (page[-1].record["updatedAt"], page[-1].record["id"])
    assert names == ["Newest", *(f"Project {number}" for number in (8, 7, 6, 5, 4, 3))]
    assert await projects.list_of_user(database, STRANGER.id, None, 10) == []
    [newest] = await projects.list_of_user(database, OWNER.id, None, 1)
    assert newest == (dict(changed.state.project), len(changed.entries))
    assert len(await projects.list_all(database, None, 100)) == 9


async def test_own_tasks_come_from_all_projects_open_closed_or_both(database: Database) -> None:
    done = EditTask(task_id=uuid(0xC002), state_id="done")
    first = a_life(1, (OWNER, _task(1, MEMBER)), (OWNER, _task(2, MEMBER)), (OWNER, done), (OWNER, _task(3)))
    second = a_life(2, (OWNER, _task(4, MEMBER, OWNER)))
    left = a_life(3, (OWNER, _task(5, MEMBER)), (MEMBER, RemoveMember(user_id=MEMBER.id)))
    deleted = a_life(4, (OWNER, _task(6, MEMBER)), (OWNER, DeleteProject()))
    await projected(database, first, second, left, deleted)

    async def titles(which: tasks.TaskFilter) -> list[str]:
        found: list[str] = []
        place: PlaceAcross | None = None
        while page := await tasks.list_of_assignee(database, MEMBER.id, which, place, 1):
            [own] = page
            found.append(own.listed.record["title"])
            place = PlaceAcross(own.listed.record["updatedAt"], own.project_id, own.listed.record["id"])
        return found

    assert await titles("open") == ["Task 4", "Task 1"]
    assert await titles("closed") == ["Task 2"]
    assert await titles("all") == ["Task 4", "Task 2", "Task 1"]


async def test_a_read_ends_with_the_row_with_which_the_descriptions_come_to_its_bytes(database: Database) -> None:
    def described(number: int) -> Life:
        task = _task(number, MEMBER).model_copy(update={"description": "ä" * 500})
        watch = (MEMBER, WatchTask(task_id=task.task_id))
        described = (OWNER, EditProject(description="ä" * 500, visibility="public"))
        return a_life(number, (OWNER, task), watch, described)

    await projected(database, *(described(number) for number in range(1, 6)))
    user_id = MEMBER.id
    for bytes_max, count in ((1, 1), (1000, 1), (1001, 2), (3000, 3), (9999, 5), (None, 5)):
        own = await tasks.list_of_assignee(database, user_id, "all", None, 10, bytes_max=bytes_max)
        assert [one.listed.record["title"] for one in own] == [f"Task {5 - place}" for place in range(count)]
        assert await watchers.list_of_watcher(database, user_id, "all", None, 10, bytes_max) == own
        listed = await projects.list_of_user(database, user_id, None, 10, bytes_max)
        assert [one.record["name"] for one in listed] == [f"Project {5 - place}" for place in range(count)]
        assert await projects.list_public(database, None, 10, bytes_max) == listed
        every = await projects.list_all(database, None, 10, bytes_max)
        assert [one.record["name"] for one in every] == [f"Project {1 + place}" for place in range(count)]


async def test_own_tasks_that_an_open_task_blocks_are_told_apart(database: Database) -> None:
    one, two, three, four = (uuid(0xC000 + number) for number in range(1, 5))
    linked = [
        (OWNER, AddLink(task_id=one, type="blocks", other_id=two)),
        (OWNER, AddLink(task_id=three, type="blocks", other_id=one)),
        (OWNER, AddLink(task_id=four, type="precedes", other_id=three)),
    ]
    life = a_life(1, *((OWNER, _task(number, MEMBER)) for number in range(1, 5)), *linked)
    await projected(database, life, a_life(2, (OWNER, _task(2, MEMBER))))

    async def titles(blocked: bool | None) -> set[tuple[str, str]]:
        found = await tasks.list_of_assignee(database, MEMBER.id, "open", None, 10, blocked)
        return {(own.project_id[-1], own.listed.record["title"]) for own in found}

    assert await titles(True) == {("1", "Task 1"), ("1", "Task 2")}
    assert await titles(False) == {("1", "Task 3"), ("1", "Task 4"), ("2", "Task 2")}
    assert await titles(None) == await titles(True) | await titles(False)


@pytest.mark.parametrize(
    "end",
    [
        DeleteTask(task_id=uuid(0xC001)),
        EditTask(task_id=uuid(0xC001), state_id="done"),
        RemoveLink(link_id=uuid(0xE001)),
    ],
)
async def test_what_blocked_a_task_blocks_it_no_more_when_it_is_over(database: Database, end: Command) -> None:
    link = AddLink(link_id=uuid(0xE001), task_id=uuid(0xC001), type="blocks", other_id=uuid(0xC002))
    await projected(database, a_life(1, (OWNER, _task(1)), (OWNER, _task(2, MEMBER)), (OWNER, link), (OWNER, end)))
    assert await tasks.list_of_assignee(database, MEMBER.id, "open", None, 10, blocked=True) == []
    assert len(await tasks.list_of_assignee(database, MEMBER.id, "open", None, 10, blocked=False)) == 1


async def test_tombstones_and_their_comments_are_in_no_list_until_they_are_back(database: Database) -> None:
    one, two = uuid(0xC001), uuid(0xC002)
    said = [(OWNER, AddComment(task_id=task_id, body="x")) for task_id in (one, two)]
    gone = a_life(
        1,
        (OWNER, _task(1, MEMBER)),
        (OWNER, _task(2, MEMBER)),
        *said,
        (OWNER, DeleteTask(task_id=one)),
        (OWNER, DeleteTask(task_id=two)),
        (OWNER, RestoreTask(task_id=two)),
    )
    await projected(database, gone)
    every: list[tasks.TaskFilter] = ["open", "all"]
    for which in every:
        [own] = await tasks.list_of_assignee(database, MEMBER.id, which, None, 10)
        assert own.listed.record["id"] == two
    [comment] = await comments.list_of_author(database, OWNER.id, MEMBER.id, None, 10)
    assert comment.listed.record["taskId"] == two


async def test_watched_tasks_come_from_all_projects_that_the_watcher_is_in(database: Database) -> None:
    def watched(number: int) -> Sequence[tuple[Principal, Command]]:
        task_id = uuid(0xC000 + number)
        return [(OWNER, _task(number)), (MEMBER, WatchTask(task_id=task_id))]

    done = (OWNER, EditTask(task_id=uuid(0xC001), state_id="done"))
    lives = [a_life(1, *watched(1), done, (OWNER, _task(9))), a_life(2, *watched(2)), a_life(3, *watched(3), _leave())]
    await projected(database, *lives)

    async def titles(which: tasks.TaskFilter) -> list[str]:
        found = await watchers.list_of_watcher(database, MEMBER.id, which, None, 10)
        return [one.listed.record["title"] for one in found]

    assert await titles("all") == ["Task 2", "Task 1"]
    assert (await titles("open"), await titles("closed")) == (["Task 2"], ["Task 1"])
    assert await watchers.list_of_watcher(database, OWNER.id, "all", None, 10) == []


async def test_comments_of_an_author_are_shown_where_the_reader_is_a_member(database: Database) -> None:
    def said(body: str) -> Sequence[tuple[Principal, Command]]:
        return [(OWNER, _task(1)), (OWNER, AddComment(task_id=uuid(0xC001), body=body))]

    await projected(database, a_life(1, *said("one")), a_life(2, *said("two")), a_life(3, *said("three"), _leave()))
    [two] = await comments.list_of_author(database, OWNER.id, MEMBER.id, None, 1)
    place = PlaceAcross(two.listed.record["createdAt"], two.project_id, two.listed.record["id"])
    [one] = await comments.list_of_author(database, OWNER.id, MEMBER.id, place, 10)
    assert (two.listed.record["body"], one.listed.record["body"]) == ("two", "one")
    assert await comments.list_of_author(database, OWNER.id, STRANGER.id, None, 10) == []


async def test_what_a_person_wrote_is_found_wherever_it_is_the_oldest_first(database: Database) -> None:
    def wrote(number: int, *more: tuple[Principal, Command]) -> Life:
        task_id = uuid(0xC000 + number)
        said = AddComment(task_id=task_id, body=f"Words {number}")
        return a_life(number, (MEMBER, _task(number)), (MEMBER, said), (OWNER, _task(9)), *more)

    purged = wrote(4, (OWNER, DeleteProject()), (OWNER, PurgeProject()))
    lives = [wrote(1), wrote(2, _leave()), wrote(3, (OWNER, DeleteProject())), purged]
    await projected(database, *lives)
    seen: list[tuple[str, bool]] = []
    words: list[str] = []
    place: PlaceAcross | None = None
    while created := await tasks.list_of_creator(database, MEMBER.id, place, 2):
        seen += [(one.listed.record["title"], one.is_visible) for one in created]
        place = PlaceAcross(
            created[-1].listed.record["createdAt"], created[-1].project_id, created[-1].listed.record["id"]
        )
    place = None
    while said := await comments.list_written_by(database, MEMBER.id, place, 2):
        words += [one.listed.record["body"] for one in said]
        place = _written_at(said[-1])
    assert seen == [("Task 1", True), ("Task 2", False), ("Task 3", False)]
    assert words == ["Words 1", "Words 2", "Words 3"]


def _written_at(one: InProject | tasks.Created) -> PlaceAcross:
    return PlaceAcross(one.listed.record["createdAt"], one.project_id, one.listed.record["id"])


async def test_deleted_projects_are_listed_for_their_owners_until_they_are_purged(database: Database) -> None:
    purged = a_life(3, (OWNER, DeleteProject()), (OWNER, PurgeProject()))
    await projected(database, *(a_life(number, (OWNER, DeleteProject())) for number in (1, 2)), purged, a_life(0))
    [two] = await projects.list_deleted(database, OWNER.id, None, 1)
    [one] = await projects.list_deleted(database, OWNER.id, (two.record["updatedAt"], two.record["id"]), 10)
    assert (two.record["name"], one.record["name"]) == ("Project 2", "Project 1")
    assert await projects.list_deleted(database, MEMBER.id, None, 10) == []
    assert await projects.list_deleted(database, None, None, 10) == [two, one]


def _leave() -> tuple[Principal, Command]:
    return MEMBER, RemoveMember(user_id=MEMBER.id)


async def test_members_are_listed_by_id(database: Database) -> None:
    life = a_life(1)
    await projected(database, life)
    project_id = life.stream.partition("/")[2]
    assert await members.list_ids(database, project_id, None, 10) == [OWNER.id, MEMBER.id]
    assert await members.list_ids(database, project_id, OWNER.id, 10) == [MEMBER.id]


async def test_profiles_are_read_by_id(database: Database) -> None:
    life = a_profile(OWNER)
    life.given((OWNER, CreateProfile(first_name="Ada")))
    await projected(database, life)
    found = await profiles.read(database, [OWNER.id, STRANGER.id])
    assert found == {OWNER.id: (dict(life.state.profile), 1)}


async def test_a_person_has_the_invitations_that_they_can_still_accept(database: Database) -> None:
    def invite(user: Principal) -> tuple[Principal, Command]:
        return OWNER, InviteMember(user_id=user.id, role="viewer")

    accepted = a_life(1, (OWNER, InviteMember(invitation_id=uuid(0x601), user_id=STRANGER.id, role="viewer")))
    accepted.given((STRANGER, AcceptInvitation(invitation_id=uuid(0x601))))
    deleted = a_life(2, invite(STRANGER), (OWNER, DeleteProject()))
    added = a_life(3, invite(STRANGER), (OWNER, AddMember(user_id=STRANGER.id, role="viewer")))
    await projected(database, accepted, deleted, added, *(a_life(number, invite(STRANGER)) for number in range(4, 7)))
    names: list[str] = []
    place: tuple[str, str] | None = None
    now = "2026-03-02T12:00:00.000Z"
    while page := await invitations.list_of_user(database, STRANGER.id, now, place, 2):
        names += [one.project_name for one in page]
        place = (page[-1].project_id, page[-1].listed.record["id"])
    assert names == ["Project 4", "Project 5", "Project 6"]
    assert await invitations.list_of_user(database, STRANGER.id, "2026-04-01T12:00:00.000Z", None, 9) == []
    assert await invitations.list_of_user(database, OWNER.id, now, None, 9) == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_read_table_is_read(table: Table) -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "storage/projections").glob("*.py")]
    assert any(re.search(rf"\b(FROM|JOIN) {table.name}\b", source) for source in sources)
