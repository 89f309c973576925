"""What the followers of a stream let each other see of themselves: where they look, what they type. Never in the log.

Each place in a stream has at most one state, and only its newest counts. It is gone with the place, so whoever may not
follow any more neither sees nor is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from protocol.wire import AwareState

if TYPE_CHECKING:
    from actors.runtime.hub import Following


STATES_IN_A_TURN = 32
"""How many states of one stream are told in a turn of the loop. Whoever shows one is written a message of its own, with
those of all the others, so what a turn makes grows with the square of how many show something in it."""


@dataclass(slots=True, eq=False)
class Awareness:
    """The state of one connection in one stream. None: there is none any more."""

    connection: str
    user_id: str
    state: dict[str, Any] | None
    # Parser name → this state encoded for the wire; filled by the gateway on first use.
    encoded: dict[str, bytes] = field(default_factory=dict)

    def wire(self) -> AwareState:
        """As followers see it."""
        return {"connection": self.connection, "userId": self.user_id, "state": self.state}


class AwarenessBoard:
    """The states of one stream, and which of them changed since they were last told."""

    __slots__ = ("_changes", "_states", "_states_max")

    def __init__(self, states_max: int) -> None:
        self._states_max = states_max
        # Place → its state; at most `states_max`.
        self._states: dict[Following, Awareness] = {}
        # The same for those that changed; a state of None says that there is none any more.
        self._changes: dict[Following, Awareness] = {}

    def put(self, following: Following, awareness: Awareness) -> bool:
        """The newest state of a place. False when the stream has as many states as it may."""
        if awareness.state is None:
            if self._states.pop(following, None) is None:
                return True  # nobody has seen one
        elif following not in self._states and len(self._states) >= self._states_max:
            return False
        else:
            self._states[following] = awareness
        self._changes[following] = awareness
        return True

    def remove(self, following: Following) -> None:
        """The place is given up."""
        last = self._states.pop(following, None)
        if last is not None:
            self._changes[following] = Awareness(last.connection, last.user_id, None)

    def clear(self) -> None:
        """Nobody is to be seen any more."""
        for following in list(self._states):
            self.remove(following)

    def take_changes(self) -> Mapping[Following, Awareness]:
        """What changed since the last call, the oldest first; what is too much for one turn is left for another."""
        if len(self._changes) <= STATES_IN_A_TURN:
            changes, self._changes = self._changes, {}
            return changes
        return {following: self._changes.pop(following) for following in list(islice(self._changes, STATES_IN_A_TURN))}

    def of_others(self, following: Following) -> Iterator[Awareness]:
        """The states of everybody else, as of now."""
        return (awareness for place, awareness in self._states.items() if place is not following)

    @property
    def turns(self) -> int:
        """How many turns it takes to tell what has changed by now."""
        return -(-len(self._changes) // STATES_IN_A_TURN)

    @property
    def has_changed(self) -> bool:
        return bool(self._changes)

    def __contains__(self, following: Following) -> bool:
        return following in self._states

    def __len__(self) -> int:
        return len(self._states)
