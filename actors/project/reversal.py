"""An entry on its way to be taken back: what the inverse of each of its events may know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from actors.project.dating import Dating
from actors.project.limits import ProjectLimits
from actors.project.past_entries import PastEntry
from actors.project.state import ProjectState
from actors.runtime.actor import Context
from protocol.errors import Rejection
from protocol.messages import ProjectEvent
from protocol.projects import ProjectView
from protocol.tasks import FieldValue

Inverse = Sequence[ProjectEvent] | Rejection
"""What takes an event back; nothing, where it is as it was before already."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """`draft` is the state with all that was taken back so far."""

    draft: ProjectState
    entry: PastEntry
    dating: Dating
    context: Context
    limits: ProjectLimits
    # Field id → task id → the values that were lost when the entry removed the field.
    lost: Mapping[str, Mapping[str, FieldValue]] = field(default_factory=dict)

    @property
    def project(self) -> ProjectView:
        """The project of the draft. Raises ValueError before its creation, of which nothing is ever taken back."""
        if self.draft.project is None:
            raise ValueError("there is no project yet")
        return self.draft.project
