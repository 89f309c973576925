"""The contract of `storage.ports.ErasableLog`."""

from protocol.log import Snapshot
from protocol.messages import ERASED_PAYLOAD
from tests.contracts.entries import batch, entry, fence, op, stream_on
from tests.contracts.storages import SESSION, Storage

A, B = stream_on(3), stream_on(3, 1)


async def write(storage: Storage) -> None:
    """Four entries of A, and one of B between them, in shard 3."""
    [three] = await storage.own(3)
    lane = await storage.journal.open_lane()
    entries = [entry(A, 1), entry(A, 2), entry(B, 1), entry(A, 3), entry(A, 4)]
    await lane.append(batch(SESSION, [fence(three)], *entries))
    await lane.close()


def snapshot(stream: str, seq: int) -> Snapshot:
    return Snapshot(stream, seq, epoch=7, at="", schema_version=2, state=b"state")


async def test_erased_entries_keep_their_place_and_nothing_else(storage: Storage) -> None:
    await write(storage)
    before = await storage.journal.read(A, 0, 10)
    for _ in range(2):
        await storage.erasable.erase(A, 2, 3)
    after = await storage.journal.read(A, 0, 10)
    assert [e.payload for e in after] == [b"payload 1", ERASED_PAYLOAD, ERASED_PAYLOAD, b"payload 4"]
    assert [e.digest for e in after] == [b"digest", b"", b"", b"digest"]
    for was, now in zip(before, after, strict=True):
        assert (was.pos, was.seq, was.op_id, was.epoch, was.at) == (now.pos, now.seq, now.op_id, now.epoch, now.at)
    assert [e.payload for e in await storage.journal.read(B, 0, 10)] == [b"payload 1"]
    assert [e.payload for e in await storage.journal.read_shard(3, 1, 1)] == [ERASED_PAYLOAD]
    known = (A, op(f"{A} 2"))
    assert (await storage.journal.find_ops([known]))[known].payload == ERASED_PAYLOAD


async def test_snapshots_of_earlier_entries_go_and_none_of_an_erased_entry_comes(storage: Storage) -> None:
    await write(storage)
    for seq in (1, 3, 4):
        await storage.journal.save_snapshot(snapshot(A, seq))
    await storage.journal.save_snapshot(snapshot(B, 1))
    await storage.erasable.erase(A, 2, 3)
    await storage.erasable.drop_snapshots(A, 4)
    await storage.journal.save_snapshot(snapshot(A, 3))
    assert (await storage.journal.load_at(A, 3, None, 10)).snapshot is None
    loaded = await storage.journal.load([A, B], 10)
    assert (loaded[A].snapshot, loaded[B].snapshot) == (snapshot(A, 4), snapshot(B, 1))
