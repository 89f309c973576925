"""Commands on comments."""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.outbox import Ack


class CommentCommands(Commands):
    """Say something about a task, and correct it."""

    async def add_comment(
        self, task_id: str, body: str, *, comment_id: str | Unset = UNSET, **sending: Unpack[Sending]
    ) -> Ack:
        """`body` is Markdown; `ack.result` holds `commentId`."""
        return await self.send("AddComment", present(taskId=task_id, body=body, commentId=comment_id), **sending)

    async def edit_comment(self, comment_id: str, body: str, **sending: Unpack[Sending]) -> Ack:
        """Replaces the text; the old one stays readable."""
        return await self.send("EditComment", {"commentId": comment_id, "body": body}, **sending)
