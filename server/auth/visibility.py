"""Who may see what of a person: one rule.

Everybody who is signed in sees a profile's public side: it stands beside everything that the person does. What is
nobody else's business (address, language, time zone) is shown to the person only; not to those who share a project,
not to the operator, not to the owner of a bot. The export of all data of a person (`server.rest.personal_data`) is that
person's, whoever makes it for them. A token without the scope `read` sees nobody (`server.auth.scopes`).
"""

from __future__ import annotations

from typing import Final

from protocol.event import Principal

PUBLIC: Final = frozenset(
    {"user_id", "username", "first_name", "last_name", "bio", "avatar_url", "created_at", "updated_at"}
)
OWN: Final = PUBLIC | {"email", "locale", "timezone"}


def visible_fields(viewer: Principal, person_id: str) -> frozenset[str]:
    """The fields of `UserProfileResponse` that the viewer gets of this person."""
    return OWN if viewer.kind in ("user", "bot") and viewer.id == person_id else PUBLIC
