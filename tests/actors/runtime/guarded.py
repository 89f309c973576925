"""Notes of which nobody knows but their people."""

from __future__ import annotations

from typing import Any

from actors.runtime.actor import Context, Decision, may_follow
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command, Principal
from protocol.members import AddMember
from tests.actors.runtime.notes import Notes, NotesActor, person
from tests.actors.runtime.world import World, accepted

HIDDEN = Rejection(ErrorCode.NOT_FOUND, "there are no such notes")
INSIDER = Principal(person(1))
STRANGER = Principal(person(2))


class GuardedNotes(NotesActor):
    """Refuses strangers before anything else is looked at."""

    def decide(self, state: Notes, command: Command, context: Context) -> Decision[Any] | Rejection:
        if not may_follow(self.audience(state), context.principal):
            return HIDDEN
        return super().decide(state, command, context)


async def given_an_insider(world: World) -> None:
    """The first entry: from here on the stream is the insider's alone."""
    accepted(await world.send(AddMember(user_id=INSIDER.id, role="member")))
