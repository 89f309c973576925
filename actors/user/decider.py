"""The user's actor: sends every command and every event to its feature file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never

from actors.runtime.actor import Context, EntryMeta, TimerStep
from actors.user import notifications, preferences, snapshot
from actors.user.access import Outcome
from actors.user.limits import UserLimits
from actors.user.state import UserState
from protocol.errors import ErrorCode, Rejection
from protocol.messages import UserCommand, UserEvent
from protocol.notifications import MarkRead, NotificationsRead, NotificationWithheld, Notified, Notify
from protocol.preferences import (
    MuteProject,
    PreferencesSet,
    ProjectMuted,
    ProjectUnmuted,
    SetPreferences,
    UnmuteProject,
)

_BASELESS = Rejection(ErrorCode.INVALID, "base: commands to one's own stream are not conditional", {"field": "base"})


class UserActor:
    """Answers for streams `user/<user id>` (`actors.runtime.actor.Actor`)."""

    kind = "user"
    schema_version = 1
    shows_presence = False
    content_events: frozenset[str] = frozenset()
    exists_empty = True
    timer_events: frozenset[str] = frozenset()

    def __init__(self, limits: UserLimits | None = None) -> None:
        self._limits = limits if limits is not None else UserLimits()

    def initial(self, stream: str) -> UserState:
        return UserState(_id_of(stream))

    def decide(self, state: UserState, command: UserCommand, context: Context) -> Outcome:
        """What the feature says. A person alone writes here, so nobody's change can be overlooked."""
        return _BASELESS if context.base is not None else self._decide(state, command, context)

    def _decide(self, state: UserState, command: UserCommand, context: Context) -> Outcome:
        match command:
            case Notify():
                return notifications.decide_notify(state, command, context)
            case MarkRead():
                return notifications.decide_mark_read(state, command, context)
            case SetPreferences():
                return preferences.decide_set(state, command, context)
            case MuteProject():
                return preferences.decide_mute(state, command, context, self._limits)
            case UnmuteProject():
                return preferences.decide_unmute(state, command, context)
            case _:
                assert_never(command)

    def evolve(self, state: UserState, event: UserEvent, meta: EntryMeta) -> None:
        self._evolve(state, event, meta)

    def _evolve(self, state: UserState, event: UserEvent, meta: EntryMeta) -> None:
        match event:
            case Notified():
                notifications.evolve_notified(state, event, meta, self._limits)
            case NotificationWithheld():
                pass  # it is in the log, to be explained from there
            case NotificationsRead():
                notifications.evolve_read(state, event, meta)
            case PreferencesSet():
                preferences.evolve_set(state, event, meta)
            case ProjectMuted():
                preferences.evolve_muted(state, event, meta)
            case ProjectUnmuted():
                preferences.evolve_unmuted(state, event, meta)
            case _:
                assert_never(event)

    def answer(self, events: Sequence[UserEvent]) -> dict[str, Any]:
        """Whether the person was told, and under which number."""
        result: dict[str, Any] = {}
        for event in events:
            match event:
                case Notified():
                    result["number"] = event.notification["number"]
                case NotificationWithheld():
                    result["withheld"] = event.why
                case NotificationsRead():
                    result["readUpTo"] = event.up_to
                case PreferencesSet() | ProjectMuted() | ProjectUnmuted():
                    continue
                case _:
                    assert_never(event)
        return result

    def notices(self, state: UserState, events: Sequence[UserEvent], author: str) -> Sequence[Mapping[str, Any]]:
        return ()

    def audience(self, state: UserState) -> frozenset[str]:
        """The person alone."""
        return frozenset((state.user_id,))

    def changes_audience(self, event: UserEvent) -> bool:
        return False

    def subject(self, state: UserState, command: UserCommand) -> Mapping[str, Any] | None:
        return state.preferences if isinstance(command, SetPreferences | MuteProject | UnmuteProject) else None

    def content_at(self, state: UserState) -> str:
        return ""

    def parts(self, state: UserState) -> Iterator[dict[str, Any]]:
        return snapshot.parts(state)

    def take_part(self, state: UserState, part: Mapping[str, Any]) -> None:
        snapshot.take_part(state, part)

    def complete(self, state: UserState) -> None:
        """Nothing is left to do."""

    def timers(self, kind: str, data: Mapping[str, Any], meta: EntryMeta) -> Sequence[TimerStep]:
        return ()

    def timer_command(self, name: str, due_at: str) -> UserCommand:
        """Raises ValueError: a user's stream sets no timers, so none can be due."""
        raise ValueError(f"a user's stream has no timer {name!r}")


def _id_of(stream: str) -> str:
    return stream.partition("/")[2]
