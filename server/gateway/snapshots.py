"""Snapshots on their way to joiners: encoded in slices, once per point in a stream however many want it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import orjson

from actors.ports import Clock
from actors.runtime.replay import Slices
from protocol.cursors import Cursor
from protocol.wire import SNAPSHOT
from server.gateway.frames import raw_event_frame
from server.gateway.limits import GatewayLimits

_SLICE_S = 0.005


class SnapshotFrames:
    """Frames of whole states, kept while the budget allows."""

    def __init__(self, clock: Clock, limits: GatewayLimits) -> None:
        self._clock = clock
        self._limits = limits
        # (stream, cursor) → frames, least recently used first; their sizes add up to `_bytes`.
        self._kept: OrderedDict[tuple[str, Cursor], list[bytes]] = OrderedDict()
        self._bytes = 0
        # Encodings that are under way.
        self._encoding: dict[tuple[str, Cursor], asyncio.Task[list[bytes]]] = {}

    async def of(self, stream: str, cursor: Cursor, parts: Iterator[dict[str, Any]]) -> list[bytes]:
        """The `snapshot` events of a state, in order."""
        key = (stream, cursor)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        task = self._encoding.get(key)
        if task is None:
            task = asyncio.create_task(self._encode(stream, cursor, parts), name="encode snapshot")
            self._encoding[key] = task
            task.add_done_callback(lambda _: self._encoding.pop(key, None))
        return await asyncio.shield(task)

    async def _encode(self, stream: str, cursor: Cursor, parts: Iterator[dict[str, Any]]) -> list[bytes]:
        slices = Slices(self._clock, _SLICE_S)
        bodies: list[bytes] = []
        for part in parts:
            bodies.extend(split(part, self._limits.snapshot_part_max_bytes))
            await slices.pause_if_due()
        frames = []
        for number, body in enumerate(bodies, 1):
            frames.append(
                raw_event_frame(
                    SNAPSHOT,
                    b'{"stream":"%b","cursor":"%b","part":%d,"parts":%d,"state":%b}'
                    % (stream.encode(), str(cursor).encode(), number, len(bodies), body),
                )
            )
        self._keep((stream, cursor), frames)
        return frames

    def _keep(self, key: tuple[str, Cursor], frames: list[bytes]) -> None:
        for old in [old for old in self._kept if old[0] == key[0]]:
            self._forget(old)  # a newer point of the same stream: nobody will ask for the old one
        self._kept[key] = frames
        self._bytes += sum(map(len, frames))
        while self._bytes > self._limits.snapshots_kept_max_bytes and self._kept:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: tuple[str, Cursor]) -> None:
        self._bytes -= sum(map(len, self._kept.pop(key)))


def split(part: dict[str, Any], bytes_max: int) -> Iterator[bytes]:
    """A part as JSON of bounded size: collections are halved until they fit; one record is never cut."""
    body = orjson.dumps(part)
    longest = max(part, key=lambda name: len(part[name]) if isinstance(part[name], list) else 0, default=None)
    if len(body) <= bytes_max or longest is None or not isinstance(part[longest], list) or len(part[longest]) < 2:
        yield body
        return
    half = len(part[longest]) // 2
    yield from split({**part, longest: part[longest][:half]}, bytes_max)
    yield from split({longest: part[longest][half:]}, bytes_max)
