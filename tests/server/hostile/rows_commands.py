"""Commands over the socket: of a wrong kind, to other people's streams, and beyond one's rights."""

from __future__ import annotations

from typing import Any, Final

from protocol.derived_ids import derived_id
from tests.server.hostile.row import Row
from tests.server.hostile.sending import Sending, command, emit

HERE: Final = "project/{project}"
THERE: Final = "project/{other_project}"
FOREIGN: Final = derived_id("x", "1")
WATCH: Final[dict[str, Any]] = {"taskId": "{task}"}


def to_here(kind: str, who: str = "ada", /, **data: Any) -> Sending:
    return command(HERE, kind, data, who)


def bare(**payload: Any) -> Sending:
    """A command event as it stands."""
    return emit("command", payload)


ROWS: Final = [
    Row("a command that is not there", to_here("DropTables"), "ack invalid"),
    Row("a command of another kind of stream", to_here("MarkRead"), "ack invalid"),
    Row("an event in place of a command", to_here("TaskCreated", task={}), "ack invalid"),
    Row("a command whose name has 61 letters", command(HERE, "X" * 61, {}), "ack invalid"),
    Row("a command whose name is a list", command(HERE, ["WatchTask"], {}), "ack invalid"),
    Row("a command without data", bare(stream=HERE, opId="{op_id}", type="WatchTask"), "ack invalid"),
    Row("a command whose data are a list", command(HERE, "WatchTask", []), "ack invalid"),
    Row("a command without `opId`", bare(stream=HERE, type="WatchTask", data=WATCH), "ack invalid"),
    Row("an `opId` that is no UUID", command(HERE, "WatchTask", WATCH, opId="1"), "ack invalid"),
    Row("an `opId` with a line break behind it", command(HERE, "WatchTask", WATCH, opId="{op_id}\n"), "ack invalid"),
    Row(
        "an `opId` that was used for another command",
        command(HERE, "UnwatchTask", WATCH, opId="{op_id}"),
        "ack op_id_reused",
    ),
    Row(
        "somebody else's `opId` with the same command",
        command(HERE, "WatchTask", WATCH, "ben", opId="{op_id}"),
        "ack op_id_reused",
    ),
    Row(
        "somebody else's `opId`, by a stranger",
        command(HERE, "WatchTask", WATCH, "eve", opId="{op_id}"),
        "ack not_found",
    ),
    Row(
        "an `opId` that is another account's own",
        command(HERE, "WatchTask", WATCH, "ben", opId=FOREIGN),
        "ack invalid",
    ),
    Row(
        "a project under an id that is another account's own",
        command(f"project/{FOREIGN}", "CreateProject", {"name": "x"}),
        "ack invalid",
    ),
    *(
        Row(f"{what} under an id that is another account's own", sending, "ack invalid")
        for what, sending in {
            "a task": to_here("CreateTask", "ben", taskId=FOREIGN, title="x"),
            "a comment": to_here("AddComment", "ben", commentId=FOREIGN, taskId="{task}", body="x"),
            "a link": to_here("AddLink", linkId=FOREIGN, type="relates", taskId="{task}", otherId="{second}"),
            "a milestone": to_here("CreateMilestone", "ben", milestoneId=FOREIGN, name="x"),
            "a field": to_here("DefineField", fieldId=FOREIGN, name="x", type="text"),
            "a role": to_here("DefineRole", roleId=FOREIGN, name="x", permissions=[]),
            "an invitation": to_here("InviteMember", invitationId=FOREIGN, userId="{eve}", role="viewer"),
            "an invitation by mail, whose secret is not kept,": to_here(
                "InviteMember", invitationId=FOREIGN, email="a@example.org", token="t" * 43, role="viewer"
            ),
        }.items()
    ),
    Row(
        "a task under an id that is another account's own, by a viewer",
        to_here("CreateTask", "vic", taskId=FOREIGN, title="x"),
        "ack forbidden",
    ),
    Row(
        "a task under an id that is another account's own, by a stranger",
        to_here("CreateTask", "eve", taskId=FOREIGN, title="x"),
        "ack not_found",
    ),
    Row(
        "a `base` that is yet to come",
        command(HERE, "EditTask", {**WATCH, "title": "x"}, base=1_000_000),
        "ack invalid",
    ),
    Row("a `base` below 0", command(HERE, "EditTask", {**WATCH, "title": "x"}, base=-1), "ack invalid"),
    Row("a `base` of one and a half", command(HERE, "EditTask", {**WATCH, "title": "x"}, base=1.5), "ack invalid"),
    Row("a `base` of `true`", command(HERE, "EditTask", {**WATCH, "title": "x"}, base=True), "ack invalid"),
    Row(
        "another author's name",
        command(
            HERE, "EditTask", {**WATCH, "title": "x"}, "ben", origin={"author": "{ada}", "at": "2001-01-01T00:00:00Z"}
        ),
        "ack forbidden",
    ),
    Row(
        "the server's own name for an author",
        command(
            HERE, "EditTask", {**WATCH, "title": "x"}, "ben", origin={"author": "system", "at": "2001-01-01T00:00:00Z"}
        ),
        "ack forbidden",
    ),
    Row(
        "a past that was never imported, by the owner",
        command(HERE, "EditTask", {**WATCH, "title": "x"}, origin={"author": "{ben}", "at": "2001-01-01T00:00:00Z"}),
        "ack rule_broken",
    ),
    Row("an unknown field beside the data", command(HERE, "WatchTask", WATCH, admin=True), "ack invalid"),
    Row("an unknown field in the data", to_here("WatchTask", **WATCH, admin=True), "ack invalid"),
    Row(
        "a field by its name in Python, not by that of the JSON", to_here("WatchTask", task_id="{task}"), "ack invalid"
    ),
    Row("a stream in capitals", command("PROJECT/{project}", "WatchTask", WATCH), "ack invalid"),
    Row("a stream that climbs", command("project/{project}/../{other_project}", "WatchTask", WATCH), "ack invalid"),
    Row("a stream of a kind that takes no commands", command("circle/{ada}", "MarkRead", {}), "ack invalid"),
    Row("a command to a stranger's project", command(THERE, "WatchTask", {"taskId": "{other_task}"}), "ack not_found"),
    Row("a command to a project that is not there", command("project/{nobody}", "WatchTask", WATCH), "ack not_found"),
    Row(
        "a stranger's project, made once more",
        command(THERE, "CreateProject", {"name": "x", "key": "STOLEN"}),
        "ack not_found",
    ),
    Row(
        "one's own project, made once more",
        command(HERE, "CreateProject", {"name": "x", "key": "AGAIN"}),
        "ack already_exists",
    ),
    Row(
        "oneself as a member of a stranger's project",
        command(THERE, "AddMember", {"userId": "{ada}", "role": "owner"}),
        "ack not_found",
    ),
    Row(
        "a member who makes himself owner",
        to_here("ChangeMemberRole", "ben", userId="{ben}", role="owner"),
        "ack forbidden",
    ),
    Row("a member who throws the owner out", to_here("RemoveMember", "ben", userId="{ada}"), "ack forbidden"),
    Row("a member who takes the project over", to_here("TransferOwnership", "ben", userId="{ben}"), "ack forbidden"),
    Row(
        "a member who makes a role with every right",
        to_here("DefineRole", "ben", name="God", permissions=["project.delete"]),
        "ack forbidden",
    ),
    Row(
        "a role with a right that is not there",
        to_here("DefineRole", name="God", permissions=["server.stop"]),
        "ack rule_broken",
    ),
    Row("a viewer who writes", to_here("EditTask", "vic", taskId="{task}", title="x"), "ack forbidden"),
    Row(
        "a member who edits the owner's comment",
        to_here("EditComment", "ben", commentId="{comment}", body="x"),
        "ack forbidden",
    ),
    Row("a command by a bot that may read", to_here("WatchTask", "reader", **WATCH), "ack forbidden"),
    Row("the last owner who leaves", to_here("RemoveMember", userId="{ada}"), "ack rule_broken"),
    Row("a project for somebody who is no member", to_here("TransferOwnership", userId="{eve}"), "ack not_found"),
    Row("a member who does not exist", to_here("AddMember", userId="{nobody}", role="viewer"), "ack rule_broken"),
    Row("a role that does not exist", to_here("AddMember", userId="{eve}", role="{nobody}"), "ack not_found"),
    Row(
        "a guessed invitation token",
        to_here("AcceptInvitation", "eve", invitationId="{invitation}", token="a" * 43),
        "ack not_found",
    ),
    Row(
        "an invitation without its token",
        to_here("AcceptInvitation", "eve", invitationId="{invitation}"),
        "ack not_found",
    ),
    Row(
        "an invitation with a header in its address",
        to_here("InviteMember", email="a@b.org\r\nBcc: c@d.org", token="t" * 43, role="viewer"),
        "ack invalid",
    ),
    Row(
        "an invitation by a viewer: its secret is not kept",
        to_here("InviteMember", "vic", email="a@example.org", token="t" * 43, role="viewer"),
        "ack forbidden",
    ),
    Row("reading somebody else's inbox to its end", command("user/{ada}", "MarkRead", {}, "eve"), "ack not_found"),
    Row(
        "a notification that nobody is the source of",
        command(
            "user/{ada}",
            "Notify",
            {
                "source": {"stream": HERE, "seq": 1},
                "subject": {"projectId": "{project}", "taskId": None, "commentId": None},
                "reasons": ["mentioned"],
                "actorId": "{ben}",
            },
        ),
        "ack forbidden",
    ),
    Row(
        "a reminder that no timer has sent",
        to_here("RemindOfDueDate", taskId="{task}", dueDate="2030-01-01"),
        "ack forbidden",
    ),
    Row(
        "a command to somebody else's profile",
        command("profile/{ada}", "EditProfile", {"bio": "hacked"}, "eve"),
        "ack forbidden",
    ),
    Row("a profile for an id that nobody has", command("profile/{nobody}", "CreateProfile", {}), "ack forbidden"),
    Row(
        "a link of a task to itself",
        to_here("AddLink", type="blocks", taskId="{task}", otherId="{task}"),
        "ack rule_broken",
    ),
    Row(
        "a link to a stranger's task",
        to_here("AddLink", type="blocks", taskId="{task}", otherId="{other_task}"),
        "ack not_found",
    ),
    Row("a task under itself", to_here("EditTask", taskId="{task}", parentId="{task}"), "ack rule_broken"),
    Row("a task beside a stranger's task", to_here("MoveTask", taskId="{task}", after="{other_task}"), "ack not_found"),
    Row("to undo what somebody else did", to_here("UndoCommand", "ben", opId="{op_id}"), "ack forbidden"),
    Row(
        "to undo what somebody else did, as a stranger", to_here("UndoCommand", "eve", opId="{op_id}"), "ack not_found"
    ),
    Row("to undo what nobody did", to_here("UndoCommand", opId="{nobody}"), "ack not_found"),
    Row("to redo what was never undone", to_here("RedoCommand", opId="{op_id}"), "ack rule_broken"),
    Row("a purge by a member", to_here("PurgeProject", "ben"), "ack forbidden"),
    Row("a purge of what is not deleted", to_here("PurgeProject"), "ack rule_broken"),
]
