"""What a person wants to be told: by reason and channel, by project, and when."""

from __future__ import annotations

from actors.runtime.actor import Context, Decision, EntryMeta
from actors.user.access import NO_SUCH_STREAM, Outcome, may_read, refusal
from actors.user.limits import UserLimits
from actors.user.state import UserState
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.preferences import (
    MuteProject,
    PreferenceChanges,
    PreferencesSet,
    PreferencesView,
    ProjectMuted,
    ProjectUnmuted,
    SetPreferences,
    UnmuteProject,
)


def decide_set(state: UserState, command: SetPreferences, context: Context) -> Outcome:
    """Only what really changes is recorded."""
    refused = refusal(state, context)
    if refused is not None:
        return refused
    changes: PreferenceChanges = {}
    was: PreferenceChanges = {}
    present = state.preferences
    if "channels" in command.model_fields_set:
        changed = {
            reason: channels for reason, channels in command.channels.items() if channels != present["channels"][reason]
        }
        if changed:
            changes["channels"] = changed
            was["channels"] = {reason: present["channels"][reason] for reason in changed}
    if "quiet_hours" in command.model_fields_set and command.quiet_hours != present["quietHours"]:
        changes["quietHours"] = command.quiet_hours
        was["quietHours"] = present["quietHours"]
    events = [PreferencesSet(changes=changes, was=was)] if changes else []
    return Decision(events, context.principal.id, context.now)


def decide_mute(state: UserState, command: MuteProject, context: Context, limits: UserLimits) -> Outcome:
    """That the project exists is not asked: the person may mute what they will join."""
    refused = refusal(state, context)
    if refused is not None:
        return refused
    muted = state.preferences["mutedProjectIds"]
    if command.project_id in muted:
        return Decision([], context.principal.id, context.now)
    if len(muted) >= limits.muted_projects_max:
        return Rejection(
            ErrorCode.RULE_BROKEN,
            f"at most {limits.muted_projects_max} projects can be muted",
            {"reason": "muted_projects_limit"},
        )
    return Decision([ProjectMuted(project_id=command.project_id)], context.principal.id, context.now)


def decide_unmute(state: UserState, command: UnmuteProject, context: Context) -> Outcome:
    refused = refusal(state, context)
    if refused is not None:
        return refused
    is_muted = command.project_id in state.preferences["mutedProjectIds"]
    events = [ProjectUnmuted(project_id=command.project_id)] if is_muted else []
    return Decision(events, context.principal.id, context.now)


def evolve_set(state: UserState, event: PreferencesSet, meta: EntryMeta) -> None:
    changes = event.changes
    state.preferences = {
        **state.preferences,
        "channels": {**state.preferences["channels"], **changes.get("channels", {})},
        "quietHours": changes["quietHours"] if "quietHours" in changes else state.preferences["quietHours"],
    }


def evolve_muted(state: UserState, event: ProjectMuted, meta: EntryMeta) -> None:
    muted = [*state.preferences["mutedProjectIds"], event.project_id]
    state.preferences = {**state.preferences, "mutedProjectIds": muted}


def evolve_unmuted(state: UserState, event: ProjectUnmuted, meta: EntryMeta) -> None:
    muted = [project for project in state.preferences["mutedProjectIds"] if project != event.project_id]
    state.preferences = {**state.preferences, "mutedProjectIds": muted}


def view_preferences(state: UserState, principal: Principal) -> PreferencesView | Rejection:
    """What holds now."""
    return state.preferences if may_read(state, principal) else NO_SUCH_STREAM
