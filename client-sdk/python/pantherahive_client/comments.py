"""Commands on comments."""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import UNSET, Commands, Sending, Unset, present
from pantherahive_client.outbox import Ack


class CommentCommands(Commands):
    """Say something about a task, correct it, take it back."""

    async def add_comment(
        self,
        task_id: str,
        body: str,
        *,
        comment_id: str | Unset = UNSET,
        reply_to: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """`body` is Markdown, where `@username` mentions a member; `ack.result` holds `commentId`.

        `reply_to` is the comment that is answered; a reply to a reply joins its thread.
        """
        data = present(taskId=task_id, body=body, commentId=comment_id, replyTo=reply_to)
        return await self.send("AddComment", data, **sending)

    async def edit_comment(self, comment_id: str, body: str, **sending: Unpack[Sending]) -> Ack:
        """Replaces the text; the old one stays readable."""
        return await self.send("EditComment", {"commentId": comment_id, "body": body}, **sending)

    async def delete_comment(self, comment_id: str, **sending: Unpack[Sending]) -> Ack:
        """Leaves a tombstone; replies stay."""
        return await self.send("DeleteComment", {"commentId": comment_id}, **sending)

    async def restore_comment(self, comment_id: str, **sending: Unpack[Sending]) -> Ack:
        """Brings a deleted comment back as it was."""
        return await self.send("RestoreComment", {"commentId": comment_id}, **sending)
