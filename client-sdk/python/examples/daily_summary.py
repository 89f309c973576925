"""A bot that posts every midnight (UTC) what has happened on the day that ended.

    python daily_summary.py PROJECT --token-file summary.token

It needs a token with the scopes `read` and `write`, and the role `member` in the project.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from pantherahive_client import Bot, BotProject, NotFound, ProjectState, RuleBroken
from pantherahive_client.bot_command import bot_parser, run_command


class DailySummary(Bot):
    """Gets every midnight that it missed, with the project as it was then: a day's summary says the same whenever it is
    written."""

    every = timedelta(days=1)
    missed_times = "each"

    async def on_time(self, now: datetime, state: ProjectState, project: BotProject) -> None:
        """A comment on the task `Daily summary`, which is made for that. A day without anything is passed over."""
        day = (now - timedelta(days=1)).date()
        lines = list(summary_of(day, state, project.user_id))
        if not lines:
            return
        try:
            task = await project.create_task("Daily summary", op_id=project.op_id("task"))
            await project.add_comment(task.result["taskId"], "\n".join([f"**{day}**", "", *lines]))
        except (NotFound, RuleBroken):
            pass  # the task was deleted, or the project is archived: nobody wants to read it


def summary_of(day: date, state: ProjectState, without: str | None) -> Iterator[str]:
    """Lines of Markdown about one day; nothing where nothing happened. What `without` did does not count."""

    def of_day(instant: str | None) -> bool:
        return instant is not None and instant.startswith(day.isoformat())

    tasks = [task for task in state.living_tasks() if task["createdBy"] != without]
    created = [task["key"] for task in tasks if of_day(task["createdAt"])]
    closed = [task["key"] for task in tasks if of_day(task["closedAt"])]
    comments = [
        one for one in state.comments.values() if of_day(one["createdAt"]) and one["authorId"] not in (without, None)
    ]
    joined = [user_id for user_id, member in state.members.items() if of_day(member["addedAt"]) and user_id != without]
    if not (created or closed or comments or joined):
        return
    for keys, what in ((created, "new"), (closed, "closed")):
        if keys:
            yield f"* {len(keys)} {what}: {', '.join(keys)}"
    for many, one, more in ((comments, "comment", "comments"), (joined, "new member", "new members")):
        if many:
            yield f"* {len(many)} {one if len(many) == 1 else more}"
    open_tasks = [task for task in tasks if task["closedAt"] is None]
    late = [task["key"] for task in open_tasks if task["dueDate"] is not None and task["dueDate"] <= day.isoformat()]
    yield f"* {len(open_tasks)} open" + (f", overdue: {', '.join(late)}" if late else "")


if __name__ == "__main__":
    given = bot_parser("daily-summary", "Posts every midnight what has happened on the day that ended.").parse_args()
    sys.exit(run_command(given, DailySummary()))
