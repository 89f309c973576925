"""Any state of the past: `asOf` a seq or a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from actors.ports import Clock, Journal
from actors.runtime.actor import AnyActor
from actors.runtime.limits import RuntimeLimits
from actors.runtime.replay import ReplayFailed, Slices, apply_all, begin
from protocol.cursors import Cursor
from protocol.log import Entry, LoadedStream, is_cut
from protocol.messages import EVENTS, UnreadableEvent, unpack_payload

_NOTHING: Final = LoadedStream(None, (), complete=False)
"""Nothing was loaded yet."""


class History:
    """Folds the log up to a point, from the snapshot before it. How many do so at once, its askers see to."""

    def __init__(self, actors: Sequence[AnyActor], journal: Journal, clock: Clock, limits: RuntimeLimits) -> None:
        self._actors: Mapping[str, AnyActor] = {actor.kind: actor for actor in actors}
        self._journal = journal
        self._clock = clock
        self._limits = limits

    async def state_at(
        self, stream: str, *, seq: int | None = None, at: str | None = None
    ) -> tuple[Any, Cursor] | None:
        """The state as of a seq, or as of a time: the last content not after it, and what else had come by then.

        None when the stream did not exist then, or has not come so far. Raises StorageFault, ReplayFailed.
        """
        if (seq is None) == (at is None):
            raise ValueError("either a seq or a time")
        if stream.partition("/")[0] not in self._actors:
            return None
        if at is not None:
            seq = await self._seq_at(stream, at)
        return await self._fold(stream, seq) if seq else None

    async def _fold(self, stream: str, seq: int) -> tuple[Any, Cursor] | None:
        actor = self._actors[stream.partition("/")[0]]

        async def load_before(until: int) -> LoadedStream:
            return await self._journal.load_at(stream, until, None, *self._limits.load_page)

        folded, loaded = await begin(actor, stream, await load_before(seq), load_before, self._limits, self._clock)
        slices = Slices(self._clock, self._limits.loop_slice_s)
        async for page in self._pages(stream, folded.seq, loaded):
            if not await apply_all(actor, folded, page, slices, until=lambda entry: entry.seq > seq):
                break
        return (folded.state, Cursor(folded.seq, folded.epoch)) if folded.seq == seq else None

    async def _pages(self, stream: str, after: int, loaded: LoadedStream) -> AsyncIterator[Sequence[Entry]]:
        """The tail that was loaded, then page by page to the end of the stream."""
        page = loaded.tail
        complete = loaded.complete
        while True:
            if page:
                yield page
                after = page[-1].seq
            if complete:
                return
            page = await self._journal.read(stream, after, *self._limits.load_page)
            complete = not is_cut(page, *self._limits.load_page)

    async def _seq_at(self, stream: str, at: str) -> int | None:
        """Content times never fall, so the first later content ends the search.

        Nothing between a snapshot and that end means that it stands at or before the snapshot: the one before it is
        tried, up to where this one stood.
        """
        actor = self._actors[stream.partition("/")[0]]
        until: int | None = None
        while True:
            after = await self._journal.snapshot_before(stream, None if until is None else until - 1, at)
            found = await self._scan(actor, stream, after, until, at)
            if found is not None or after == 0:
                return found
            until = after

    async def _scan(self, actor: AnyActor, stream: str, after: int, until: int | None, at: str) -> int | None:
        """The last seq (≤ `until`) not after `at`, before any content that is."""
        found: int | None = None
        slices = Slices(self._clock, self._limits.loop_slice_s)
        async for page in self._pages(stream, after, _NOTHING):
            for entry in page:
                if until is not None and entry.seq > until:
                    return found
                if entry.at <= at:
                    found = entry.seq
                elif _is_content(actor, entry):
                    return found
                await slices.pause_if_due()
        return found


def _is_content(actor: AnyActor, entry: Entry) -> bool:
    """Raises ReplayFailed: nobody knows whether the moment that is looked for lies before or after this entry."""
    try:
        kinds = {event["kind"] for event in unpack_payload(entry.payload).events}
    except UnreadableEvent as error:
        raise ReplayFailed(f"{entry.stream}: entry {entry.seq} cannot be read: {error}") from error
    if unknown := kinds - EVENTS.keys():
        raise ReplayFailed(f"{entry.stream}: entry {entry.seq} has events that this build does not know: {unknown}")
    return not kinds.isdisjoint(actor.content_events)
