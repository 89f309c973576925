"""A bot is led through the past: what it would have done is told, and nothing is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pantherahive_client import (
    Bot,
    BotProject,
    Client,
    Invalid,
    MemoryCursors,
    NotFound,
    ProjectEvent,
    ProjectState,
    rehearse,
)
from tests.client.hive import Hive
from tests.client.hive_reads import EPOCH
from tests.client.test_bots import life, running
from tests.client.waiting import until

NOWHERE = "018f0000-0000-7000-8000-00000000000a"


class Closer(Bot):
    """Comments on every new task, and at midnight deletes the tasks that nobody has touched for two days."""

    every = timedelta(days=1)

    async def on_event(self, event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "TaskCreated":
            ack = await project.add_comment(event.data["task"]["id"], f"{len(state.tasks)} tasks now")
            assert ack.result["commentId"] in state.comments

    async def on_time(self, now: datetime, state: ProjectState, project: BotProject) -> None:
        for task in state.living_tasks():
            if now - datetime.fromisoformat(task["updatedAt"]) >= timedelta(days=2):
                await project.delete_task(task["id"], op_id=project.op_id("stale", task["id"], task["updatedAt"]))


@pytest.fixture
async def project_id(hive: Hive, client: Client) -> str:
    """Tasks a and b of January 1st, c of the 2nd; at the 3rd somebody changes b."""
    project_id = await client.create_project("Apollo")
    for day, title in ((1, "a"), (1, "b"), (2, "c")):
        await life(hive, client, project_id, day, title)
    hive.now = "2030-01-03T12:00:00.000Z"
    stream = hive.streams[f"project/{project_id}"]
    await client.command(f"project/{project_id}", "EditTask", {"taskId": list(stream.state.tasks)[1], "title": "B"})
    hive.frames.clear()
    return project_id


def titles(hive: Hive, project_id: str) -> dict[str, str]:
    return {task_id: task["title"] for task_id, task in hive.streams[f"project/{project_id}"].state.tasks.items()}


async def test_what_a_bot_would_have_done_is_told_with_its_place_and_nothing_is_sent(
    hive: Hive, client: Client, project_id: str
) -> None:
    found = await rehearse(client, project_id, Closer(), until=datetime(2030, 1, 6, 1, tzinfo=UTC))
    names = titles(hive, project_id)
    assert (found.after, found.until, found.entries, found.times) == ("0.0", f"5.{EPOCH}", 5, 6)
    assert [(act.seq, act.at[:10], act.command, names[act.data["taskId"]]) for act in found.acts] == [
        (2, "2030-01-01", "AddComment", "a"),
        (3, "2030-01-01", "AddComment", "B"),
        (4, "2030-01-02", "AddComment", "c"),
        (5, "2030-01-04", "DeleteTask", "a"),
        (5, "2030-01-05", "DeleteTask", "c"),
        (5, "2030-01-06", "DeleteTask", "B"),
    ]
    assert {act.foreseen for act in found.acts} == {("CommentAdded",), ("TaskDeleted",)}
    assert len({act.op_id for act in found.acts}) == 6
    assert hive.frames == []
    lines = list(found.lines())
    assert lines[0] == f"after 0.0 until 5.{EPOCH}: 5 entries, 6 times, 6 acts"
    assert lines[1].startswith('      2  2030-01-01T12:00:00.000Z  AddComment {"commentId": ')
    assert lines[-1].endswith("→ TaskDeleted")


@pytest.mark.parametrize(
    ("after", "until", "seqs"),
    [
        (0, None, [2, 3, 4]),
        (2, None, [3, 4]),
        (f"3.{EPOCH}", 4, [4]),
        (0, 3, [2, 3]),
        (5, None, []),
        (datetime(2030, 1, 2, tzinfo=UTC), None, [4]),
        (datetime(2029, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC), [2, 3]),
    ],
)
async def test_a_stretch_is_from_one_place_to_another(
    client: Client, project_id: str, after: int | str | datetime, until: int | datetime | None, seqs: list[int]
) -> None:
    async def answer(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "TaskCreated":
            assert event.data["task"]["id"] in state.tasks
            assert len(state.tasks) == event.seq - 1
            await project.add_comment(event.data["task"]["id"], "Seen.")

    found = await rehearse(client, project_id, answer, after=after, until=until)
    assert [act.seq for act in found.acts] == seqs


async def test_the_bot_lives_with_what_it_would_have_done(client: Client, project_id: str) -> None:
    seen: list[tuple[int, int]] = []

    async def answer(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "TaskCreated":
            ack = await project.create_task(f"after {event.seq}")
            assert state.tasks[ack.result["taskId"]]["key"] == ack.result["key"]
            again = await project.create_task("something else", op_id=ack.op_id)
            assert again == ack
        seen.append((event.seq, len(state.tasks)))

    found = await rehearse(client, project_id, answer)
    assert seen == [(1, 0), (1, 0), (2, 2), (3, 4), (4, 6), (5, 6)]
    assert len(found.acts) == 3


async def test_what_contradicts_the_log_gives_way_to_it(hive: Hive, client: Client) -> None:
    project_id = await client.create_project("Apollo")
    for day, title in ((1, "a"), (1, "b")):
        await life(hive, client, project_id, day, title)
    a, b = hive.streams[f"project/{project_id}"].state.tasks
    for kind in ("blocks", "relates"):
        link = {"taskId": a, "type": kind, "otherId": b, "linkId": NOWHERE}
        await client.command(f"project/{project_id}", "AddLink", link)
        await client.command(f"project/{project_id}", "RemoveLink", {"linkId": NOWHERE})

    async def remover(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "LinkAdded":
            await project.remove_link(event.data["link"]["id"])

    found = await rehearse(client, project_id, remover)
    assert [(act.seq, act.foreseen) for act in found.acts] == [(4, ("LinkRemoved",)), (6, ("LinkRemoved",))]


async def test_what_only_the_server_can_tell_and_what_has_no_effect_are_marked(client: Client, project_id: str) -> None:
    async def answer(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.seq == 2:
            await project.add_member(NOWHERE, role="member")
            await project.delete_task(NOWHERE)
            await project.edit_task(event.data["task"]["id"], title=event.data["task"]["title"])

    found = await rehearse(client, project_id, answer)
    assert [act.foreseen for act in found.acts] == [None, (), ()]
    assert [line.rpartition(" → ")[2] for line in list(found.lines())[1:]] == ["?", "nothing", "nothing"]


@pytest.mark.parametrize(
    ("command", "data"),
    [("LaunchRocket", {}), ("CreateTask", {}), ("CreateTask", {"title": 7}), ("EditTask", {"title": float("nan")})],
)
async def test_what_the_server_would_not_understand_ends_it(
    client: Client, project_id: str, command: str, data: dict[str, object]
) -> None:
    async def wrong(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        await project.send(command, data)

    with pytest.raises(Invalid):
        await rehearse(client, project_id, wrong, after=1)


@pytest.mark.parametrize("after", [0, 1, datetime(2030, 1, 1, tzinfo=UTC)])
async def test_a_project_that_is_not_there_is_told(client: Client, after: int | datetime) -> None:
    with pytest.raises(NotFound):
        await rehearse(client, NOWHERE, Closer(), after=after)


@pytest.mark.parametrize("field", ["after", "until"])
async def test_a_time_that_could_be_anywhere_is_refused(client: Client, project_id: str, field: str) -> None:
    nowhere = datetime(2030, 1, 1)  # noqa: DTZ001 - this is what it is about
    with pytest.raises(Invalid, match=f"{field}: say in which zone 2030-01-01T00:00:00 is"):
        await rehearse(client, project_id, Closer(), **{field: nowhere})  # type: ignore[arg-type]


async def test_a_place_that_the_log_has_not_come_to_is_told(client: Client, project_id: str) -> None:
    with pytest.raises(NotFound):
        await rehearse(client, project_id, Closer(), after=99)


async def test_a_rehearsal_of_what_a_bot_has_done_finds_it_done(hive: Hive, client: Client, project_id: str) -> None:
    stream = hive.streams[f"project/{project_id}"]

    async def answer(event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        if event.kind == "TaskCreated":
            await project.add_comment(event.data["task"]["id"], f"{len(state.tasks)} tasks now")

    async with running(client, project_id, answer, MemoryCursors(), start="0.0"):
        await until(lambda: len(stream.state.comments) == 3)
    found = await rehearse(client, project_id, answer, "welcome")
    assert [act.happened for act in found.acts] == [True] * 3
    assert str(found.acts[0]).endswith(" (done then)")
    assert not any(act.happened for act in (await rehearse(client, project_id, answer, "another")).acts)
