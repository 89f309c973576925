"""How much of one person's private stream lies in memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UserLimits:
    """`inbox_notifications_max` are kept in the inbox; older ones are in the log, and still count as unread."""

    inbox_notifications_max: int = 1_000
    muted_projects_max: int = 1_000
