"""States are encoded once for all who want them, and no further than there is room for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from protocol.cursors import Cursor
from protocol.event import Principal
from server.gateway.json_parser import JsonParser
from server.gateway.limits import GatewayLimits
from server.gateway.loads import NoRoom
from server.gateway.snapshots import HeldState, SnapshotFrames
from tests.server.clock import ManualClock

ADA, BOB = Principal("ada"), Principal("bob")
PART_BYTES = 10_000
OVERHEAD_BYTES = 200
"""Of a part's frame, at most."""
LIMITS = replace(
    GatewayLimits(),
    snapshots_kept_max_bytes=0,
    snapshots_sending_max_bytes=20 * PART_BYTES,
    snapshots_sending_per_user_max_bytes=10 * PART_BYTES,
)


class Clock(ManualClock):
    """Every slice is over at once, so all have their turn after each part."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def monotonic_s(self) -> float:
        self.looks += 1
        return float(self.looks)


class Parts:
    """A state of so many parts. Knows the most that was on its way when one was asked for."""

    def __init__(self, snapshots: SnapshotFrames, count: int) -> None:
        self.snapshots = snapshots
        self.left = count
        self.most_bytes = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while self.left:
            self.left -= 1
            self.most_bytes = max(self.most_bytes, self.snapshots.on_way_bytes)
            yield {"tasks": [{"description": "x" * PART_BYTES}]}


def held(
    snapshots: SnapshotFrames, seq: int, count: int | Parts, principal: Principal = ADA
) -> asyncio.Task[HeldState]:
    """The state as of a seq."""
    parts = count if isinstance(count, Parts) else Parts(snapshots, count)
    work = snapshots.hold(_PARSER, "project/p", Cursor(seq, 1), iter(parts), principal)
    return asyncio.create_task(work)


_PARSER = JsonParser()


async def test_what_is_sent_to_somebody_is_shared_though_it_is_kept_for_nobody() -> None:
    snapshots = SnapshotFrames(Clock(), LIMITS)
    first = await held(snapshots, 1, 5)
    second = await held(snapshots, 1, 5, BOB)
    assert all(one is other for one, other in zip(first.frames, second.frames, strict=True))
    assert snapshots.on_way_bytes == first.size_bytes == sum(map(len, first.frames))
    for state in (first, first, second):
        assert snapshots.on_way_bytes
        state.release()
        assert not state.frames
    assert not snapshots.on_way_bytes
    assert not snapshots._on_way


async def test_many_at_points_of_their_own_take_no_more_than_the_bounds() -> None:
    """All are encoded at the same time; what has no room is not encoded to its end."""
    snapshots = SnapshotFrames(Clock(), LIMITS)
    parts = [Parts(snapshots, 4) for _ in range(60)]
    users = [Principal(f"user {number % 6}") for number in range(60)]
    tasks = [held(snapshots, seq, *one) for seq, one in enumerate(zip(parts, users, strict=True))]
    done = await asyncio.gather(*tasks, return_exceptions=True)
    states = [state for state in done if isinstance(state, HeldState)]
    assert 0 < len(states) < 6
    assert all(isinstance(refused, NoRoom) for refused in done if refused not in states)
    assert max(one.most_bytes for one in parts) <= 21 * PART_BYTES + 20 * OVERHEAD_BYTES
    assert snapshots.on_way_bytes == sum(state.size_bytes for state in states)
    assert sum(one.left for one in parts) > 100
    for state in states:
        state.release()
    again = await held(snapshots, 99, 4)
    again.release()
    assert not snapshots.on_way_bytes
    assert not snapshots._on_way


async def test_a_user_without_room_is_refused_what_others_get() -> None:
    snapshots = SnapshotFrames(Clock(), LIMITS)
    first = await held(snapshots, 1, 8)
    refused, given = held(snapshots, 2, 8), held(snapshots, 2, 8, BOB)
    with pytest.raises(NoRoom) as none:
        await refused
    assert none.value.rejection.details["limit"] == "snapshots-sending-per-user"
    assert len((await given).frames) == 8
    first.release()
    (await given).release()
    assert not snapshots.on_way_bytes


async def test_what_nobody_wants_any_more_is_not_encoded_to_its_end() -> None:
    snapshots = SnapshotFrames(Clock(), LIMITS)
    parts = Parts(snapshots, 8)
    task = held(snapshots, 1, parts)
    for _ in range(10):
        if parts.left > 6:
            await asyncio.sleep(0)
    assert 0 < parts.left <= 6
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not snapshots.on_way_bytes
    encodings = [task for task in asyncio.all_tasks() if task.get_name() == "encode snapshot"]
    await asyncio.gather(*encodings)
    assert parts.left >= 4
    assert not snapshots._on_way


async def test_what_cannot_be_encoded_leaves_nothing() -> None:
    snapshots = SnapshotFrames(Clock(), LIMITS)
    work = snapshots.hold(_PARSER, "project/p", Cursor(1, 1), iter([{"tasks": [object()]}]), ADA)
    with pytest.raises(TypeError):
        await work
    assert not snapshots.on_way_bytes
    assert not snapshots._on_way
