"""Accounts over REST: registration, login and profiles, to the letter of the User API. They never enter the log."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Annotated, Final, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from protocol.base import Instant, Integer, Message, ShortText, Uuid, _Format, absent
from protocol.profiles import Bio

PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 64
EMAIL_CHARACTERS_MAX = 254
"""RFC 5321 §4.5.3.1.3 less the angle brackets."""

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def _email(text: str) -> str:
    """The dot-atom form of RFC 5321 with a domain of at least two labels; quoted forms and literals are refused."""
    local, at, domain = text.rpartition("@")
    labels = domain.split(".")
    if (
        not at
        or len(local) > 64
        or _LOCAL_PART.fullmatch(local) is None
        or len(labels) < 2
        or labels[-1].isdigit()
        or any(_DOMAIN_LABEL.fullmatch(label) is None for label in labels)
    ):
        raise ValueError("not an e-mail address")
    return text


_NO_TIMEZONES: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Files that systems keep among the zones: this machine's own zone, rules for POSIX, and "not set yet"."""


@cache
def _timezones() -> frozenset[str]:
    """The zones of the system's database, read once (many small files). Empty where a system has none."""
    return frozenset(available_timezones()) - _NO_TIMEZONES


def known_timezone(name: str) -> str:
    """Without a database names are judged by their form alone: they are only kept and shown, never computed with."""
    known = _timezones()
    if name in _NO_TIMEZONES or (known and name not in known):
        raise ValueError("not the name of a time zone, such as Europe/Berlin")
    return name


Username = Annotated[str, StringConstraints(min_length=3, max_length=30, pattern=r"^[a-zA-Z0-9_.]*$")]
"""Unique without regard to case."""

Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=EMAIL_CHARACTERS_MAX),
    AfterValidator(_email),
    _Format("email"),
]
"""Unique without regard to case."""

Locale = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
"""A language tag (BCP 47), such as `de-AT`."""

TimezoneName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$")]
"""As it was accepted once: a database of another version, or on another machine, may not know it."""

Timezone = Annotated[TimezoneName, AfterValidator(known_timezone)]
"""A name of the IANA time zone database."""


def normalized_password(password: str) -> str:
    """NFC, so that one password typed on two keyboards is one (RFC 8265 §4.2.2). Its length is judged before."""
    return unicodedata.normalize("NFC", password)


NewPassword = Annotated[
    str,
    StringConstraints(min_length=PASSWORD_CHARACTERS_MIN, max_length=PASSWORD_CHARACTERS_MAX),
    Field(repr=False),
    _Format("password"),
]


class UserRegisterRequest(Message):
    """Makes an account. Lengths count code points; nothing is ever cut off."""

    username: Username
    password: NewPassword
    email: Email = absent()
    first_name: ShortText | None = None
    last_name: ShortText | None = None


class UserLoginRequest(Message):
    """Exactly one of `email` and `username`. The password has no lower limit here: a short one is simply wrong."""

    password: Annotated[str, StringConstraints(max_length=1024), Field(repr=False), _Format("password")]
    email: Email = absent()
    username: Annotated[str, StringConstraints(max_length=EMAIL_CHARACTERS_MAX)] = absent()

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if len({"email", "username"} & self.model_fields_set) != 1:
            raise ValueError("exactly one of email and username is needed")
        return self


class UserAuthResponse(Message):
    """A signed-in user. The access token goes into `Authorization: Bearer …` and ends after `expiresIn` seconds.

    `refreshToken` gets the next one (`POST /v1/users/refresh`). It serves once: each answer brings a new one. It ends
    `refreshExpiresIn` seconds after it was issued.
    """

    user_id: Uuid
    username: Username
    access_token: Annotated[str, Field(repr=False)]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the kind of token, RFC 6750
    expires_in: Integer
    refresh_token: Annotated[str, Field(repr=False)]
    refresh_expires_in: Integer


class RefreshRequest(Message):
    """Exchanges a refresh token for a new pair. One that comes a second time ends the whole log-in.

    With an `Idempotency-Key` the very same request may be sent again: it gets the same refresh token.
    """

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=256), Field(repr=False)]


class LogoutRequest(Message):
    """Ends this log-in, or with `everywhere` all log-ins of the user."""

    everywhere: bool = False


class PasswordChangeRequest(Message):
    """Sets a new password. All other log-ins of the user end; the one that asks goes on."""

    current_password: Annotated[str, StringConstraints(max_length=1024), Field(repr=False), _Format("password")]
    new_password: NewPassword


class UserQuery(Message):
    """Whose id is asked for: the whole username, in any case."""

    username: Username


class UserReference(Message):
    """A user by id and name, as far as anybody who is signed in may know them."""

    user_id: Uuid
    username: Username


class UserUpdateRequest(Message):
    """Sets the fields that are present; `null` clears those that may be empty."""

    first_name: ShortText | None = absent()
    last_name: ShortText | None = absent()
    email: Email | None = absent()
    username: Username = absent()
    bio: Bio | None = absent()
    avatar_id: Uuid | None = absent()
    locale: Locale | None = absent()
    timezone: Timezone | None = absent()


class UserProfileResponse(Message):
    """A profile. `email`, `locale` and `timezone` are there only for the user themself."""

    user_id: Uuid
    username: Username
    first_name: ShortText | None
    last_name: ShortText | None
    bio: Bio | None
    avatar_url: str | None
    created_at: Instant
    updated_at: Instant
    email: Email | None = absent()
    locale: Locale | None = absent()
    timezone: TimezoneName | None = absent()
