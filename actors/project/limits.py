"""How big one project may grow. Its state lies in memory as a whole, so every collection is bounded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProjectLimits:
    """Reaching one of them is refused as `rule_broken` with the limit's own reason."""

    members_max: int = 10_000
    roles_max: int = 50
    invitations_max: int = 1000
    invitation_lifetime_days: int = 14
    # How long a deleted project can be restored.
    purge_after_days: int = 30
    tasks_max: int = 100_000
    # Tombstones count too. A task without a parent lies at level 1.
    task_levels_max: int = 10
    links_max: int = 100_000
    links_per_task_max: int = 500
    comments_max: int = 500_000
    labels_per_task_max: int = 100
    assignees_per_task_max: int = 100
    milestones_max: int = 1000
    tasks_per_milestone_max: int = 2000
    watchers_per_task_max: int = 1000
    fields_max: int = 50
    choices_per_field_max: int = 100
    comment_history_characters_max: int = 1_000_000
    # Beyond this a new rank is worth it that neighbours get other ones.
    rank_short_characters_max: int = 64
    # So many neighbours at most get other ranks in one entry.
    reranked_tasks_max: int = 1024
    reactions_per_comment_max: int = 1_000
    emoji_per_comment_max: int = 20
