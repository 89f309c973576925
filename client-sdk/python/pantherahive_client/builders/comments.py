"""Builders of commands: comments.

Made by scripts/generate_sdk_models.py from docs/schema/protocol.json: change the protocol, not this file.
"""

from __future__ import annotations

from typing import Unpack

from pantherahive_client.commands import UNSET, ProjectStream, Sending, Unset, present
from pantherahive_client.models import Uuid
from pantherahive_client.outbox import Ack


class CommentBuilders(ProjectStream):
    """Commands: comments."""

    async def add_comment(
        self,
        task_id: Uuid,
        body: str,
        *,
        comment_id: Uuid | Unset = UNSET,
        reply_to: Uuid | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Says something about a task. The id may come from the client.

        `reply_to` names the comment of the same task that is answered; the answer joins that comment's thread.
        `@username` in the text mentions a member.
        """
        data = present(
            commentId=comment_id,
            taskId=task_id,
            body=body,
            replyTo=reply_to,
        )
        return await self.send("AddComment", data, **sending)

    async def edit_comment(
        self,
        comment_id: Uuid,
        body: str,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Replaces the text; the old one stays readable. Authors edit their own, admins and owners any."""
        data = {"commentId": comment_id, "body": body}
        return await self.send("EditComment", data, **sending)

    async def delete_comment(
        self,
        comment_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Leaves a tombstone in the comment's place; replies stay. Authors delete their own, admins and owners any."""
        data = {"commentId": comment_id}
        return await self.send("DeleteComment", data, **sending)

    async def restore_comment(
        self,
        comment_id: Uuid,
        **sending: Unpack[Sending],
    ) -> Ack:
        """Brings a deleted comment back as it was. Authors restore what they deleted themselves, admins and owners
        any.
        """
        data = {"commentId": comment_id}
        return await self.send("RestoreComment", data, **sending)
