"""The one record that a command is about, as readers are shown it: what a condition on the command is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from actors.project.state import ProjectState
from protocol.comments import DeleteComment, EditComment, RestoreComment
from protocol.event import Command
from protocol.links import RemoveLink
from protocol.milestones import DeleteMilestone, EditMilestone
from protocol.projects import (
    ArchiveProject,
    DeleteProject,
    EditProject,
    PurgeProject,
    RestoreProject,
    UnarchiveProject,
)
from protocol.ranks import MoveTask
from protocol.reactions import AddReaction, RemoveReaction
from protocol.tasks import DeleteTask, EditTask, RestoreTask
from protocol.watchers import UnwatchTask, WatchTask

Subject: TypeAlias = Mapping[str, Any]


def subject(state: ProjectState, command: Command) -> Subject | None:
    """None: it is about something new, about many records, or about one that is not there."""
    match command:
        case EditTask() | DeleteTask() | RestoreTask() | MoveTask() | WatchTask() | UnwatchTask():
            return state.tasks.get(command.task_id)
        case EditComment() | DeleteComment() | RestoreComment() | AddReaction() | RemoveReaction():
            return state.comments.get(command.comment_id)
        case EditMilestone() | DeleteMilestone():
            return state.milestones.get(command.milestone_id)
        case RemoveLink():
            return state.links.get(command.link_id)
        case (
            EditProject() | ArchiveProject() | UnarchiveProject() | DeleteProject() | RestoreProject() | PurgeProject()
        ):
            return state.project
        case _:
            return None
