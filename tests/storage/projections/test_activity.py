"""Where the entries of objects and persons stand: page by page, and only where the reader may look."""

from __future__ import annotations

from protocol.comments import AddComment, EditComment
from protocol.event import Principal
from protocol.members import RemoveMember
from protocol.projects import DeleteProject, EditProject
from protocol.tasks import CreateTask, EditTask
from storage.postgres.pool import Database
from storage.projections import activity
from tests.actors.given import MEMBER, OWNER, STRANGER, Life, uuid
from tests.storage.projections.test_reads import a_life, projected

TASK, COMMENT = uuid(0xC001), uuid(0xD001)


async def _deeds(database: Database, author: Principal, reader: str | None, size: int = 2) -> list[activity.Deed]:
    found: list[activity.Deed] = []
    place: activity.Deed | None = None
    while page := await activity.list_of_person(database, author.id, reader, place, size):
        found += page
        place = page[-1]
    return found


def _own(life: Life, author: Principal) -> set[activity.Deed]:
    project_id = life.stream.partition("/")[2]
    return {activity.Deed(entry.at, project_id, entry.seq) for entry in life.entries if entry.author == author.id}


async def test_an_objects_entries_come_page_by_page_the_newest_first(database: Database) -> None:
    life = a_life(1, (MEMBER, CreateTask(task_id=TASK, title="x")))
    life.given((MEMBER, AddComment(task_id=TASK, comment_id=COMMENT, body="Hm")))
    life.given(*[(MEMBER, CreateTask(title="other"))] * 5)
    life.given((MEMBER, EditComment(comment_id=COMMENT, body="Oh")), (MEMBER, EditTask(task_id=TASK, title="y")))
    await projected(database, life)
    project_id = life.stream.partition("/")[2]
    newest = len(life.entries)
    about = await activity.list_of_object(database, project_id, TASK, newest + 1, 3)
    assert about == [newest, newest - 1, 4]
    assert await activity.list_of_object(database, project_id, TASK, 4, 3) == [3]
    assert await activity.list_of_object(database, project_id, COMMENT, newest + 1, 9) == [newest - 1, 4]
    assert await activity.list_of_object(database, uuid(0xB000), TASK, newest + 1, 9) == []


async def test_a_persons_entries_are_shown_where_the_reader_may_look(database: Database) -> None:
    work = (MEMBER, CreateTask(title="x"))
    lives = [a_life(number, work, work) for number in range(4)]
    private, public, deleted, left = lives
    public.given((OWNER, EditProject(visibility="public")))
    deleted.given((OWNER, DeleteProject()))
    left.given((OWNER, RemoveMember(user_id=MEMBER.id)))
    await projected(database, *lives)
    assert set(await _deeds(database, MEMBER, STRANGER.id)) == _own(public, MEMBER)
    assert set(await _deeds(database, MEMBER, MEMBER.id)) == _own(public, MEMBER) | _own(private, MEMBER)
    everywhere = _own(public, MEMBER) | _own(private, MEMBER) | _own(left, MEMBER)
    assert set(await _deeds(database, MEMBER, OWNER.id)) == everywhere
    for size in (1, 3, 100):
        assert await _deeds(database, MEMBER, None, size) == sorted(everywhere, reverse=True)
    assert await _deeds(database, STRANGER, None) == []
