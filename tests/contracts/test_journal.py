"""The contract of the reading side of `actors.ports.Journal`, and of snapshots."""

from protocol.log import Snapshot
from tests.contracts.entries import batch, entry, fence, op, stream_on
from tests.contracts.storages import SESSION, Storage

A, B, EMPTY = stream_on(3), stream_on(3, 1), stream_on(9)


def snapshot(stream: str, seq: int, at: str = "", state: bytes = b"state") -> Snapshot:
    """A snapshot as of seq."""
    return Snapshot(stream, seq, epoch=7, at=at, schema_version=2, state=state)


def hour(number: int) -> str:
    """An instant."""
    return f"2026-01-31T{number:02}:00:00.000Z"


async def write(storage: Storage, *sizes: tuple[str, int]) -> None:
    """Streams of shard 3 with so many entries, entry `seq` at the hour of its seq."""
    [three] = await storage.own(3)
    lane = await storage.journal.open_lane()
    entries = [entry(stream, seq, at=hour(seq)) for stream, size in sizes for seq in range(1, size + 1)]
    await lane.append(batch(SESSION, [fence(three)], *entries))
    await lane.close()


async def test_loading_gives_the_newest_snapshot_and_the_tail_of_each_stream(storage: Storage) -> None:
    await write(storage, (A, 6), (B, 3))
    await storage.journal.save_snapshot(snapshot(A, 2))
    await storage.journal.save_snapshot(snapshot(A, 4, at=hour(4)))
    loaded = await storage.journal.load([A, B, EMPTY, A], 10)
    assert set(loaded) == {A, B, EMPTY}
    assert loaded[A].snapshot == snapshot(A, 4, at=hour(4))
    assert [e.seq for e in loaded[A].tail] == [5, 6]
    assert (loaded[B].snapshot, [e.seq for e in loaded[B].tail]) == (None, [1, 2, 3])
    assert (loaded[EMPTY].snapshot, list(loaded[EMPTY].tail)) == (None, [])
    assert all(stream.complete for stream in loaded.values())


async def test_loading_is_bounded_per_stream_and_says_so(storage: Storage) -> None:
    await write(storage, (A, 5), (B, 3))
    loaded = await storage.journal.load([A, B], 3)
    assert ([e.seq for e in loaded[A].tail], loaded[A].complete) == ([1, 2, 3], False)
    assert ([e.seq for e in loaded[B].tail], loaded[B].complete) == ([1, 2, 3], True)


async def test_the_tail_of_each_stream_ends_with_the_entry_that_reaches_its_bytes_and_says_so(storage: Storage) -> None:
    await write(storage, (A, 5), (B, 2))  # 9 bytes each
    journal = storage.journal
    for bytes_max, seqs in ((1, [1]), (9, [1]), (19, [1, 2, 3])):
        for loaded in ((await journal.load([A, B], 3, bytes_max))[A], await journal.load_at(A, 4, None, 4, bytes_max)):
            assert ([e.seq for e in loaded.tail], loaded.complete) == (seqs, False)
    both = await journal.load([A, B], 5, 46)
    assert [([e.seq for e in both[s].tail], both[s].complete) for s in (A, B)] == [
        ([1, 2, 3, 4, 5], True),
        ([1, 2], True),
    ]
    assert not (await journal.load([A], 5, 45))[A].complete  # that it was the last entry is not known
    await journal.save_snapshot(snapshot(A, 2))
    behind = (await journal.load([A], 10, 10))[A]
    assert (behind.snapshot, [e.seq for e in behind.tail], behind.complete) == (snapshot(A, 2), [3, 4], False)
    past = await journal.load_at(A, 4, None, 10, 1 << 40)
    assert ([e.seq for e in past.tail], past.complete) == ([3, 4], True)


async def test_loading_nothing_gives_nothing(storage: Storage) -> None:
    assert await storage.journal.load([], 10) == {}


async def test_the_past_is_loaded_from_the_snapshot_before_it(storage: Storage) -> None:
    await write(storage, (A, 9))
    for seq in (2, 4, 6):
        await storage.journal.save_snapshot(snapshot(A, seq, at="" if seq == 2 else hour(seq)))
    journal = storage.journal

    by_seq = await journal.load_at(A, 5, None, 10)
    assert by_seq.snapshot == snapshot(A, 4, at=hour(4))
    assert ([e.seq for e in by_seq.tail], by_seq.complete) == ([5], True)
    exactly = await journal.load_at(A, 4, None, 10)
    assert (exactly.snapshot, list(exactly.tail)) == (snapshot(A, 4, at=hour(4)), [])

    by_time = await journal.load_at(A, None, hour(4), 2)
    assert by_time.snapshot == snapshot(A, 4, at=hour(4))
    assert ([e.seq for e in by_time.tail], by_time.complete) == ([5, 6], False)
    before_content = await journal.load_at(A, None, "2000-01-01T00:00:00.000Z", 10)
    assert before_content.snapshot == snapshot(A, 2)

    first = await journal.load_at(A, 1, None, 10)
    assert (first.snapshot, [e.seq for e in first.tail]) == (None, [1])
    assert [await journal.snapshot_before(A, seq, None) for seq in (1, 2, 5, None)] == [0, 2, 4, 6]
    assert [await journal.snapshot_before(A, 5, at) for at in (hour(3), hour(4), hour(9))] == [2, 4, 4]
    assert await journal.snapshot_before(A, None, hour(5)) == 4
    assert await journal.snapshot_before(EMPTY, None, None) == 0
    newest = await journal.load_at(A, None, None, 10)
    assert (newest.snapshot, [e.seq for e in newest.tail]) == (snapshot(A, 6, at=hour(6)), [7, 8, 9])


async def test_streams_and_shards_are_read_in_pages(storage: Storage) -> None:
    await write(storage, (A, 3), (B, 2))
    journal = storage.journal
    assert [e.seq for e in await journal.read(A, 1, 10)] == [2, 3]
    assert [e.seq for e in await journal.read(A, 0, 2)] == [1, 2]
    assert await journal.read(EMPTY, 0, 10) == []
    assert [e.pos for e in await journal.read_shard(3, 0, 3)] == [1, 2, 3]
    assert [(e.stream, e.seq) for e in await journal.read_shard(3, 3, 10)] == [(B, 1), (B, 2)]
    assert await journal.read_shard(9, 0, 10) == []


async def test_a_read_ends_with_the_entry_that_reaches_its_bytes(storage: Storage) -> None:
    await write(storage, (A, 3), (B, 2))  # 9 bytes each
    journal = storage.journal
    for bytes_max, seqs in ((1, [1]), (9, [1]), (10, [1, 2]), (27, [1, 2, 3]), (1 << 40, [1, 2, 3])):
        assert [e.seq for e in await journal.read(A, 0, 10, bytes_max)] == seqs
    assert [e.seq for e in await journal.read(A, 1, 1, 1 << 40)] == [2]
    assert [e.pos for e in await journal.read_shard(3, 1, 10, 18)] == [2, 3]
    assert [e.pos for e in await journal.read_shard(3, 1, 10, 19)] == [2, 3, 4]
    assert await journal.read_shard(9, 0, 10, 1) == []


async def test_pages_are_the_same_whoever_asks_and_end_by_entries_and_by_bytes(storage: Storage) -> None:
    await write(storage, (A, 9), (B, 3))
    pages = {seq: [e.seq for e in await storage.journal.read_page(A, seq, 6, 20)] for seq in range(11)}
    assert [pages[seq] for seq in (0, 3, 6)] == [[1, 2, 3], [4, 5], [7, 8, 9]]
    assert pages[5] == [6]
    assert all(pages[seq] == pages[seq - 1] for seq in (1, 2, 4, 7, 8))
    assert pages[9] == pages[10] == [7, 8, 9]
    assert await storage.journal.read_page(A, 12, 6, 20) == []
    assert [e.seq for e in await storage.journal.read_page(A, 7, 100, 1)] == [8]
    assert [e.seq for e in await storage.journal.read_page(A, 7, 100, 1 << 40)] == list(range(1, 10))
    assert await storage.journal.read_page(EMPTY, 0, 6, 20) == []


async def test_a_page_grows_and_keeps_where_it_begins(storage: Storage) -> None:
    [three] = await storage.own(3)
    lane = await storage.journal.open_lane()
    for seq in range(1, 7):
        await lane.append(batch(SESSION, [fence(three, seq - 1)], entry(A, seq)))
        newest = [e.seq for e in await storage.journal.read_page(A, seq - 1, 100, 20)]
        assert newest == list(range(1 if seq < 4 else 4 if seq < 6 else 6, seq + 1))
    await lane.close()


async def test_entries_are_found_by_stream_and_op_id(storage: Storage) -> None:
    await write(storage, (A, 3), (B, 2))
    known, elsewhere, unknown = (A, op(f"{A} 2")), (B, op(f"{A} 2")), (A, op("unknown"))
    found = await storage.journal.find_ops([known, elsewhere, unknown, known])
    assert {key: (e.stream, e.seq) for key, e in found.items()} == {known: (A, 2)}
    assert await storage.journal.find_ops([]) == {}


async def test_entries_are_found_by_their_places_in_many_streams(storage: Storage) -> None:
    await write(storage, (A, 5), (B, 2))
    found = await storage.journal.find_entries([(A, 4), (B, 1), (A, 2), (A, 9), (EMPTY, 1), (A, 4), (A, 0)])
    assert {place: (e.stream, e.seq) for place, e in found.items()} == {p: p for p in [(A, 2), (A, 4), (B, 1)]}
    assert await storage.journal.find_entries([]) == {}
    places = [(A, 4), (B, 1), (A, 9), (A, 2), (A, 5)]
    for bytes_max, expected in ((1, 1), (9, 1), (19, 3), (1 << 40, 4)):  # 9 bytes each
        found = await storage.journal.find_entries(places, bytes_max)
        assert list(found) == [(A, 4), (B, 1), (A, 2), (A, 5)][:expected]


async def test_the_first_snapshot_of_a_seq_stays(storage: Storage) -> None:
    await storage.journal.save_snapshot(snapshot(A, 4, state=b"first"))
    await storage.journal.save_snapshot(snapshot(A, 4, state=b"second"))
    loaded = (await storage.journal.load([A], 1))[A]
    assert loaded.snapshot == snapshot(A, 4, state=b"first")


async def test_old_snapshots_are_thinned_and_any_past_seq_stays_near_one(storage: Storage) -> None:
    interval = 500
    for seq in range(interval, 14_001, interval):
        await storage.journal.save_snapshot(snapshot(A, seq))
    await storage.journal.save_snapshot(snapshot(B, 500))
    kept = set()
    for seq in range(0, 14_500, interval):
        found = (await storage.journal.load_at(A, seq, None, 1)).snapshot
        kept.add(found.seq if found else 0)
        bound = interval if seq > 9_000 else 2_000 + interval
        assert seq - (found.seq if found else 0) <= bound
    assert sorted(kept) == [0, 500, 2000, 4000, 6000, 8000, *range(9500, 14_001, interval)]


async def test_two_snapshots_far_apart_both_stay(storage: Storage) -> None:
    for seq in (10_100, 10_200, 90_000):
        await storage.journal.save_snapshot(snapshot(A, seq))
    seqs = [(await storage.journal.load_at(A, seq, None, 1)).snapshot for seq in (10_199, 10_200, 89_999, 90_000)]
    assert [s.seq if s else 0 for s in seqs] == [10_100, 10_200, 10_200, 90_000]
