"""Edits of many tasks in one entry: each is judged after those before it, and a refused one stops no other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from actors.field_changes import refuse_stale
from actors.project.cycles import searched_too_long
from actors.project.dating import Dating, date_content
from actors.project.drafts import draft_of
from actors.project.edited_fields import wished_by
from actors.project.events import evolve
from actors.project.limits import ProjectLimits
from actors.project.order import SearchTooLong
from actors.project.permissions import broken, no_project, refusal
from actors.project.projects import Outcome, archived, is_archived
from actors.project.sizes import ENTRY_CHARACTERS_MAX, characters_of
from actors.project.state import ProjectState
from actors.project.tasks import decide_edit
from actors.runtime.actor import Context, Decision, EntryMeta
from protocol.errors import Rejection
from protocol.messages import ProjectEvent
from protocol.tasks import EditTask, EditTasks, JudgedEdit, TaskEditsJudged

VALUE_CHARACTERS_MAX: Final = 100
"""The refusals of a bulk edit stand in the log, so they show less of a text than that of a single edit."""

_UNTOUCHED: Final = frozenset(
    {"project", "members", "comments", "task_comments", "links", "task_links", "duplicates", "undone"}
)
"""What no edit of a task changes."""


def decide_edits(state: ProjectState, command: EditTasks, context: Context, limits: ProjectLimits) -> Outcome:
    """Refused as a whole only for what concerns all: the permission, the archive, an origin that may not be."""
    refused = refusal(state, context.principal, "task.edit")
    if refused is not None or state.project is None:
        return refused or no_project()
    dating = date_content(state, context)
    if isinstance(dating, Rejection):
        return dating
    if is_archived(state):
        return archived()
    bulk = _Bulk(state, context, limits, dating)
    bulk.foresee(command.edits)
    items = [bulk.item(edit) for edit in command.edits]
    return dating.decision([*bulk.events, TaskEditsJudged(items=items)])


class _Bulk:
    """The edits so far, and the state that they lead to."""

    def __init__(self, state: ProjectState, context: Context, limits: ProjectLimits, dating: Dating) -> None:
        self._state = state
        self._context = context
        self._limits = limits
        self._meta = EntryMeta(context.seq + 1, context.op_id, dating.author, dating.at, context.now)
        # A copy that only this decision sees: the state itself is not changed before the entry is.
        self._draft = draft_of(state, _UNTOUCHED)
        self._characters = 0
        self.events: list[ProjectEvent] = []

    def foresee(self, edits: Iterable[EditTask]) -> None:
        """One look at the order of all tasks, so that no parent that is given needs a search of its own."""
        self._draft.order.foresee([(edit.task_id, edit.parent_id) for edit in edits if edit.parent_id is not None])

    def item(self, edit: EditTask) -> JudgedEdit:
        """Judges an edit; an accepted one leaves its events."""
        outcome = self._judge(edit)
        if isinstance(outcome, Rejection):
            error: Any = outcome.as_json()
            return {"taskId": edit.task_id, "error": error}
        for event in outcome.events:
            evolve(self._draft, event, self._meta)
            self.events.append(event)
        return {"taskId": edit.task_id}

    def _judge(self, edit: EditTask) -> Outcome:
        try:
            outcome = decide_edit(self._draft, edit, self._context, self._limits)
        except SearchTooLong:
            return searched_too_long()
        if isinstance(outcome, Rejection):
            return outcome
        return self._refuse_stale(outcome) or self._refuse_length(outcome.events) or outcome

    def _refuse_stale(self, outcome: Decision[ProjectEvent]) -> Rejection | None:
        context = self._context
        if context.base is None:
            return None
        wished = wished_by(outcome.events)
        return refuse_stale(self._state.changes, wished, context.base, context.seq, VALUE_CHARACTERS_MAX)

    def _refuse_length(self, events: Iterable[ProjectEvent]) -> Rejection | None:
        characters = self._characters + sum(characters_of(event) for event in events)
        if characters > ENTRY_CHARACTERS_MAX:
            return broken("bulk_characters_limit", f"one command replaces at most {ENTRY_CHARACTERS_MAX} characters")
        self._characters = characters
        return None


def results(event: TaskEditsJudged) -> list[dict[str, Any]]:
    """The items as the ack tells them."""
    return [dict(item) if "error" in item else {**item, "ok": True} for item in event.items]
