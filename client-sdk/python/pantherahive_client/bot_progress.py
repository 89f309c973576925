"""How far a bot has come: what it is done with, as it is kept with its cursor.

cursor          after the last entry of which the bot has heard every event
begun, heard    the entry behind it, and how many of its events the bot is done with
told, telling   the last time it was told, and the one that it is being told
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from pantherahive_client.backlog import ProjectEvent
from pantherahive_client.instants import instant_of, moment_of


@dataclass(slots=True)
class Progress:
    """One bot's, from its start to its end."""

    # What the next start goes on behind.
    cursor: str
    # The cursor of an entry of which the bot has heard only the first events; None between two entries.
    begun: str | None = None
    # How many those are.
    heard: int = 0
    # The last time that was told to the bot, or when it began; None until there is something to count from.
    told: datetime | None = None
    # The time that it is being told; None when it is told none.
    telling: datetime | None = None

    @classmethod
    def kept_with(cls, cursor: str, kept: Mapping[str, Any]) -> Self:
        """What `kept` gave. Raises ValueError where a time in it is none."""
        progress = cls(cursor)
        if "begun" in kept:
            progress.begun, progress.heard = kept["begun"]["entry"], kept["begun"]["events"]
        progress.told, progress.telling = (
            moment_of(kept[name]) if name in kept else None for name in ("told", "telling")
        )
        return progress

    def kept(self) -> dict[str, Any]:
        """JSON, to be kept with the cursor, both or neither."""
        times = {"told": self.told, "telling": self.telling}
        kept: dict[str, Any] = {name: instant_of(moment) for name, moment in times.items() if moment is not None}
        if self.begun is not None:
            kept["begun"] = {"entry": self.begun, "events": self.heard}
        return kept

    def heard_of(self, entry: Sequence[ProjectEvent]) -> int:
        """How many of the entry's events the bot is done with: more than none where an earlier run ended within it."""
        return self.heard if entry[0].cursor == self.begun else 0

    def hears(self, event: ProjectEvent) -> None:
        """The bot is done with this event."""
        if event.last:
            self.cursor, self.begun, self.heard = event.cursor, None, 0
        else:
            self.begun, self.heard = event.cursor, event.number + 1
