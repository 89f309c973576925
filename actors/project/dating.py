"""When an entry happened and whose it is: live, or as the history that an import brings.

Content has a time that never falls. Live content takes `max(now, newest content)`; an import says the time
itself, and may do so only while nobody has worked in the project live.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from actors.project.permissions import allowed, broken, forbidden
from actors.project.state import ProjectState, is_imported
from actors.runtime.actor import Context, Decision
from protocol.errors import Rejection
from protocol.event import Event, Origin
from protocol.values import value

E = TypeVar("E", bound=Event)


@value(frozen=True, slots=True)
class Dating:
    """Author and time of an entry, and the importer where the author is somebody else."""

    author: str
    at: str
    recorded_by: str | None = None

    def decision(self, events: Sequence[E]) -> Decision[E]:
        """An accepted command with this author and time."""
        return Decision(events, self.author, self.at, self.recorded_by)


def date_content(state: ProjectState, context: Context) -> Dating | Rejection:
    """For tasks, comments and edits of the project."""
    if context.origin is not None:
        return _date_history(state, context, context.origin)
    return Dating(context.principal.id, max(context.now, state.content_at))


def date_other(context: Context) -> Dating | Rejection:
    """For creation, membership and deletion: they happen now and cannot be imported."""
    if context.origin is not None:
        return broken("not_importable", "this command cannot carry an origin")
    return Dating(context.principal.id, context.now)


def _date_history(state: ProjectState, context: Context, origin: Origin) -> Dating | Rejection:
    if not allowed(state, context.principal, "project.import"):
        return forbidden("project.import")
    if not is_imported(origin.author):
        return broken("import_author", "the author of history is an external person or unknown")
    if state.live:
        return broken("import_closed", "people have worked in this project already")
    if origin.at < state.content_at:
        return broken("import_out_of_order", "history has to be imported in the order of its time")
    if origin.at > context.now:
        return broken("import_in_future", "history cannot lie in the future")
    return Dating(origin.author, origin.at, context.principal.id)
