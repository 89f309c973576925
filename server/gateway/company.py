"""What one client is told of the others who follow its streams, and what it lets them see of itself.

None of it is in the log, and only the newest counts: while a client is behind, or does not read, it is left out, and
told as a whole later.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from actors.runtime.awareness import Awareness
from actors.runtime.hub import Following
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.wire import PRESENCE, AwarenessRequest, PresenceMessage
from server.gateway.awareness import awareness_frame
from server.gateway.delivery import Delivery
from server.gateway.hall import Hall
from server.gateway.talk import Talk

log = logging.getLogger("pantherahive.gateway")

_NOT_FOLLOWED = Rejection(ErrorCode.NOT_FOUND, "this connection does not follow the stream")
_NOT_SHOWN = Rejection(ErrorCode.FORBIDDEN, "the followers of this stream are not told of each other")
_TOO_MANY = Rejection(ErrorCode.OVERLOADED, "too many let others see where they look", {"retryAfterS": 10})


class Company:
    """Presence and awareness of one connection. `deliveries` are those of its places."""

    def __init__(
        self,
        talk: Talk,
        hall: Hall,
        principal: Principal,
        deliveries: Mapping[str, Delivery],
    ) -> None:
        self._talk = talk
        self._hall = hall
        self._principal = principal
        self._deliveries = deliveries
        # How others tell this connection's states from those of the same user's other ones.
        self._connection_id = secrets.token_urlsafe(9)
        # Streams of which something was left out, in the order in which it was.
        self._left_out: dict[str, None] = {}
        # Whether there is a task that waits until the client has read.
        self._waits = False

    # — what it lets others see ——————————————————————————————————————————————————————————————————————

    def show(self, request: AwarenessRequest, ack_id: int | None) -> None:
        """Lets the other followers of a stream see where this one looks, or answers why not."""
        refused = self._show(request)
        self._talk.answer(ack_id, {} if refused is None else refused)

    def _show(self, request: AwarenessRequest) -> Rejection | None:
        hall, delivery = self._hall, self._deliveries.get(request.stream)
        if delivery is None or delivery.following.closed:
            return _NOT_FOLLOWED
        following = delivery.following
        if self._principal.is_operator or not hall.feeds.shows_followers(following.hub):
            return _NOT_SHOWN
        bytes_max = hall.limits.aware_state_bytes_max
        if len(self._talk.socket.parser.dumps(request.state)) > bytes_max:
            return Rejection(ErrorCode.TOO_LARGE, f"a state takes {bytes_max} bytes at most")
        awareness = Awareness(self._connection_id, self._principal.id, request.state)
        if not self._has_room(following) or not following.hub.awareness.put(following, awareness):
            return _TOO_MANY
        hall.crowd.awareness_changed(following.hub)
        return None

    def _has_room(self, following: Following) -> bool:
        if following in following.hub.awareness:
            return True
        shown = sum(other.following in other.following.hub.awareness for other in self._deliveries.values())
        return shown < self._hall.limits.aware_streams_per_socket_max

    # — what it is told of others ————————————————————————————————————————————————————————————————————

    def tell(self, stream: str, *, late: bool, again: bool) -> None:
        """The newest of everything: a place has become live, `again` if it was before.

        Who is there has been said by the answer to the join, unless that was too long ago (`late`).
        """
        delivery = self._deliveries.get(stream)
        if delivery is None or not delivery.is_live:
            return
        socket, following = self._talk.socket, delivery.following
        if socket.is_slow:
            self.leave_out(stream)
            return
        self._left_out.pop(stream, None)
        if late:
            present = PresenceMessage(stream=stream, present=self._hall.feeds.present(stream))
            socket.write(socket.parser.event(PRESENCE, present))
        if again or len(following.hub.awareness):
            others = following.hub.awareness.of_others(following)
            socket.write(awareness_frame(socket.parser, stream, others, complete=True))

    def left(self, stream: str) -> None:
        """The place is given up."""
        self._left_out.pop(stream, None)

    def leave_out(self, stream: str) -> None:
        """The client does not read; it is waited for."""
        self._left_out[stream] = None
        if not self._waits:
            self._waits = True
            self._talk.spawn(self._until_it_reads(), "wait for a reader")

    async def _until_it_reads(self) -> None:
        """The pump of a delivery waits for the client as well, but there is one only once there are entries."""
        while self._left_out:
            with self._talk.socket.turn() as turn:
                if await turn.room() != "room":
                    break
                if self._left_out:
                    stream = next(iter(self._left_out))
                    del self._left_out[stream]  # if it is not live, it is told as soon as it is
                    self.tell(stream, late=True, again=True)
        self._waits = False
