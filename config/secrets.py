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


class SecretsUnusable(Exception):
    """A file of secrets is damaged, open to others or cannot be read. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What nobody outside may learn; hence no field shows in `repr`."""

    access_key: Ed25519PrivateKey = field(repr=False)
    admin_token: str = field(repr=False)


def load_secrets(data_dir: Path) -> Secrets:
    """Reads the secrets, making those that are missing. The folder must exist. Raises SecretsUnusable."""
    key_path, token_path = data_dir / ACCESS_KEY_FILE, data_dir / ADMIN_TOKEN_FILE
    try:
        key_text = _read_or_make(key_path, _new_key)
        token = _read_or_make(token_path, _new_token).decode("ascii", errors="replace").strip()
    except OSError as error:
        raise SecretsUnusable(f"The secrets in {data_dir} cannot be used: {error.strerror}.") from error
    try:
        key = load_pem_private_key(key_text, password=None)
    except ValueError as error:
        raise SecretsUnusable(f"{key_path} holds no key. Remove it: a new one ends all log-ins.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SecretsUnusable(f"{key_path} holds no Ed25519 key. Remove it: a new one ends all log-ins.")
    if not token.startswith(ADMIN_TOKEN_PREFIX) or len(token) < len(ADMIN_TOKEN_PREFIX) + 32:
        raise SecretsUnusable(f"{token_path} holds no admin token. Remove it: a new one is made at the next start.")
    return Secrets(key, token)


def _new_key() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_token() -> bytes:
    return f"{ADMIN_TOKEN_PREFIX}{secrets.token_urlsafe(32)}\n".encode()


def _read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    try:
        return _read(path)
    except FileNotFoundError:
        _make(path, make())
        return _read(path)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise SecretsUnusable(f"{path} is open to other users of this machine. Close it: chmod 600 {path}")
        return file.read(_FILE_BYTES_MAX)


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
