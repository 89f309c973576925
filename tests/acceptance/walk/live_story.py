"""A story over the socket that comes past every command, every event of the log and every message of the protocol.

A command or an event that is new has its place here: `ada.command("project", "Type", stream_id=project)` sends the
published example (`protocol/examples.py`); whatever arrives is judged and counted by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from protocol import examples
from tests.acceptance.walk.live import JudgedClient, LiveRecord
from tests.acceptance.walk.walker import Person


@dataclass(frozen=True)
class Stage:
    """Clients of the owner, a member and a guest, and the project that the story is about."""

    ada: JudgedClient
    ben: JudgedClient
    cat: JudgedClient
    people: dict[str, Person]
    project: str
    record: LiveRecord

    async def send(self, who: JudgedClient, type_: str, number: int = 0, **data: Any) -> Any:
        """A command to the project."""
        return await who.command("project", type_, number, stream_id=self.project, **data)


async def project(stage: Stage) -> None:
    """A project and who is in it."""
    ada, ben = stage.ada, stage.ben
    stream = f"project/{stage.project}"
    refused = await ben.ask("join", {"stream": stream})
    assert refused["error"]["code"] == "not_found"
    await stage.send(ada, "CreateProject")
    joined = await ada.ask("join", {"stream": stream})
    assert joined["mode"] == "snapshot"
    await ada.until_message("snapshot")
    await stage.send(ada, "EditProject")
    await stage.send(ada, "AddMember")
    await stage.send(ada, "ChangeMemberRole")
    await stage.send(ada, "DefineRole")
    await stage.send(ada, "EditRole")
    await stage.send(ada, "CreateMilestone")
    await stage.send(ada, "EditMilestone")
    await stage.send(ada, "DefineField")
    await stage.send(ada, "EditField")
    await ben.ask("join", {"stream": stream})
    await ada.until_message("presence")
    assert await ben.ask("awareness", {"stream": stream, "state": {"looksAt": "board"}}) == {}
    await ada.until_message("awareness")


async def tasks(stage: Stage) -> None:
    """Tasks, their order, their links."""
    ada, ben, real = stage.ada, stage.ben, stage.record.names.of
    await stage.send(ada, "CreateTask")
    await stage.send(ada, "CreateTask", 1)
    await stage.send(ben, "EditTask")
    await stage.send(ben, "EditTasks")
    await stage.send(ada, "MoveTask")
    await stage.send(ada, "AddLink")
    await stage.send(ada, "RemoveLink")
    await ben.command("project", "EditTask", stream_id=stage.project, op_id=real(examples.UNDONE), title="Undone")
    await stage.send(ben, "UndoCommand")
    await stage.send(ben, "RedoCommand")
    await stage.send(ben, "RestoreTaskTo")
    await stage.send(ada, "RestoreProjectTo")
    await stage.send(ada, "RestoreProjectTo", 1)
    await stage.send(ben, "WatchTask")
    await stage.send(ben, "UnwatchTask")
    await stage.send(ben, "DeleteTask")
    await stage.send(ben, "RestoreTask")
    await stage.send(ben, "EditTask", taskId=real(examples.TASK), stateId="done")  # it recurs
    await ada.until_event("TaskRecurred")
    await _nearly_due(stage)
    await _into_one_gap(stage)


async def _nearly_due(stage: Stage) -> None:
    """The server's own timer reminds, and nobody else does."""
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    due = stage.record.names.of("00000012-0000-7000-8000-000000000000")
    await stage.send(stage.ada, "CreateTask", taskId=due, dueDate=tomorrow)
    await stage.ada.until_event("DueDateNeared")
    await stage.ben.refused("project", "RemindOfDueDate", "forbidden", stage.project)


async def _into_one_gap(stage: Stage) -> None:
    """Two cards in turn, always right behind the first: ranks grow until the server shortens them."""
    ada = stage.ada
    first, second, third = [
        (await stage.send(ada, "CreateTask", 1, taskId=stage.record.names.of(f"{number:08d}-0000-7000-8000-{0:012d}")))[
            "taskId"
        ]
        for number in (1, 2, 3)
    ]
    while "TasksReranked.1" not in stage.record.events:
        second, third = third, second
        await stage.send(ada, "MoveTask", taskId=third, after=first)
        ada.judge_heard()


async def conversation(stage: Stage) -> None:
    """Comments and reactions."""
    ada, ben = stage.ada, stage.ben
    await stage.send(ada, "AddComment")
    await stage.send(ben, "AddComment", 1)
    await stage.send(ada, "EditComment")
    await stage.send(ben, "AddReaction")
    await stage.send(ben, "RemoveReaction")
    await stage.send(ben, "DeleteComment")
    await stage.send(ben, "RestoreComment")


async def invitations(stage: Stage) -> None:
    """Invited people say yes or no, or nothing until it is too late."""
    ada, cat = stage.ada, stage.cat
    await stage.send(ada, "InviteMember")
    await stage.send(cat, "AcceptInvitation")
    await cat.ask("join", {"stream": f"project/{stage.project}"})
    await stage.send(ada, "InviteMember", 1)
    await stage.send(cat, "DeclineInvitation")
    await stage.send(ada, "InviteMember", 1)
    await stage.send(ada, "RevokeInvitation")
    await stage.send(ada, "RemoveMember")
    await cat.until_message("closed")


async def inbox(stage: Stage) -> None:
    """What Ben is told of, and what he does not want to be told."""
    ada, ben = stage.ada, stage.ben
    person = stage.people["ben"].id
    await ben.ask("join", {"stream": f"user/{person}"})
    await stage.send(ada, "AddComment", commentId=stage.record.names.of("00000031-0000-7000-8000-000000000000"))
    await ben.until_event("Notified")
    await ben.command("user", "MarkRead", 1, stream_id=person)
    await ben.command("user", "MarkRead", stream_id=person)
    await ben.command("user", "SetPreferences", stream_id=person)
    await ben.command("user", "MuteProject", stream_id=person)
    fresh = stage.record.names.of("00000011-0000-7000-8000-000000000000")
    await stage.send(ada, "CreateTask", taskId=fresh)  # assigned to Ben
    await ben.until_event("NotificationWithheld")
    await ben.command("user", "UnmuteProject", stream_id=person)
    await ben.until_event("ProjectUnmuted")
    await ben.refused("user", "Notify", "forbidden", person)


async def profile(stage: Stage) -> None:
    """A profile that others look at."""
    ada, ben, person = stage.ada, stage.ben, stage.people["ada"].id
    joined = await ben.ask("join", {"stream": f"profile/{person}", "cursor": "0.0"})
    assert joined["mode"] == "resume", joined
    await ada.command("profile", "EditProfile", stream_id=person)
    await ben.until_event("ProfileCreated")
    await ben.until_event("ProfileEdited")
    await ada.refused("profile", "CreateProfile", "already_exists", person)
    assert await ben.ask("leave", {"stream": f"profile/{person}"}) == {}


async def the_end(stage: Stage) -> None:
    """What was defined is removed, the project ends and comes back, and the owner hands it over."""
    ada, ben = stage.ada, stage.ben
    for type_ in ("DeleteMilestone", "RemoveField", "RemoveRole", "ArchiveProject", "UnarchiveProject"):
        await stage.send(ada, type_)
    await stage.send(ada, "DeleteProject")
    await stage.send(ada, "RestoreProject")
    await stage.send(ada, "TransferOwnership")
    await ada.until_message("heads")
    renewed = await ben.ask("auth", {"token": stage.people["ben"].token})
    assert renewed["expiresAt"]


CHAPTERS = (project, tasks, conversation, inbox, profile, invitations, the_end)
"""In their order."""
