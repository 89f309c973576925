"""Joining a stream and following it: resume from a cursor, or the whole state, then the live tail without a gap.

Attaching to the live tail happens in the very turn in which the reading that it starts from becomes durable, so nothing
can slip in between (P4), and permission is judged in that same state (P7).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from actors.ports import Clock, Journal
from actors.runtime.actor import AnyActor, may_follow, shown
from actors.runtime.hub import Follower, Following, StreamHub
from actors.runtime.limits import RuntimeLimits
from actors.runtime.pages import Pages, Reason
from actors.runtime.publication import Publication
from actors.runtime.rejections import STREAM_HALTED
from actors.runtime.request import Reading
from actors.runtime.ring import Ring
from actors.runtime.router import Router
from protocol.cursors import START, Cursor
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.messages import UnreadableEvent

log = logging.getLogger("pantherahive.feeds")

TOLD_IN_A_TURN: Final = 200
"""Followers whom a beat tells something before everybody else gets a turn: one to three milliseconds."""

NO_SUCH_STREAM = Rejection(ErrorCode.NOT_FOUND, "there is no such stream")


@dataclass(slots=True)
class Joined:
    """`parts` is the state as of `cursor`, None when the client's own cursor still serves.

    `halted`: the stream stands at its last good entry; what the log has beyond it comes when it was repaired.
    """

    mode: Literal["resume", "snapshot", "reset"]
    cursor: Cursor
    following: Following
    parts: Iterator[dict[str, Any]] | None = None
    reason: Reason | None = None
    halted: bool = False


@dataclass(slots=True)
class State:
    """What a place that has missed much may get instead of the entries up to `cursor`."""

    cursor: Cursor
    parts: Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a joiner sees of a state: whether it is everybody's, and its parts where they were asked for."""

    open_to_all: bool
    parts: Iterator[dict[str, Any]] | None = None


def look_at_audience(state: Any, actor: AnyActor, principal: Principal) -> Seen | Rejection:
    """Whether the principal may follow; what one may not see does not exist."""
    audience = actor.audience(state)
    return Seen(audience is None) if may_follow(audience, principal) else NO_SUCH_STREAM


def look_at_parts(state: Any, actor: AnyActor, principal: Principal) -> Seen | Rejection:
    """The state as followers see it, for those who may follow."""
    seen = look_at_audience(state, actor, principal)
    return seen if isinstance(seen, Rejection) else Seen(seen.open_to_all, shown(actor.parts(state)))


class Feeds:
    """All hubs of this node."""

    def __init__(
        self,
        actors: Sequence[AnyActor],
        router: Router,
        journal: Journal,
        clock: Clock,
        limits: RuntimeLimits,
    ) -> None:
        self._actors: Mapping[str, AnyActor] = {actor.kind: actor for actor in actors}
        self._router = router
        self._clock = clock
        self._limits = limits
        self.pages = Pages(journal, limits.ring_bytes_max * 4)
        # Streams that somebody follows, or did a moment ago.
        self._hubs: dict[str, StreamHub] = {}
        # Streams that were found halted at a join, until something is published: then they are repaired.
        self._found_halted: set[str] = set()

    def publish(self, stream: str, publications: list[Publication]) -> None:
        """Entries that are committed, in order of seq."""
        if stream in self._found_halted:
            self._found_halted.discard(stream)
            self.pages.forget(stream)
        hub = self._hubs.get(stream)
        if hub is not None:
            hub.publish(publications)

    def forget(self, stream: str) -> None:
        """Drops what is kept of a stream whose entries were erased; who follows it goes on from the log."""
        self.pages.forget(stream)
        hub = self._hubs.get(stream)
        if hub is not None:
            hub.ring.forget()

    async def join(
        self, follower: Follower, stream: str, cursor: Cursor | None, deadline_s: float
    ) -> Joined | Rejection:
        """Raises StorageFault while the log cannot be read.

        A halted stream can be joined as of its last good entry; a cursor beyond that, or one in a part of the log
        that cannot be read, is answered with STREAM_HALTED. So is a stream without any good entry, for those who
        might follow an empty one: nobody knows whose it is, so it does not exist for the people of a private one.
        """
        reason: Reason | None = None
        if cursor is not None:
            try:
                reason = await self.pages.distrust(stream, cursor)
            except UnreadableEvent:
                log.exception("a cursor into an unreadable part of %s", stream)
                return await self._halted(follower, stream, deadline_s)
            if reason is None:
                joined = await self._resume(follower, stream, cursor, deadline_s)
                if joined is not None:
                    return joined
                reason = "behind"
        return await self._from_state(follower, stream, cursor, reason, deadline_s)

    async def cursor_at(self, stream: str, seq: int) -> Cursor:
        """The cursor of a seq; one that is none of the stream's, when it has no such entry. Raises StorageFault."""
        try:
            return START if seq == 0 else await self.pages.cursor_at(stream, seq)
        except UnreadableEvent:
            log.exception("a place in an unreadable part of %s", stream)
            return Cursor(seq, 0)

    async def trail(self, follower: Follower, stream: str, cursor: Cursor, deadline_s: float) -> Joined | Rejection:
        """As `join`, for those who want entries alone, however many there are: a state is never given.

        A cursor that does not belong to the stream's history gives mode `reset`, with the reason and the whole log
        from its beginning. `following.seq` is where the entries begin. Raises StorageFault.
        """
        try:
            reason = await self.pages.distrust(stream, cursor)
        except UnreadableEvent:
            log.exception("a cursor into an unreadable part of %s", stream)
            return await self._halted(follower, stream, deadline_s)
        begin = cursor if reason is None else START
        reading = await self._read(follower, stream, look_at_audience, begin.seq, deadline_s)
        if isinstance(reading, Rejection):
            return reading
        mode: Literal["resume", "reset"] = "resume" if reason is None else "reset"
        return Joined(mode, reading.cursor, reading.value, reason=reason, halted=reading.halted)

    async def _resume(
        self, follower: Follower, stream: str, cursor: Cursor, deadline_s: float
    ) -> Joined | Rejection | None:
        """None when the state is the shorter way, or the only one: the client is far behind or before a damage."""
        reading = await self._read(follower, stream, look_at_audience, cursor.seq, deadline_s)
        if isinstance(reading, Rejection):
            return reading
        readable_to = self.pages.readable_to(stream, cursor.seq)
        is_cut_off = readable_to is not None and reading.cursor.seq > readable_to
        if is_cut_off or reading.cursor.seq - cursor.seq > self._limits.resume_entries_max:
            reading.value.leave()
            return None
        return Joined("resume", cursor, reading.value, halted=reading.halted)

    async def _halted(self, follower: Follower, stream: str, deadline_s: float) -> Rejection:
        """That the stream is halted, for those who may know of it."""
        answer = await self.permitted(follower.principal, stream, deadline_s)
        return answer if isinstance(answer, Rejection) else STREAM_HALTED

    async def permitted(self, principal: Principal, stream: str, deadline_s: float) -> Cursor | Rejection:
        """Where the stream stands, for those who may follow it now. What one may not see does not exist."""
        actor = self._actors.get(stream.partition("/")[0])
        if actor is None:
            return NO_SUCH_STREAM
        answer = await self._router.read(stream, look_at_audience, actor, principal, deadline_s=deadline_s)
        if isinstance(answer, Rejection):
            return answer
        return answer.cursor if answer.cursor.seq or answer.halted or actor.exists_empty else NO_SUCH_STREAM

    async def _from_state(
        self, follower: Follower, stream: str, known: Cursor | None, reason: Reason | None, deadline_s: float
    ) -> Joined | Rejection:
        # Of another epoch, yet there is an entry at its seq: the state has to come that far.
        reached = known.seq if known is not None and reason == "epoch" else 0
        reading = await self._read(follower, stream, look_at_parts, None, deadline_s, reached)
        if isinstance(reading, Rejection):
            return reading
        following, parts = reading.value
        mode: Literal["snapshot", "reset"] = "snapshot" if reason in (None, "behind") else "reset"
        return Joined(mode, reading.cursor, following, parts, reason, reading.halted)

    async def _read(
        self, follower: Follower, stream: str, look: Any, seq: int | None, deadline_s: float, reached: int = 0
    ) -> Reading[Any] | Rejection:
        actor = self._actors.get(stream.partition("/")[0])
        if actor is None:
            return NO_SUCH_STREAM
        reply = self._router.read(
            stream,
            look,
            actor,
            follower.principal,
            deadline_s=deadline_s,
            opened=partial(self._attach, follower, stream, seq, max(reached, seq or 0)),
        )
        try:
            answer = await reply
        except asyncio.CancelledError:
            _give_up(reply)
            raise
        if isinstance(answer, Reading) and answer.halted:
            self._found_halted.add(stream)
        if isinstance(answer, Reading) and answer.value is None:
            return STREAM_HALTED if answer.halted else NO_SUCH_STREAM
        if isinstance(answer, Reading) and isinstance(answer.value, Rejection):
            return answer.value
        return answer  # type: ignore[no-any-return]

    def _attach(
        self, follower: Follower, stream: str, seq: int | None, reached: int, seen: Seen, cursor: Cursor
    ) -> Any:
        """Runs in the turn in which the reading is durable. An empty stream is none, where its kind has to be created.

        Only the state of a halted stream can be older than a cursor (`reached`) or a ring: nobody can say who may see
        what lies between.
        """
        if cursor.seq == 0 and not self._actors[stream.partition("/")[0]].exists_empty:
            return None
        hub = self._hubs.get(stream)
        if hub is not None and hub.ring.head.seq > cursor.seq and not len(hub):
            hub = None
        if reached > cursor.seq or (hub is not None and hub.ring.head.seq > cursor.seq):
            return STREAM_HALTED
        if hub is None:
            ring = Ring(cursor, self._limits.ring_entries_max, self._limits.ring_bytes_max)
            hub = self._hubs[stream] = StreamHub(stream, ring, self._limits.aware_states_max)
        hub.open_to(seen.open_to_all)
        if seq is not None:
            return hub.attach(follower, seq, cursor.seq)
        return hub.attach(follower, cursor.seq, cursor.seq), seen.parts

    async def catch_up(self, following: Following) -> list[Publication]:
        """The next entries for a place that is older than its ring. Raises StorageFault, UnreadableEvent.

        The log of a halted stream goes on beyond the state in which the place was permitted.
        """
        publications = await self.pages.after(following.hub.stream, following.seq)
        last_seq = max(following.hub.head.seq, following.permitted_at)
        return following.given([publication for publication in publications if publication.entry.seq <= last_seq])

    async def state_for(self, following: Following, deadline_s: float) -> State | None:
        """The state as of now, for a place that has missed much; None where there is none to be had.

        Permission is judged in that same state. The place stays where it is until it passes over what it missed.
        """
        stream, principal = following.hub.stream, following.follower.principal
        actor = self._actors[stream.partition("/")[0]]
        reading = await self._router.read(stream, look_at_parts, actor, principal, deadline_s=deadline_s)
        if not isinstance(reading, Reading) or not isinstance(reading.value, Seen):
            return None
        return State(reading.cursor, reading.value.parts or iter(()))

    def present(self, stream: str) -> list[Any]:
        """Who follows the stream now; nobody, where followers are strangers to each other."""
        hub = self._hubs.get(stream)
        if hub is None or not self._shows_presence(stream):
            return []
        return list(hub.present(self._limits.present_users_max))

    def _shows_presence(self, stream: str) -> bool:
        return self._actors[stream.partition("/")[0]].shows_presence

    def shows_followers(self, hub: StreamHub) -> bool:
        """Whether those who follow the stream are told of each other now."""
        return self._shows_presence(hub.stream) and not hub.open_to_all

    async def tell_presence(self) -> None:
        """Tells the followers of every stream whose presence changed, and who has gone. Called at a steady beat.

        Streams with many followers have turns of the loop to themselves.
        """
        told = 0
        for stream, hub in list(self._hubs.items()):
            if not hub.has_news or not self._shows_presence(stream):
                continue
            hub.tell_presence(self._limits.present_users_max)
            hub.tell_awareness()
            for _ in range(hub.awareness.turns):
                await asyncio.sleep(0)
                hub.tell_awareness()
            told += len(hub)
            if told >= TOLD_IN_A_TURN:
                await asyncio.sleep(0)
                told = 0

    def sweep(self) -> None:
        """Lets hubs go that nobody has followed for a while."""
        now_s = self._clock.monotonic_s()
        for stream, hub in list(self._hubs.items()):
            if len(hub):
                continue
            if hub.empty_since_s is None:
                hub.empty_since_s = now_s
            elif now_s - hub.empty_since_s >= self._limits.hub_linger_s:
                del self._hubs[stream]

    async def beat(self, interval_s: float) -> None:
        """Presence and sweep, until cancelled."""
        while True:
            await asyncio.sleep(interval_s)
            await self.tell_presence()
            self.sweep()

    @property
    def followers(self) -> int:
        """Places in all streams."""
        return sum(len(hub) for hub in self._hubs.values())


def _give_up(reply: asyncio.Future[Any]) -> None:
    """Leaves the place that was attached in the turn in which its follower stopped waiting: nobody else knows of it."""
    if reply.cancelled() or not reply.done() or reply.exception() is not None:
        return
    answer = reply.result()
    if isinstance(answer, Reading) and answer.value is not None and not isinstance(answer.value, Rejection):
        following = answer.value if isinstance(answer.value, Following) else answer.value[0]
        following.leave()
