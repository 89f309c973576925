"""Judging an import's steps without sending them: by the same rules that the server's actor will judge them by.

What only the server knows stays open: its limits, whether a key is free, and which opIds its log holds. A step whose
outcome is in the project is taken as known. A closing that is missing in a project where people have worked may have
been undone by them, so it is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Final, cast
from uuid import UUID

from actors.project.decider import ProjectActor
from actors.project.limits import ProjectLimits
from actors.project.state import ProjectState
from actors.runtime.actor import Context, EntryMeta, restored
from pantherahive_client import HiveError
from pantherahive_client import ProjectState as Replica
from pantherahive_client.errors import error_of
from protocol.base import INTEGER_MAX
from protocol.errors import Rejection
from protocol.event import OPERATOR, Origin, Principal
from protocol.messages import ProjectCommand, decode_command
from protocol.projects import CreateProject
from server.importing.github_archive import Step
from server.importing.sending import Sent, hopeless
from server.streams import granted

_SOMEBODY: Final = str(UUID(int=0))
"""Owner and id of a project that is not there yet: no rule looks at them."""


class Rehearsal:
    """One project as the import would find it: the one that is there, or one that is made for it."""

    def __init__(self, found: Replica | None, subject: str | None, now: str, new_id: Callable[[], str]) -> None:
        self._actor = ProjectActor(ProjectLimits(**{limit.name: INTEGER_MAX for limit in fields(ProjectLimits)}))
        self._principal = Principal(subject) if subject is not None else OPERATOR
        self._now = now
        self._new_id = new_id
        self._stream = f"project/{_SOMEBODY}"
        # The state as of the last step that was judged, and how many entries were added to it.
        self._state: ProjectState = (
            restored(self._actor, self._stream, [found.as_json()]) if found is not None else self._made(subject)
        )
        self._entries = 0

    def _made(self, subject: str | None) -> ProjectState:
        state = self._actor.initial(self._stream)
        command = CreateProject(name="Imported", owner_id=subject if subject is not None else _SOMEBODY)
        facts = {"projectKey": "IMPORTED", "userExists": True}
        context = Context(self._now, _SOMEBODY, self._principal, self._new_id, facts=facts)
        decision = granted(self._actor.decide(state, command, context))
        for event in decision.events:
            self._actor.evolve(state, event, EntryMeta(1, _SOMEBODY, decision.author, decision.at, self._now))
        return state

    def judge(self, steps: Iterable[Step], is_there: Callable[[Step], bool]) -> Sent:
        """What would become of the steps, in their order, up to one after which all others would be refused too."""
        sent = Sent()
        for step in steps:
            sent.settled += 1
            error = None if is_there(step) or self._is_open(step) else self._refusal(step)
            if error is not None:
                sent.refused.append((step, error))
                if hopeless(error) is not None:
                    break
        return sent

    def _is_open(self, step: Step) -> bool:
        return step.kind == "closing" and self._state.live and step.data["taskId"] in self._state.tasks

    def _refusal(self, step: Step) -> HiveError | None:
        """The step takes effect here, or this is why not."""
        command = decode_command(self._stream, step.command, step.data)
        if isinstance(command, Rejection):
            return error_of(command.as_json())
        context = Context(self._now, step.id, self._principal, self._new_id, Origin(author=step.author, at=step.at))
        decision = self._actor.decide(self._state, cast(ProjectCommand, command), context)
        if isinstance(decision, Rejection):
            return error_of(decision.as_json())
        self._entries += 1
        meta = EntryMeta(self._entries, step.id, decision.author, decision.at, self._now)
        for event in decision.events:
            self._actor.evolve(self._state, event, meta)
        return None
