"""What a profile's actor holds in memory. The record is replaced, never changed in place."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.field_changes import Changes
from protocol.profiles import ProfileView


@dataclass(slots=True)
class ProfileState:
    """One profile. It is empty (`profile` is None) until `ProfileCreated`."""

    user_id: str
    # What everybody may know of the person; None before the first entry.
    profile: ProfileView | None = None
    # The time of the newest edit, "" while there is none. It never falls.
    content_at: str = ""
    # Record → field → its last change.
    changes: Changes = field(default_factory=dict)
