"""A bot that welcomes new members and closes tasks that nobody has touched for a while.

    python caretaker.py PROJECT --token-file caretaker.token --stale-after-days 30

It needs a token with the scopes `read` and `write`, and the role `member` in the project.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Final

from pantherahive_client import (
    Bot,
    BotProject,
    Conflict,
    NotFound,
    OpIdReused,
    ProjectEvent,
    ProjectState,
    RuleBroken,
)
from pantherahive_client.bot_command import bot_parser, run_command
from pantherahive_client.models import TaskView

STALE: Final = "stale"
"""The label of tasks that were closed for being stale."""


class Caretaker(Bot):
    """Looks every hour; what it missed while it was away it sees at the next look."""

    every = timedelta(hours=1)

    def __init__(self, stale_after: timedelta) -> None:
        self.stale_after = stale_after

    async def on_event(self, event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        """Greets whoever joins later than the project itself, in a task that is made for that."""
        if event.kind != "MemberAdded" or event.seq == 1 or event.data["userId"] == project.user_id:
            return
        profile = await project.get(f"/v1/users/{event.data['userId']}")
        try:
            welcome = await project.create_task("Welcome", op_id=project.op_id("welcome"))
            # The name makes it a mention, so it comes to the new member's inbox.
            await project.add_comment(welcome.result["taskId"], f"Welcome, @{profile['username']}!")
        except OpIdReused:
            pass  # a life before this one has said it, under the name that the member had then
        except (NotFound, RuleBroken):
            pass  # the task was deleted, or the project is archived: nobody wants to be greeted

    async def on_time(self, now: datetime, state: ProjectState, project: BotProject) -> None:
        """Closes what is stale now."""
        states = state.project["states"] if state.project is not None else []
        closed = next((one["id"] for one in states if one["group"] == "cancelled"), None)
        if closed is None:
            return  # this project has no way to close what is not done
        touched = last_changes(state)
        for task in state.living_tasks():
            # Its own tasks are places to talk, and wait for nothing.
            waits = task["closedAt"] is None and task["createdBy"] != project.user_id
            if waits and now - datetime.fromisoformat(touched[task["id"]]) >= self.stale_after:
                await self._close(task, closed, touched[task["id"]], project)

    async def _close(self, task: TaskView, closed: str, touched: str, project: BotProject) -> None:
        """Once per time that the task falls asleep: who opens it again has given it another life."""
        why = f"Closed: nothing has changed for {in_words(self.stale_after)}. Open it again if it still matters."
        once = ("stale", task["id"], touched)
        try:
            await project.edit_task(
                task["id"], state_id=closed, add_labels=[STALE], base=project.seq, op_id=project.op_id(*once)
            )
            await project.add_comment(task["id"], why, op_id=project.op_id(*once, "why"))
        except (Conflict, NotFound, RuleBroken):
            pass  # somebody was faster: they moved it, deleted it, or archived the project


def in_words(time: timedelta) -> str:
    """Days as they were asked for, such as `30 days`, `1 day` or `0.5 days`."""
    days = time / timedelta(days=1)
    return f"{days:g} {'day' if days == 1 else 'days'}"


def last_changes(state: ProjectState) -> dict[str, str]:
    """Task id → when it was last changed or talked about."""
    touched = {task_id: task["updatedAt"] for task_id, task in state.tasks.items()}
    for comment in state.comments.values():
        touched[comment["taskId"]] = max(touched[comment["taskId"]], comment["updatedAt"])
    return touched


if __name__ == "__main__":
    parser = bot_parser("caretaker", "Welcomes new members and closes stale tasks.")
    parser.add_argument("--stale-after-days", type=float, default=30.0, metavar="DAYS", help="[%(default)s]")
    given = parser.parse_args()
    sys.exit(run_command(given, Caretaker(timedelta(days=given.stale_after_days))))
