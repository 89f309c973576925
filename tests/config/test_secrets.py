"""Secrets: made once, for their owner only."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from config.secrets import (
    ACCESS_KEY_FILE,
    ADMIN_TOKEN_FILE,
    SecretsUnusable,
    load_secrets,
    read_access_key,
    read_admin_token,
)


def test_they_are_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    first, second = load_secrets(tmp_path), load_secrets(tmp_path)
    assert first.admin_token == second.admin_token
    assert first.access_key.private_bytes_raw() == second.access_key.private_bytes_raw()


def test_two_installations_share_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert load_secrets(tmp_path / "a").admin_token != load_secrets(tmp_path / "b").admin_token


def test_only_the_owner_may_read_them_and_nothing_else_is_left(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {ACCESS_KEY_FILE, ADMIN_TOKEN_FILE}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())


def test_starts_at_the_same_moment_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: load_secrets(tmp_path), range(16)))
    assert len({secrets.admin_token for secrets in found}) == 1
    assert len({secrets.access_key.private_bytes_raw() for secrets in found}) == 1


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    (tmp_path / ADMIN_TOKEN_FILE).chmod(0o644)
    with pytest.raises(SecretsUnusable, match="chmod 600"):
        load_secrets(tmp_path)


@pytest.mark.parametrize("name", [ACCESS_KEY_FILE, ADMIN_TOKEN_FILE])
@pytest.mark.parametrize("content", ["", "{}"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: str) -> None:
    load_secrets(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(SecretsUnusable, match=name):
        load_secrets(tmp_path)


def test_a_key_that_a_password_locks_is_no_key(tmp_path: Path) -> None:
    locked = load_secrets(tmp_path).access_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    (tmp_path / ACCESS_KEY_FILE).write_bytes(locked)
    with pytest.raises(SecretsUnusable, match="holds no key"):
        load_secrets(tmp_path)


def test_a_folder_or_a_pipe_in_the_place_of_a_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / ADMIN_TOKEN_FILE).mkdir(mode=0o700)
    with pytest.raises(SecretsUnusable, match="cannot be read: Is a directory"):
        read_admin_token(tmp_path / ADMIN_TOKEN_FILE)
    os.mkfifo(tmp_path / ACCESS_KEY_FILE, 0o600)
    with pytest.raises(SecretsUnusable, match="holds no key"):
        read_access_key(tmp_path / ACCESS_KEY_FILE)


def test_reading_a_secret_makes_none(tmp_path: Path) -> None:
    for name, read in ((ACCESS_KEY_FILE, read_access_key), (ADMIN_TOKEN_FILE, read_admin_token)):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("ph_admin_" + "a" * 43)
    (tmp_path / ADMIN_TOKEN_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SecretsUnusable):
        load_secrets(tmp_path)


def test_they_do_not_show(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path)
    assert secrets.admin_token not in repr(secrets)
