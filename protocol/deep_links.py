"""Deep links: addresses of a project, a task or a comment that people can read out."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Uuid


@with_config(VIEW_CONFIG)
class DeepLink(TypedDict):
    """What a link leads to. `path` is its canonical form; `threadId` is set where the comment is a reply."""

    path: str
    projectId: Uuid
    taskId: Uuid | None
    commentId: Uuid | None
    threadId: Uuid | None
