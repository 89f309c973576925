"""Why somebody was, or was not, told: of projects that they may read, and of those that only their own stream knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import pytest

from actors.project import notices
from protocol.comments import AddComment, DeleteComment, EditComment
from protocol.event import Command
from protocol.links import AddLink
from protocol.members import RemoveMember
from protocol.milestones import CreateMilestone, DeleteMilestone
from protocol.projects import DeleteProject, PurgeProject
from protocol.tasks import CreateTask, DeleteTask, EditTask, EditTasks, RestoreTask
from protocol.watchers import WatchTask
from storage.memory.consumers import MemoryConsumers
from tests.server.telling import a_project_of_two, assign_all, inbox, log_of, tasks_in, tell, tell_and_crash
from tests.server.world import User, World

Going: TypeAlias = Callable[[World, User, str, User], Awaitable[None]]
"""How a project goes out of a person's sight: world, owner, project, person."""


async def asked(world: World, by: User, about: User, project_id: str, seq: int, task_id: str | None = None) -> Any:
    """The body of the answer, explanation or problem."""
    query = {"stream": f"project/{project_id}", "seq": str(seq), **({"taskId": task_id} if task_id else {})}
    response = await world.http.get(f"/v1/users/{about.id}/notifications/explain", params=query, headers=by.auth)
    return await response.json()


async def explained(world: World, asked_by: User, about: User, project_id: str, seq: int) -> tuple[int, str]:
    body = await asked(world, asked_by, about, project_id, seq)
    return body.get("status", 200), body.get("why", body.get("code"))


def in_short(body: Any) -> tuple[str, str, int | None]:
    """Why, for which reasons, and under which number."""
    return body.get("why", body.get("code")), " ".join(body.get("reasons", ())), body.get("number")


async def test_everybody_can_ask_why_they_were_or_were_not_told(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    stranger = await world.register("carol")
    made = await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id]))
    seq = made.cursor.seq
    assert await explained(world, bob, bob, project_id, seq) == (200, "notYet")
    assert await explained(world, ada, ada, project_id, seq) == (200, "ownAction")
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    assert await explained(world, bob, bob, project_id, seq) == (200, "told")
    edit = EditTask(task_id=made.result["taskId"], title="y")
    changed, unchanged = [(await world.send(ada, project_id, edit)).cursor.seq for _ in range(2)]
    for edited in (changed, unchanged):
        assert await explained(world, bob, bob, project_id, edited) == (200, "notConcerned")
    assert await explained(world, bob, bob, project_id, 99) == (404, "not_found")
    assert await explained(world, stranger, stranger, project_id, seq) == (404, "not_found")
    assert await explained(world, stranger, bob, project_id, seq) == (404, "not_found")


async def test_a_watcher_is_told_when_entries_of_that_kind_tell_nobody(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    made = [await world.send(ada, project_id, CreateTask(title=title)) for title in ("x", "y")]
    task, other = [one.result["taskId"] for one in made]
    said = await world.send(ada, project_id, AddComment(task_id=task, body="?"))
    await world.send(bob, project_id, WatchTask(task_id=task))
    comment = said.result["commentId"]
    quiet: list[Command] = [
        EditComment(comment_id=comment, body="!"),
        DeleteComment(comment_id=comment),
        AddLink(task_id=task, other_id=other, type="relates"),
    ]
    loud: list[Command] = [DeleteTask(task_id=task), RestoreTask(task_id=task)]
    seqs = [(await world.send(ada, project_id, command)).cursor.seq for command in (*quiet, *loud)]
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    found = [(await explained(world, bob, bob, project_id, seq))[1] for seq in seqs]
    assert found == ["quietKind"] * 3 + ["told"] * 2


async def test_a_change_of_a_deleted_task_concerns_none_of_its_watchers(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    [task_id] = await tasks_in(world, ada, project_id, 1)
    milestone = (await world.send(ada, project_id, CreateMilestone(name="M"))).result["milestoneId"]
    await world.send(ada, project_id, EditTask(task_id=task_id, milestone_id=milestone))
    await world.send(bob, project_id, WatchTask(task_id=task_id))
    commands: list[Command] = [DeleteTask(task_id=task_id), DeleteMilestone(milestone_id=milestone)]
    seqs = [(await world.send(ada, project_id, command)).cursor.seq for command in commands]
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    answers = [await asked(world, bob, bob, project_id, seq, task_id) for seq in seqs]
    assert [in_short(answer) for answer in answers] == [("told", "watched", 1), ("notConcerned", "", None)]
    assert "the task was deleted" in answers[-1]["message"]


async def test_a_muted_project_is_given_as_the_reason(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    muted = await world.http.put(f"/v1/users/{bob.id}/preferences/muted/{project_id}", headers=bob.auth)
    assert (await muted.json())["mutedProjectIds"] == [project_id]
    made = await world.send(ada, project_id, CreateTask(title="x", assignee_ids=[bob.id]))
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    assert await explained(world, bob, bob, project_id, made.cursor.seq) == (200, "projectMuted")
    assert (await inbox(world, bob))["unread"] == 0


# --------------------------------------------------------------------------- entries about several tasks


async def test_several_tasks_are_answered_at_once_or_each_by_itself(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    mine, watched, quiet, other = tasks = await tasks_in(world, ada, project_id, 4)
    await world.send(bob, project_id, WatchTask(task_id=watched))
    await world.send(bob, project_id, WatchTask(task_id=quiet))
    edits = [
        EditTask(task_id=watched, title="x"),
        EditTask(task_id=mine, add_assignees=[bob.id]),
        EditTask(task_id=quiet, add_watchers=[ada.id]),
        EditTask(task_id=other, title="x"),
    ]
    seq = (await world.send(ada, project_id, EditTasks(edits=edits))).cursor.seq

    async def answers() -> list[tuple[str, str, int | None]]:
        return [in_short(await asked(world, bob, bob, project_id, seq, one)) for one in (None, *tasks)]

    nothing = [("quietKind", "", None), ("notConcerned", "", None)]
    waiting = [("notYet", "assigned watched", None), ("notYet", "assigned", None), ("notYet", "watched", None)]
    assert await answers() == [*waiting, *nothing]
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    told = [("told", "assigned watched", 2), ("told", "assigned", 2), ("told", "watched", 1)]
    assert await answers() == [*told, *nothing]
    assert in_short(await asked(world, bob, bob, project_id, seq, project_id)) == ("notConcerned", "", None)
    assert in_short(await asked(world, bob, bob, project_id, seq, "Task 1")) == ("invalid", "", None)


async def test_told_wins_over_withheld_and_what_is_to_be_told_yet_over_what_is_withheld(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    watched, mine = tasks = await tasks_in(world, ada, project_id, 2)
    await world.send(bob, project_id, WatchTask(task_id=watched))
    await world.http.patch(
        f"/v1/users/{bob.id}/preferences", json={"channels": {"watched": [], "assigned": ["inbox"]}}, headers=bob.auth
    )
    edits = [EditTask(task_id=watched, title="x"), EditTask(task_id=mine, add_assignees=[bob.id])]
    seq = (await world.send(ada, project_id, EditTasks(edits=edits))).cursor.seq
    await tell_and_crash(world, (await log_of(world, project_id))[-1], 1)
    assert in_short(await asked(world, bob, bob, project_id, seq)) == ("notYet", "assigned", None)
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    answer = await asked(world, bob, bob, project_id, seq)
    assert (in_short(answer), answer["channels"], answer["quietUntil"]) == (("told", "assigned", 1), ["inbox"], None)
    each = [in_short(await asked(world, bob, bob, project_id, seq, one)) for one in tasks]
    assert each == [("reasonOff", "watched", None), ("told", "assigned", 1)]


async def test_where_all_is_withheld_the_strongest_reason_says_why(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    await world.http.put(f"/v1/users/{bob.id}/preferences/muted/{project_id}", headers=bob.auth)
    watched, mine = await tasks_in(world, ada, project_id, 2)
    await world.send(bob, project_id, WatchTask(task_id=watched))
    edits = [EditTask(task_id=watched, title="x"), EditTask(task_id=mine, add_assignees=[bob.id])]
    seq = (await world.send(ada, project_id, EditTasks(edits=edits))).cursor.seq
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    assert in_short(await asked(world, bob, bob, project_id, seq)) == ("projectMuted", "assigned watched", None)


async def test_a_mention_that_is_turned_off_says_so_also_in_a_muted_project(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    tasks = await tasks_in(world, ada, project_id, 2)
    await world.http.put(f"/v1/users/{bob.id}/preferences/muted/{project_id}", headers=bob.auth)
    off: dict[str, dict[str, list[str]]] = {"channels": {"mentioned": []}}
    await world.http.patch(f"/v1/users/{bob.id}/preferences", json=off, headers=bob.auth)
    found = [
        {"userId": bob.id, "reasons": [reason], "taskId": task_id, "commentId": None}
        for task_id, reason in zip(tasks, ("watched", "mentioned"), strict=True)
    ]
    monkeypatch.setattr(notices, "notices", lambda *_: found)
    seq = await assign_all(world, ada, project_id, tasks, bob)
    await tell(world, MemoryConsumers(), [(await log_of(world, project_id))[-1]])
    each = [in_short(await asked(world, bob, bob, project_id, seq, one))[0] for one in (None, *tasks)]
    assert each == ["reasonOff", "projectMuted", "reasonOff"]


async def test_a_bulk_edit_that_changed_nothing_concerns_no_watcher(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    [task_id] = await tasks_in(world, ada, project_id, 1)
    await world.send(bob, project_id, WatchTask(task_id=task_id))
    same = EditTasks(edits=[EditTask(task_id=task_id, title="Task 0")])
    seq = (await world.send(ada, project_id, same)).cursor.seq
    for about in (None, task_id):
        assert in_short(await asked(world, bob, bob, project_id, seq, about)) == ("notConcerned", "", None)


async def test_who_was_told_of_the_project_as_such_was_told_of_every_task_of_the_entry(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    *tasks, other = await tasks_in(world, ada, project_id, 3)
    monkeypatch.setattr(notices, "notices", partial(notices.notices, notices_max=1))
    seq = await assign_all(world, ada, project_id, tasks, bob)
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    for task_id in (None, *tasks):
        assert in_short(await asked(world, bob, bob, project_id, seq, task_id)) == ("told", "assigned", 1)
    assert in_short(await asked(world, bob, bob, project_id, seq, other)) == ("notConcerned", "", None)


async def test_a_notice_of_the_project_as_such_answers_for_the_tasks_that_have_none_of_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    *watched, mine, other = await tasks_in(world, ada, project_id, 4)
    for task_id in watched:
        await world.send(bob, project_id, WatchTask(task_id=task_id))
    edits = [EditTask(task_id=task_id, title="x") for task_id in watched]
    edits.append(EditTask(task_id=mine, add_assignees=[bob.id]))
    monkeypatch.setattr(notices, "notices", partial(notices.notices, each_max=2))
    seq = (await world.send(ada, project_id, EditTasks(edits=edits))).cursor.seq

    async def answers() -> list[tuple[str, str, int | None]]:
        return [in_short(await asked(world, bob, bob, project_id, seq, one)) for one in (None, *watched, mine, other)]

    nothing = ("notConcerned", "", None)
    waiting = ("notYet", "watched", None)
    assert await answers() == [
        ("notYet", "assigned watched", None),
        waiting,
        waiting,
        ("notYet", "assigned", None),
        nothing,
    ]
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    told = ("told", "watched", 1)
    assert await answers() == [("told", "assigned watched", 2), told, told, ("told", "assigned", 2), nothing]


# --------------------------------------------------------------------------- projects that are not to be read any more


async def remove(world: World, owner: User, project_id: str, user: User) -> None:
    await world.send(owner, project_id, RemoveMember(user_id=user.id))


async def delete(world: World, owner: User, project_id: str, user: User) -> None:
    await world.send(owner, project_id, DeleteProject())


async def erase(world: World, owner: User, project_id: str, user: User) -> None:
    await delete(world, owner, project_id, user)
    await world.send(owner, project_id, PurgeProject())
    entries = await log_of(world, project_id)
    await world.storage.journal.erase(f"project/{project_id}", 1, len(entries) - 1)


GOING = pytest.mark.parametrize("goes", [remove, delete, erase])


@GOING
async def test_a_project_that_one_may_not_read_any_more_leaves_what_one_was_told(world: World, goes: Going) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    stranger = await world.register("carol")
    tasks = await tasks_in(world, ada, project_id, 3)
    untold, seq = tasks.pop(), await assign_all(world, ada, project_id, tasks, bob)
    await world.http.put(f"/v1/users/{bob.id}/preferences/muted/{project_id}", headers=bob.auth)
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    await world.http.delete(f"/v1/users/{bob.id}/preferences/muted/{project_id}", headers=bob.auth)
    later = await assign_all(world, ada, project_id, [untold], bob)
    await goes(world, ada, project_id, bob)
    assert in_short(await asked(world, bob, bob, project_id, seq)) == ("projectMuted", "assigned", None)
    assert in_short(await asked(world, bob, bob, project_id, seq, tasks[1])) == ("projectMuted", "assigned", None)
    assert (await asked(world, bob, bob, project_id, seq, untold))["code"] == "not_found"
    for not_told in (later, 1, 99):
        assert (await asked(world, bob, bob, project_id, not_told))["code"] == "not_found"
    assert (await asked(world, stranger, stranger, project_id, seq))["code"] == "not_found"
    assert (await asked(world, stranger, bob, project_id, seq))["code"] == "not_found"


@GOING
async def test_all_that_one_was_told_of_an_entry_is_still_answered_at_once(world: World, goes: Going) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    tasks = await tasks_in(world, ada, project_id, 3)
    seq = await assign_all(world, ada, project_id, tasks, bob)
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    await goes(world, ada, project_id, bob)
    assert in_short(await asked(world, bob, bob, project_id, seq)) == ("told", "assigned", 3)
    for number, task_id in enumerate(tasks, 1):
        assert in_short(await asked(world, bob, bob, project_id, seq, task_id)) == ("told", "assigned", number)


async def test_what_is_left_of_a_purged_project_is_for_the_person_alone(world: World) -> None:
    ada, bob, project_id = await a_project_of_two(world)
    seq = await assign_all(world, ada, project_id, await tasks_in(world, ada, project_id, 1), bob)
    await tell(world, MemoryConsumers(), await log_of(world, project_id))
    operator = User("", "operator", world.admin_token)
    assert in_short(await asked(world, operator, bob, project_id, seq)) == ("told", "assigned", 1)
    await erase(world, ada, project_id, bob)
    assert in_short(await asked(world, operator, bob, project_id, seq)) == ("not_found", "", None)
    assert in_short(await asked(world, bob, bob, project_id, seq)) == ("told", "assigned", 1)
