"""Snapshots on their way to clients: encoded in slices, once per point in a stream however many want it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from actors.ports import Clock
from actors.runtime.replay import Slices
from protocol.cursors import Cursor
from protocol.event import Principal
from server.gateway.limits import GatewayLimits
from server.gateway.loads import EncodedState, Loads, NoRoom
from server.gateway.parsers import Parser

_SLICE_S = 0.005

Point: TypeAlias = tuple[str, str, Cursor]
"""Parser, stream, and where in it."""


class HeldState:
    """The frames of a state for one client. It counts as on its way until it is released."""

    __slots__ = ("_release", "frames", "size_bytes")

    def __init__(self, state: EncodedState, release: Callable[[], None]) -> None:
        self.frames = state.frames
        self.size_bytes = state.size_bytes
        self._release: Callable[[], None] | None = release

    def begin_with(self, frame: bytes) -> None:
        """Something that only this client gets, before the state."""
        self.frames = [frame, *self.frames]

    def release(self) -> None:
        """It was sent, or never will be; a second time does nothing."""
        release, self._release = self._release, None
        self.frames = []  # whoever still knows it must not keep the bytes
        if release is not None:
            release()


class SnapshotFrames:
    """Frames of whole states. They are kept for the next who want them while the budget for that allows; what is on
    its way to somebody has a budget of its own (`server.gateway.loads`)."""

    def __init__(self, clock: Clock, limits: GatewayLimits) -> None:
        self._clock = clock
        self._limits = limits
        # Kept states, least recently used first; their sizes add up to `_kept_bytes`.
        self._kept: OrderedDict[Point, EncodedState] = OrderedDict()
        self._kept_bytes = 0
        # States that are on their way to somebody, those that are being encoded among them.
        self._on_way: dict[Point, EncodedState] = {}
        self._loads = Loads(limits)

    @property
    def on_way_bytes(self) -> int:
        """Bytes of the states that are on their way."""
        return self._loads.bytes

    def kept_bytes(self, parser: Parser, stream: str) -> int | None:
        """How large the newest kept state of a stream is; None when none is."""
        of_stream = (parser.name, stream)
        return next((state.size_bytes for point, state in self._kept.items() if point[:2] == of_stream), None)

    async def hold(
        self, parser: Parser, stream: str, cursor: Cursor, parts: Iterator[dict[str, Any]], principal: Principal
    ) -> HeldState:
        """The `snapshot` events of a state, in order; to be released by the caller. Raises NoRoom."""
        key, user = (parser.name, stream, cursor), principal.counts_for
        state = self._at(key)
        self._loads.add(state, user)
        try:
            refusal = self._loads.refusal(state, user)
            if not state.is_whole and refusal is None:
                if state.encoding is None:
                    work = self._encode(key, state, parser, parts)
                    state.encoding = asyncio.create_task(work, name="encode snapshot")
                await asyncio.shield(state.encoding)
                refusal = state.refusals.get(user) or self._loads.refusal(state, user)
            if refusal is not None:
                raise NoRoom(refusal)
        except BaseException:
            self._let_go(key, state, user)
            raise
        return HeldState(state, lambda: self._let_go(key, state, user))

    def _at(self, key: Point) -> EncodedState:
        if key in self._kept:
            self._kept.move_to_end(key)
        state = self._on_way.get(key) or self._kept.get(key) or EncodedState()
        self._on_way[key] = state
        return state

    def _let_go(self, key: Point, state: EncodedState, user: str | None) -> None:
        self._loads.remove(state, user)
        self._forget_unheld(key, state)

    def _forget_unheld(self, key: Point, state: EncodedState) -> None:
        if not state.holders and state.encoding is None and self._on_way.get(key) is state:
            del self._on_way[key]

    async def _encode(self, key: Point, state: EncodedState, parser: Parser, parts: Iterator[dict[str, Any]]) -> None:
        """Stops as soon as it has no room, or nobody wants it any more: then it is not whole, and nobody gets it."""
        try:
            if await self._encode_parts(state, parser, parts):
                self._put_into_frames(key, state, parser)
                state.is_whole = True
                self._keep(key, state)
        finally:
            state.encoding = None
            if not state.is_whole:
                self._loads.give_up(state)
                del self._on_way[key]
            self._forget_unheld(key, state)

    async def _encode_parts(self, state: EncodedState, parser: Parser, parts: Iterator[dict[str, Any]]) -> bool:
        slices = Slices(self._clock, _SLICE_S)
        for part in parts:
            for body in split(part, parser.dumps, self._limits.snapshot_part_max_bytes):
                state.frames.append(body)
                self._loads.grow(state, len(body))
                if self._loads.is_for_nobody(state):
                    return False
            await slices.pause_if_due()
            if self._loads.is_for_nobody(state):
                return False
        return True

    def _put_into_frames(self, key: Point, state: EncodedState, parser: Parser) -> None:
        """One after the other, so that the state is never there twice."""
        _, stream, cursor = key
        bodies, of = state.frames, len(state.frames)
        for at, body in enumerate(bodies):
            bodies[at] = parser.snapshot(stream, str(cursor), (at + 1, of), body)
        self._loads.grow(state, sum(map(len, bodies)) - state.size_bytes)  # once: it may be on its way to thousands

    def _keep(self, key: Point, state: EncodedState) -> None:
        for old in [old for old in self._kept if old[:2] == key[:2]]:
            self._forget(old)  # a newer point of the same stream: nobody will ask for the old one
        self._kept[key] = state
        self._kept_bytes += state.size_bytes
        while self._kept_bytes > self._limits.snapshots_kept_max_bytes and self._kept:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Point) -> None:
        self._kept_bytes -= self._kept.pop(key).size_bytes


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
