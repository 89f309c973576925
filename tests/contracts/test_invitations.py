"""Addresses and tokens of invitations, in memory and in Postgres."""

from __future__ import annotations

from dataclasses import replace

from storage.invitation_ports import InvitationSecret
from tests.actors.given import uuid
from tests.contracts.storages import Storage

OLD, NOW = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"
SECRET = InvitationSecret(uuid(1), uuid(2), "eve@example.org", b"h" * 32, NOW)


async def test_a_secret_is_kept_once_and_found_under_both_ids(storage: Storage) -> None:
    secrets = storage.invitation_secrets
    assert await secrets.keep(SECRET, OLD)
    assert await secrets.keep(replace(SECRET, kept_at="2026-02-02T00:00:00.000Z"), OLD)
    assert not await secrets.keep(replace(SECRET, token_hash=b"o" * 32), OLD)
    assert not await secrets.keep(replace(SECRET, address="mallory@example.org"), OLD)
    assert await secrets.token_hash(uuid(1), uuid(2)) == b"h" * 32
    assert await secrets.token_hash(uuid(2), uuid(1)) is None


async def test_what_is_old_is_forgotten(storage: Storage) -> None:
    secrets = storage.invitation_secrets
    assert await secrets.keep(replace(SECRET, kept_at=OLD), OLD)
    assert await secrets.keep(replace(SECRET, invitation_id=uuid(3)), NOW)
    assert await secrets.token_hash(uuid(1), uuid(2)) is None
    assert await secrets.token_hash(uuid(1), uuid(3)) == b"h" * 32


def test_a_secret_does_not_show_itself() -> None:
    assert "eve" not in repr(SECRET)
    assert "hhh" not in repr(SECRET)
