"""The profile's actor: sends every command and every event to its feature file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never

from actors.field_changes import Edited, note, packed, refuse_stale, unpack
from actors.profile import profiles
from actors.profile.state import ProfileState
from actors.runtime.actor import Context, EntryMeta, TimerStep
from protocol.errors import Rejection
from protocol.messages import ProfileCommand, ProfileEvent
from protocol.profiles import CreateProfile, EditProfile, ProfileCreated, ProfileEdited


class ProfileActor:
    """Answers for streams `profile/<user id>` (`actors.runtime.actor.Actor`)."""

    kind = "profile"
    schema_version = 2
    """Snapshots of version 1 do not know who changed which field."""
    content_events = frozenset({ProfileEdited.kind})
    exists_empty = False
    shows_presence = False
    timer_events: frozenset[str] = frozenset()

    def initial(self, stream: str) -> ProfileState:
        return ProfileState(_id_of(stream))

    def decide(self, state: ProfileState, command: ProfileCommand, context: Context) -> profiles.Outcome:
        """What the feature says, unless the command would set what was changed after its base."""
        outcome = self._decide(state, command, context)
        if context.base is None or isinstance(outcome, Rejection):
            return outcome
        edits = [edited for event in outcome.events if (edited := _edited_by(event)) is not None]
        return refuse_stale(state.changes, edits, context.base, context.seq) or outcome

    def _decide(self, state: ProfileState, command: ProfileCommand, context: Context) -> profiles.Outcome:
        match command:
            case CreateProfile():
                return profiles.decide_create(state, command, context)
            case EditProfile():
                return profiles.decide_edit(state, command, context)
            case _:
                assert_never(command)

    def evolve(self, state: ProfileState, event: ProfileEvent, meta: EntryMeta) -> None:
        self._evolve(state, event, meta)
        edited = _edited_by(event)
        if edited is not None:
            note(state.changes, edited, meta)

    def _evolve(self, state: ProfileState, event: ProfileEvent, meta: EntryMeta) -> None:
        match event:
            case ProfileCreated():
                profiles.evolve_created(state, event, meta)
            case ProfileEdited():
                profiles.evolve_edited(state, event, meta)
            case _:
                assert_never(event)

    def answer(self, events: Sequence[ProfileEvent]) -> dict[str, Any]:
        """Names the profile that was made; edits make nothing."""
        for event in events:
            if isinstance(event, ProfileCreated):
                return {"userId": event.profile["userId"]}
        return {}

    def notices(self, state: ProfileState, events: Sequence[ProfileEvent], author: str) -> Sequence[Mapping[str, Any]]:
        return ()

    def audience(self, state: ProfileState) -> None:
        """Everybody: what must be hidden from some lies in another stream."""

    def changes_audience(self, event: ProfileEvent) -> bool:
        return False

    def subject(self, state: ProfileState, command: ProfileCommand) -> Mapping[str, Any] | None:
        return state.profile

    def content_at(self, state: ProfileState) -> str:
        return state.content_at

    def parts(self, state: ProfileState) -> Iterator[dict[str, Any]]:
        parts: list[dict[str, Any]] = [{"counters": {"contentAt": state.content_at}}]
        if state.profile is not None:
            parts.append({"profile": state.profile})
        if state.changes:
            parts.append({"_changes": list(packed(state.changes))})
        return iter(parts)

    def take_part(self, state: ProfileState, part: Mapping[str, Any]) -> None:
        if "counters" in part:
            state.content_at = part["counters"]["contentAt"]
        state.profile = part.get("profile", state.profile)
        unpack(state.changes, part.get("_changes", ()))

    def complete(self, state: ProfileState) -> None:
        """Nothing is left to do."""

    def timers(self, kind: str, data: Mapping[str, Any], meta: EntryMeta) -> Sequence[TimerStep]:
        return ()

    def timer_command(self, name: str, due_at: str) -> ProfileCommand:
        """Raises ValueError: a profile sets no timers, so none can be due."""
        raise ValueError(f"a profile has no timer {name!r}")


def _id_of(stream: str) -> str:
    return stream.partition("/")[2]


def _edited_by(event: ProfileEvent) -> Edited | None:
    """The fields that the event sets."""
    return Edited("profile/", event.changes, event.was) if isinstance(event, ProfileEdited) else None
