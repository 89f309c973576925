"""Opaque tokens: a prefix that tells their kind, then an id and random bytes in base64url. Only hashes are kept.

The random parts have 128 bits or more, so a plain SHA-256 is enough: there is nothing to guess.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import uuid
from dataclasses import dataclass, field, replace
from typing import Final, Self

REFRESH_PREFIX: Final = "ph_refresh_"
API_PREFIX: Final = "ph_token_"
_ID_BYTES: Final = 16
_FAMILY_BYTES: Final = 16
SECRET_BYTES: Final = 32


def digest(secret: bytes) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret).digest()


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`family` is the same in all tokens of a log-in: with it an old one is told from a made-up one."""

    login_id: str
    family: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, login_id: str) -> Self:
        """The first one of a log-in."""
        return cls(login_id, secrets.token_bytes(_FAMILY_BYTES), secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what never was one."""
        packed = unpacked(text, REFRESH_PREFIX, _ID_BYTES + _FAMILY_BYTES + SECRET_BYTES)
        if packed is None:
            return None
        login_id = str(uuid.UUID(bytes=packed[:_ID_BYTES]))
        return cls(login_id, packed[_ID_BYTES : _ID_BYTES + _FAMILY_BYTES], packed[_ID_BYTES + _FAMILY_BYTES :])

    def followed_by(self, secret: bytes) -> Self:
        """The token that replaces this one."""
        return replace(self, secret=secret)

    def text(self) -> str:
        """As its owner keeps it."""
        return packed_as(REFRESH_PREFIX, uuid.UUID(self.login_id).bytes + self.family + self.secret)


@dataclass(frozen=True, slots=True)
class ApiTokenText:
    """A bot's token as its owner keeps it."""

    token_id: str
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, token_id: str) -> Self:
        """With a secret of its own."""
        return cls(token_id, secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what never was one."""
        packed = unpacked(text, API_PREFIX, _ID_BYTES + SECRET_BYTES)
        return None if packed is None else cls(str(uuid.UUID(bytes=packed[:_ID_BYTES])), packed[_ID_BYTES:])

    def text(self) -> str:
        """What goes into `Authorization: Bearer …` and CONNECT."""
        return packed_as(API_PREFIX, uuid.UUID(self.token_id).bytes + self.secret)


def packed_as(prefix: str, content: bytes) -> str:
    """The text of a token."""
    return prefix + base64.urlsafe_b64encode(content).decode().rstrip("=")


def unpacked(text: str, prefix: str, length: int) -> bytes | None:
    """The bytes of a token; None when it has another prefix, length or spelling."""
    if not text.startswith(prefix) or len(text) != len(prefix) + (length * 4 + 2) // 3 or not text.isascii():
        return None
    body = text[len(prefix) :]
    try:
        content = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # One spelling per token: bits that stand for nothing have to be zero.
    return content if packed_as(prefix, content) == text else None
