"""Leading a bot through a project's log, entry by entry, with the times in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pantherahive_client.backlog import ProjectEvent
from pantherahive_client.bots import Bot, BotProject
from pantherahive_client.fold import evolve_events
from pantherahive_client.instants import instant_of
from pantherahive_client.models import WireEvent
from pantherahive_client.project_state import ProjectState

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Steps:
    """The state as of the place in the log where the bot is."""

    def __init__(self, bot: Bot, state: ProjectState, seq: int, project: BotProject) -> None:
        self._bot = bot
        self._project = project
        # The project after the entry `seq`.
        self.state = state
        self.seq = seq

    def fold(self, entry: Sequence[ProjectEvent]) -> None:
        """The events of one entry take effect together."""
        events: list[WireEvent] = [
            {"kind": event.kind, "version": event.version, "data": dict(event.data)} for event in entry
        ]
        evolve_events(self.state, events, {"author": entry[0].author, "at": entry[0].at})
        self.seq = entry[0].seq

    async def tell(self, event: ProjectEvent) -> None:
        """The bot hears of one event. Raises what the bot raises."""
        self._project.goes_to(self.seq, "event", event.seq, event.number)
        await self._bot.on_event(event, self.state, self._project)

    async def tell_time(self, now: datetime) -> None:
        """The bot hears what time it is. Raises what the bot raises."""
        self._project.goes_to(self.seq, "time", instant_of(now))
        await self._bot.on_time(now, self.state, self._project)


def times_between(every: timedelta | None, after: datetime, until: datetime) -> Iterator[datetime]:
    """The multiples of `every` (in UTC, since 1970) later than `after` and not later than `until`, in their order."""
    if every is None:
        return
    number = (after - _EPOCH) // every + 1
    while (moment := _EPOCH + number * every) <= until:
        yield moment
        number += 1
