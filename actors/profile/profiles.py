"""Profiles: opened by registration, edited by their person. That one exists is public, so 403 may be said."""

from __future__ import annotations

from typing import Any

from actors.profile.state import ProfileState
from actors.runtime.actor import Context, Decision, EntryMeta
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.messages import ProfileEvent
from protocol.profiles import (
    CreateProfile,
    EditProfile,
    ProfileChanges,
    ProfileCreated,
    ProfileEdited,
    ProfileView,
)

Outcome = Decision[ProfileEvent] | Rejection

_FIELDS = {"first_name": "firstName", "last_name": "lastName", "bio": "bio", "avatar_id": "avatarId"}
"""Field of `EditProfile` → field of the record."""


def allowed(state: ProfileState, principal: Principal) -> bool:
    """Whether the principal may write this profile."""
    return principal.is_operator or principal.id == state.user_id


def decide_create(state: ProfileState, command: CreateProfile, context: Context) -> Outcome:
    refused = _refusal(state, context)
    if refused is not None:
        return refused
    if state.profile is not None:
        return Rejection(ErrorCode.ALREADY_EXISTS, "this profile exists already", {"what": "profile"})
    view: ProfileView = {
        "userId": state.user_id,
        "firstName": command.first_name,
        "lastName": command.last_name,
        "bio": None,
        "avatarId": None,
        "createdAt": context.now,
        "updatedAt": context.now,
    }
    return Decision([ProfileCreated(profile=view)], context.principal.id, context.now)


def decide_edit(state: ProfileState, command: EditProfile, context: Context) -> Outcome:
    """Only what really changes is recorded; an edit that changes nothing is accepted without an event."""
    if state.profile is None:
        return _no_profile()
    refused = _refusal(state, context)
    if refused is not None:
        return refused
    at = max(context.now, state.content_at)
    changes, was = _changes(state.profile, command)
    events = [ProfileEdited(changes=changes, was=was)] if changes else []
    return Decision(events, context.principal.id, at)


def _changes(profile: ProfileView, command: EditProfile) -> tuple[ProfileChanges, ProfileChanges]:
    wished = {
        record_field: getattr(command, field)
        for field, record_field in _FIELDS.items()
        if field in command.model_fields_set
    }
    before: dict[str, Any] = {name: profile[name] for name in wished}  # type: ignore[literal-required]
    changed = [name for name in wished if wished[name] != before[name]]
    changes: ProfileChanges = {name: wished[name] for name in changed}  # type: ignore[assignment]
    was: ProfileChanges = {name: before[name] for name in changed}  # type: ignore[assignment]
    return changes, was


def _refusal(state: ProfileState, context: Context) -> Rejection | None:
    if not allowed(state, context.principal):
        return Rejection(ErrorCode.FORBIDDEN, "only the person may write their profile")
    if context.origin is not None:
        reason = {"reason": "not_importable"}
        return Rejection(ErrorCode.RULE_BROKEN, "this command cannot carry an origin", reason)
    return None


def _no_profile() -> Rejection:
    return Rejection(ErrorCode.NOT_FOUND, "no such profile")


def evolve_created(state: ProfileState, event: ProfileCreated, meta: EntryMeta) -> None:
    state.profile = event.profile


def evolve_edited(state: ProfileState, event: ProfileEdited, meta: EntryMeta) -> None:
    if state.profile is None:
        raise ValueError("an event before the profile's creation")
    state.profile = {**state.profile, **event.changes, "updatedAt": meta.at}
    state.content_at = max(state.content_at, meta.at)


def view_profile(state: ProfileState, principal: Principal) -> ProfileView | Rejection:
    """The profile, for everybody who is signed in."""
    return state.profile if state.profile is not None else _no_profile()
