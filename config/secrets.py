"""The installation's own secrets: made on the first start into the data folder, never given a default.

    <data_dir>/access-token.key   Ed25519 private key (PKCS 8, PEM) that signs access tokens
    <data_dir>/admin.token        the operator's token, for the command line on this machine

Both are 0600. A file comes into being complete or not at all, so a crash or a second process cannot leave half a key.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

ACCESS_KEY_FILE = "access-token.key"
ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 a file's name
ADMIN_TOKEN_PREFIX = "ph_admin_"  # noqa: S105 lets secret scanners find a leaked one
_FILE_BYTES_MAX = 4096

T = TypeVar("T")


class SecretsUnusable(Exception):
    """A file of secrets is damaged, open to others or cannot be read. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What nobody outside may learn; hence no field shows in `repr`."""

    access_key: Ed25519PrivateKey = field(repr=False)
    admin_token: str = field(repr=False)


def load_secrets(data_dir: Path) -> Secrets:
    """Reads the secrets, making those that are missing. The folder must exist. Raises SecretsUnusable."""
    return Secrets(
        _read_or_make(data_dir / ACCESS_KEY_FILE, read_access_key, _new_key),
        _read_or_make(data_dir / ADMIN_TOKEN_FILE, read_admin_token, _new_token),
    )


def read_access_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file. Changes nothing. Raises FileNotFoundError before the first start, and SecretsUnusable."""
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it is locked by a password
        raise SecretsUnusable(f"{path} holds no key. Remove it: a new one ends all log-ins.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SecretsUnusable(f"{path} holds no Ed25519 key. Remove it: a new one ends all log-ins.")
    return key


def read_admin_token(path: Path) -> str:
    """The token in a file. Changes nothing. Raises FileNotFoundError before the first start, and SecretsUnusable."""
    token = _read(path).decode("ascii", errors="replace").strip()
    if not token.startswith(ADMIN_TOKEN_PREFIX) or len(token) < len(ADMIN_TOKEN_PREFIX) + 32:
        raise SecretsUnusable(f"{path} holds no admin token. Remove it: a new one is made at the next start.")
    return token


def _new_key() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_token() -> bytes:
    return f"{ADMIN_TOKEN_PREFIX}{secrets.token_urlsafe(32)}\n".encode()


def _read_or_make(path: Path, read: Callable[[Path], T], make: Callable[[], bytes]) -> T:
    try:
        return read(path)
    except FileNotFoundError:
        pass
    try:
        _make(path, make())
        return read(path)
    except OSError as error:
        raise SecretsUnusable(f"{path} cannot be made: {error.strerror}.") from error


def _read(path: Path) -> bytes:
    """Raises FileNotFoundError and SecretsUnusable."""
    try:
        # A pipe in the file's place says at once that it has nothing.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
                raise SecretsUnusable(f"{path} is open to other users of this machine. Close it: chmod 600 {path}")
            return file.read(_FILE_BYTES_MAX)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SecretsUnusable(
            f"{path} cannot be read: {error.strerror}. It has to be a file of the user that starts the server."
        ) from error


def _make(path: Path, content: bytes) -> None:
    """Complete under another name first, then linked: whoever is second keeps the first one's file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another start was faster: its secret counts
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
