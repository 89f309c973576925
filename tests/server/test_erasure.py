"""The eraser: everything of a purged project goes, again after a crash, and nothing else does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from protocol.faults import NotApplied
from protocol.log import Snapshot
from protocol.messages import ERASED_PAYLOAD
from server import erasure
from server.erasure import Eraser
from storage.invitation_ports import InvitationSecret
from storage.projections.purges import Purge
from tests.contracts.entries import AT, batch, entry, fence, stream_on
from tests.contracts.storages import SESSION, Storage, memory_storage

PURGED, OTHER = stream_on(3), stream_on(3, 1)
PROJECT, OTHER_PROJECT = PURGED.partition("/")[2], OTHER.partition("/")[2]
LAST = 7


async def a_storage() -> Storage:
    """Seven entries of the purged project, the last of which says so, and two of another."""
    storage = memory_storage()
    [three] = await storage.own(3)
    lane = await storage.journal.open_lane()
    entries = [entry(PURGED, seq) for seq in range(1, LAST + 1)] + [entry(OTHER, 1), entry(OTHER, 2)]
    await lane.append(batch(SESSION, [fence(three)], *entries))
    for stream in (PURGED, OTHER):
        await storage.journal.save_snapshot(Snapshot(stream, 2, 1, "", 1, b"state"))
    for project in (PROJECT, OTHER_PROJECT):
        await storage.invitation_secrets.keep(InvitationSecret(project, project, "eve@example.org", b"hash", AT), AT)
    return storage


def an_eraser(storage: Storage, forgotten: list[str]) -> Eraser:
    async def unerased(limit: int) -> Sequence[Purge]:
        [first] = await storage.journal.read(PURGED, 0, 1)
        return [Purge(PROJECT, LAST)] if first.digest else []

    return Eraser(unerased, storage.erasable, storage.invitation_secrets, forgotten.append)


async def payloads(storage: Storage, stream: str) -> list[bytes]:
    return [each.payload for each in await storage.journal.read(stream, 0, 100)]


async def test_everything_goes_but_the_entry_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "ENTRIES_PER_STATEMENT", 2)
    storage, forgotten = await a_storage(), list[str]()
    eraser = an_eraser(storage, forgotten)
    assert [await eraser.erase_some(), await eraser.erase_some()] == [1, 0]
    assert await payloads(storage, PURGED) == [ERASED_PAYLOAD] * 6 + [b"payload 7"]
    assert await payloads(storage, OTHER) == [b"payload 1", b"payload 2"]
    assert forgotten == [PURGED]
    loaded = await storage.journal.load([PURGED, OTHER], 10)
    assert (loaded[PURGED].snapshot, loaded[OTHER].snapshot is not None) == (None, True)
    assert await storage.invitation_secrets.token_hash(PROJECT, PROJECT) is None
    assert await storage.invitation_secrets.token_hash(OTHER_PROJECT, OTHER_PROJECT) == b"hash"


async def test_what_was_cut_off_is_begun_again_and_is_a_beginning_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "ENTRIES_PER_STATEMENT", 2)
    storage = await a_storage()
    erase = storage.erasable.erase
    left = [2]

    async def fails_later(stream: str, first_seq: int, last_seq: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise NotApplied("the database is away")
        await erase(stream, first_seq, last_seq)

    monkeypatch.setattr(storage.erasable, "erase", fails_later)
    with pytest.raises(NotApplied):
        await an_eraser(storage, []).erase_some()
    begun = [b"payload 1", b"payload 2"]
    assert await payloads(storage, PURGED) == [*begun, *[ERASED_PAYLOAD] * 4, b"payload 7"]
    monkeypatch.setattr(storage.erasable, "erase", erase)
    assert await an_eraser(storage, []).erase_some() == 1
    assert await payloads(storage, PURGED) == [ERASED_PAYLOAD] * 6 + [b"payload 7"]
