"""Who follows a stream on this node. A follower is a cursor into the shared ring and a wake-up, never a queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, Protocol

from actors.runtime.actor import may_follow
from actors.runtime.awareness import Awareness, AwarenessBoard
from actors.runtime.publication import Publication
from actors.runtime.ring import Ring
from protocol.cursors import Cursor
from protocol.event import Principal
from protocol.wire import PresentUser

CloseReason = Literal["removed", "expired", "ended", "shutdown"]


class Crowd(Protocol):
    """Followers who are told together: once, however many of them follow. Its methods return at once."""

    def published(self, hub: StreamHub) -> None:
        """There is something to pull for those of them who follow."""
        ...

    def presence_changed(self, hub: StreamHub, present: list[PresentUser]) -> None: ...

    def aware(self, hub: StreamHub, changes: Mapping[Following, Awareness]) -> None:
        """States of places have changed."""
        ...


class Follower(Protocol):
    """A connection that follows streams. Its methods return at once.

    One without a crowd is woken for entries, and told nothing of the others.
    """

    @property
    def principal(self) -> Principal: ...

    @property
    def crowd(self) -> Crowd | None: ...

    def wake(self, following: Following) -> None:
        """There is something to pull. Not called where there is a crowd."""
        ...

    def following_closed(self, stream: str, reason: CloseReason) -> None:
        """The follower may not follow the stream any more; nothing can be pulled."""
        ...

    def following_replaced(self, stream: str) -> None:
        """The follower joins the stream anew and has another place from now on, or will soon have none."""
        ...


class Following:
    """A follower's place in one stream. `seq` is the newest entry that it has been given."""

    __slots__ = ("closed", "follower", "hub", "permitted_at", "seq")

    def __init__(self, follower: Follower, hub: StreamHub, seq: int, permitted_at: int) -> None:
        self.follower = follower
        self.hub = hub
        self.seq = seq
        # The seq of the state in which the permission was checked; older changes of the audience say nothing here.
        self.permitted_at = permitted_at
        self.closed = False

    def pull(self, limit: int) -> list[Publication] | None:
        """The next entries from the ring, which count as given; None when they are older than the ring."""
        if self.closed:
            return []
        publications = self.hub.ring.after(self.seq, limit)
        if publications:
            self.seq = publications[-1].entry.seq
        return publications

    def given(self, publications: list[Publication]) -> list[Publication]:
        """Entries that were read from the log for this place: those that come next count as given."""
        following = [publication for publication in publications if publication.entry.seq > self.seq]
        if self.closed or not following:
            return []
        self.seq = following[-1].entry.seq
        return following

    @property
    def missed_bytes(self) -> int:
        """About how many bytes the entries take that it has not been given yet."""
        return self.hub.ring.payload_bytes_after(self.seq)

    def pass_over(self, cursor: Cursor) -> bool:
        """Counts a state as given instead of the entries up to its cursor; False, and nothing, when it has them.

        Permission was judged in that same state, and whoever lost it since is closed.
        """
        if self.closed or cursor.seq <= self.seq:
            return False
        self.seq = self.permitted_at = cursor.seq
        return True

    def leave(self) -> None:
        self.hub.detach(self)


class StreamHub:
    """The ring of one stream and its followers."""

    def __init__(self, stream: str, ring: Ring, aware_states_max: int = 256) -> None:
        self.stream = stream
        self.ring = ring
        self.awareness = AwarenessBoard(aware_states_max)
        # One place per follower.
        self._followings: dict[Follower, Following] = {}
        # How many of them each crowd has, and those who have none.
        self._crowds: Counter[Crowd] = Counter()
        self._alone: dict[Following, None] = {}
        # Connections per user, for presence.
        self._present: Counter[str] = Counter()
        # Whether presence changed since it was last told.
        self.presence_changed = False
        # Whether everybody may follow: then nobody is told who else does.
        self.open_to_all = False
        # The newest entry that `take_fresh` has seen.
        self._taken_seq = ring.head.seq
        # Since when nobody follows; None while somebody does.
        self.empty_since_s: float | None = None

    def __len__(self) -> int:
        return len(self._followings)

    def attach(self, follower: Follower, seq: int, permitted_at: int) -> Following:
        """Follows from `seq` on. A follower that joins again gives up its old place."""
        if (old := self._followings.get(follower)) is not None:
            self.detach(old)
            follower.following_replaced(self.stream)
        following = Following(follower, self, seq, permitted_at)
        self._followings[follower] = following
        if follower.crowd is None:
            self._alone[following] = None
        else:
            self._crowds[follower.crowd] += 1
        self.empty_since_s = None
        if not follower.principal.is_operator:
            self._present[follower.principal.id] += 1
            self.presence_changed = self.presence_changed or not self.open_to_all
        return following

    def detach(self, following: Following) -> None:
        """Ends a place; a second time does nothing."""
        if following.closed:
            return
        following.closed = True
        del self._followings[following.follower]
        self.awareness.remove(following)
        self._forget_crowd(following)
        principal = following.follower.principal
        if not principal.is_operator:
            self._present[principal.id] -= 1
            if not self._present[principal.id]:
                del self._present[principal.id]
            self.presence_changed = self.presence_changed or not self.open_to_all

    def _forget_crowd(self, following: Following) -> None:
        crowd = following.follower.crowd
        if crowd is None:
            del self._alone[following]
            return
        self._crowds[crowd] -= 1
        if not self._crowds[crowd]:
            del self._crowds[crowd]

    def publish(self, publications: list[Publication]) -> None:
        """Takes new entries in, closes whom they shut out, and wakes the others."""
        fresh = [publication for publication in publications if self.ring.append(publication)]
        for publication in fresh:
            if publication.changes_audience:
                self.open_to(publication.audience is None)
                self._narrow(publication.audience, publication.entry.seq)
        if fresh:
            for crowd in list(self._crowds):
                crowd.published(self)
            for following in list(self._alone):
                following.follower.wake(following)

    def take_fresh(self, limit: int) -> tuple[int, list[Publication]]:
        """(seq, entries after it) that came since the last call; at most `limit`, none where the ring has not all."""
        after_seq, self._taken_seq = self._taken_seq, self.ring.head.seq
        return after_seq, self.ring.after(after_seq, limit) or []

    def open_to(self, everybody: bool) -> None:
        """Says whether everybody may follow now."""
        if self.open_to_all != everybody:
            self.open_to_all = everybody
            self.presence_changed = bool(self._followings)
            if everybody:
                self.awareness.clear()

    def _narrow(self, audience: frozenset[str] | None, seq: int) -> None:
        for following in list(self._followings.values()):
            if following.permitted_at < seq and not may_follow(audience, following.follower.principal):
                self.detach(following)
                following.follower.following_closed(self.stream, "removed")

    def present(self, limit: int) -> list[PresentUser]:
        """The users who follow now, those with most connections first; nobody where strangers may be among them."""
        if self.open_to_all:
            return []
        return [{"userId": user, "connections": count} for user, count in self._present.most_common(limit)]

    @property
    def has_news(self) -> bool:
        """Whether the next beat has something to tell."""
        return self.presence_changed or self.awareness.has_changed

    def tell_presence(self, limit: int) -> None:
        """Tells the crowds who is here, if that changed since the last time."""
        if not self.presence_changed:
            return
        self.presence_changed = False
        present = self.present(limit)
        for crowd in list(self._crowds):
            crowd.presence_changed(self, present)

    def tell_awareness(self) -> None:
        """Tells the crowds which states changed since the last time, at most as many as fit into a turn of the loop."""
        if not self.awareness.has_changed:
            return
        changes = self.awareness.take_changes()
        for crowd in list(self._crowds):
            crowd.aware(self, changes)

    @property
    def head(self) -> Cursor:
        return self.ring.head
