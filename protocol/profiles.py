"""Public profiles: their messages and their record of state.

Usernames and addresses live with the accounts, never here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints, with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, ShortText, Uuid, _printable, absent
from protocol.event import Command, Event

Bio = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_printable)]
"""CommonMark text, like `Markdown` but shorter."""


@with_config(VIEW_CONFIG)
class ProfileView(TypedDict):
    """What everybody who is signed in may know of a person."""

    userId: Uuid
    firstName: ShortText | None
    lastName: ShortText | None
    bio: Bio | None
    avatarId: Uuid | None
    createdAt: Instant
    updatedAt: Instant


@with_config(VIEW_CONFIG)
class ProfileChanges(TypedDict, total=False):
    """The fields of a profile that an edit can set."""

    firstName: ShortText | None
    lastName: ShortText | None
    bio: Bio | None
    avatarId: Uuid | None


class CreateProfile(Command):
    """Opens the profile of the user whom the stream names; sent once, by registration."""

    first_name: ShortText | None = None
    last_name: ShortText | None = None


class EditProfile(Command):
    """Sets the fields that are present."""

    first_name: ShortText | None = absent()
    last_name: ShortText | None = absent()
    bio: Bio | None = absent()
    avatar_id: Uuid | None = absent()


class ProfileCreated(Event):
    """The first event of a profile stream."""

    profile: ProfileView


class ProfileEdited(Event):
    """`changes` holds the new values, `was` the previous ones of the same fields."""

    changes: ProfileChanges
    was: ProfileChanges
