"""Snapshots on their way to joiners: encoded in slices, once per point in a stream however many want it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from actors.ports import Clock
from actors.runtime.replay import Slices
from protocol.cursors import Cursor
from server.gateway.limits import GatewayLimits
from server.gateway.parsers import Parser

_SLICE_S = 0.005

Point: TypeAlias = tuple[str, str, Cursor]
"""Parser, stream, and where in it."""


class SnapshotFrames:
    """Frames of whole states, kept while the budget allows."""

    def __init__(self, clock: Clock, limits: GatewayLimits) -> None:
        self._clock = clock
        self._limits = limits
        # Frames, least recently used first; their sizes add up to `_bytes`.
        self._kept: OrderedDict[Point, list[bytes]] = OrderedDict()
        self._bytes = 0
        # Encodings that are under way.
        self._encoding: dict[Point, asyncio.Task[list[bytes]]] = {}

    def kept_bytes(self, parser: Parser, stream: str) -> int | None:
        """How large the newest kept state of a stream is; None when none is."""
        of_stream = (parser.name, stream)
        sizes = (sum(map(len, frames)) for point, frames in self._kept.items() if point[:2] == of_stream)
        return next(sizes, None)

    async def of(self, parser: Parser, stream: str, cursor: Cursor, parts: Iterator[dict[str, Any]]) -> list[bytes]:
        """The `snapshot` events of a state, in order."""
        key = (parser.name, stream, cursor)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        task = self._encoding.get(key)
        if task is None:
            task = asyncio.create_task(self._encode(key, parser, parts), name="encode snapshot")
            self._encoding[key] = task
            task.add_done_callback(partial(self._has_encoded, key))
        return await asyncio.shield(task)

    async def _encode(self, key: Point, parser: Parser, parts: Iterator[dict[str, Any]]) -> list[bytes]:
        slices = Slices(self._clock, _SLICE_S)
        bodies: list[bytes] = []
        for part in parts:
            bodies.extend(split(part, parser.dumps, self._limits.snapshot_part_max_bytes))
            await slices.pause_if_due()
        _, stream, cursor = key
        frames = [
            parser.snapshot(stream, str(cursor), (number, len(bodies)), body) for number, body in enumerate(bodies, 1)
        ]
        self._keep(key, frames)
        return frames

    def _has_encoded(self, key: Point, _: asyncio.Task[list[bytes]]) -> None:
        self._encoding.pop(key, None)

    def _keep(self, key: Point, frames: list[bytes]) -> None:
        for old in [old for old in self._kept if old[:2] == key[:2]]:
            self._forget(old)  # a newer point of the same stream: nobody will ask for the old one
        self._kept[key] = frames
        self._bytes += sum(map(len, frames))
        while self._bytes > self._limits.snapshots_kept_max_bytes and self._kept:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Point) -> None:
        self._bytes -= sum(map(len, self._kept.pop(key)))


def split(part: dict[str, Any], dumps: Callable[[Any], bytes], bytes_max: int) -> Iterator[bytes]:
    """A part, encoded, of bounded size: collections are halved until they fit; one record is never cut."""
    body = dumps(part)
    longest = max(part, key=lambda name: len(part[name]) if isinstance(part[name], list) else 0, default=None)
    if len(body) <= bytes_max or longest is None or not isinstance(part[longest], list) or len(part[longest]) < 2:
        yield body
        return
    half = len(part[longest]) // 2
    yield from split({**part, longest: part[longest][:half]}, dumps, bytes_max)
    yield from split({longest: part[longest][half:]}, dumps, bytes_max)
