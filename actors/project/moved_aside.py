"""Cards that an entry moved aside: where they stood before, as long as they stand where it put them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.project.state import Card, ProjectState
from protocol.messages import ProjectEvent
from protocol.ranks import Rank, TasksReranked


@dataclass(frozen=True, slots=True)
class MovedAside:
    """`draft` may go on changing: whoever leaves its place does not count while it is elsewhere."""

    draft: ProjectState
    # State id → card → the rank that it had before.
    _were: dict[str, dict[Card, Rank]] = field(default_factory=dict)
    # State id → for each time that cards were moved aside, the ranks before and the cards: both ascend together.
    _times: dict[str, list[list[tuple[Rank, Card]]]] = field(default_factory=dict)

    def take(self, events: Iterable[ProjectEvent]) -> None:
        """Of a card that was put into one place twice, the last time counts."""
        for event in reversed([one for one in events if isinstance(one, TasksReranked)]):
            were = self._were.setdefault(event.state_id, {})
            moved = [(event.was[one], (rank, one)) for one, rank in event.ranks.items() if (rank, one) not in were]
            were.update((card, was) for was, card in moved)
            self._times.setdefault(event.state_id, []).append(sorted(moved))

    def stood_before(self, state_id: str, card: Card, rank: Rank) -> bool:
        """Whether a card of the state stood before an old rank; one that was not moved aside stands where it stood."""
        return self._were.get(state_id, {}).get(card, card[0]) < rank

    def last_before(self, state_id: str, rank: Rank) -> Card | None:
        """The last one of those that were moved aside and stood before an old rank."""
        found: list[Card] = []
        for moved in self._times.get(state_id, ()):
            before = range(bisect_left(moved, (rank, ("", ""))) - 1, -1, -1)
            card = next((moved[index][1] for index in before if self._stands(state_id, moved[index][1])), None)
            if card is not None:
                found.append(card)
        return max(found, default=None)

    def _stands(self, state_id: str, card: Card) -> bool:
        task = self.draft.tasks[card[1]]
        return (task["stateId"], task["rank"]) == (state_id, card[0])
