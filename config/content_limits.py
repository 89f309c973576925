"""Limits of what people make, each by name, with units as in `config.limits`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class ProjectLimits(BaseSettings):
    """How big one project may grow: its state lies in memory as a whole."""

    project_members_max: int = Field(10_000, ge=1, le=1_000_000, description="Members of one project.")
    project_roles_max: int = Field(50, ge=1, le=1000, description="Roles of a project's own.")
    project_invitations_max: int = Field(
        1000, ge=1, le=100_000, description="Invitations to one project that wait for an answer."
    )
    project_invitation_lifetime_days: int = Field(
        14, ge=1, le=365, description="Days in which an invitation can be accepted."
    )
    project_purge_after_days: int = Field(
        30, ge=1, le=3650, description="Days in which a deleted project can be restored; then nothing of it is left."
    )
    project_tasks_max: int = Field(100_000, ge=1, le=10_000_000, description="Tasks of one project, deleted ones too.")
    project_task_levels_max: int = Field(
        10, ge=1, le=1000, description="Levels of tasks, their subtasks, and so on; 1 is a task without a parent."
    )
    project_links_max: int = Field(100_000, ge=1, le=10_000_000, description="Links between the tasks of one project.")
    project_links_per_task_max: int = Field(500, ge=1, le=100_000, description="Links of one task.")
    project_comments_max: int = Field(500_000, ge=1, le=50_000_000, description="Comments in one project.")
    project_labels_per_task_max: int = Field(100, ge=1, le=10_000, description="Labels of one task.")
    project_assignees_per_task_max: int = Field(100, ge=1, le=10_000, description="Assignees of one task.")
    project_milestones_max: int = Field(1000, ge=1, le=10_000, description="Milestones of one project.")
    project_tasks_per_milestone_max: int = Field(
        2000, ge=1, le=5000, description="Tasks of one milestone: its deletion edits all of them in one entry."
    )
    project_watchers_per_task_max: int = Field(1000, ge=1, le=1000, description="Watchers of one task.")
    project_fields_max: int = Field(50, ge=1, le=50, description="Fields of a project's own.")
    project_choices_per_field_max: int = Field(
        100, ge=1, le=1000, description="Choices of one field of a project's own, retired ones included."
    )
    project_comment_history_characters_max: int = Field(
        1_000_000,
        ge=1000,
        le=100_000_000,
        description="Characters of all earlier texts of one comment; undos may go beyond.",
    )
    project_rank_short_characters_max: int = Field(
        64, ge=8, le=200, description="Length of a rank beyond which neighbours get new ranks too."
    )
    project_reranked_tasks_max: int = Field(
        1024, ge=2, le=2000, description="Neighbours that get new ranks in one entry."
    )
    project_reactions_per_comment_max: int = Field(
        1000, ge=1, le=100_000, description="Reactions to one comment, of all people together."
    )
    project_emoji_per_comment_max: int = Field(
        20, ge=1, le=1000, description="Different emoji with which people have reacted to one comment."
    )


class UserLimits(BaseSettings):
    """How much of one person's private stream lies in memory."""

    user_inbox_notifications_max: int = Field(
        1_000, ge=10, le=100_000, description="Notifications in one inbox; older ones stay in the log."
    )
    user_muted_projects_max: int = Field(1_000, ge=1, le=100_000, description="Projects that one person may mute.")
