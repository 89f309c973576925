"""Running a bot: through everything that it missed, and then along with what happens, for ever.

entry ─► times before it ─► fold ─► on_event ─► … ─► commit     many entries to a commit: acts may be repeated
nothing new, and caught up ─► times that have come               each is committed before and after it is told
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Unpack

from pantherahive_client.backlog import ProjectEvent
from pantherahive_client.bot_steps import Steps, times_between
from pantherahive_client.bots import Bot, BotProject, Handler, bot_of
from pantherahive_client.client import Client
from pantherahive_client.commands import Sending
from pantherahive_client.cursor_stores import CursorStore, FileCursors
from pantherahive_client.cursors import seq_of
from pantherahive_client.durable_events import NOW, DurableEvents, saved_cursor
from pantherahive_client.instants import instant_of, moment_of
from pantherahive_client.outbox import Ack
from pantherahive_client.past_states import state_at_cursor
from pantherahive_client.patience import patiently
from pantherahive_client.project import Project
from pantherahive_client.project_state import ProjectState

ENTRIES_PER_COMMIT: Final = 100
COMMIT_WITHIN_S: Final = 1.0
LATE_S: Final = 2.0
"""How long after a time by our clock an entry from before it may still arrive."""


def utc_now() -> datetime:
    """The clock that bots go by."""
    return datetime.now(UTC)


async def run_bot(
    hive: Client,
    project_id: str,
    bot: Bot | Handler,
    name: str,
    *,
    cursors: CursorStore | None = None,
    start: str = NOW,
    clock: Callable[[], datetime] = utc_now,
    look_every_s: float = 1.0,
) -> None:
    """Runs until it is cancelled, the project is closed for it, the client ends, or the bot raises something.

    `name` is the bot's cursor, kept in `cursors`: a bot that ran before goes on where it was, and hears of every event
    that it missed. A new one begins at `start` (see `Project.durable_events`). `clock` is looked at every
    `look_every_s` seconds. Raises what LogEvents raises, and what the bot raises: then the event comes again after a
    restart.
    """
    store = cursors if cursors is not None else FileCursors()
    known = await saved_cursor(store, name, f"project/{project_id}")
    async with (
        hive.project(project_id, cursor=known) as project,
        project.durable_events(name, store, start=start) as events,
    ):
        state = await _state_at(project, events.cursor)
        made = bot_of(bot)
        hands = BotProject(name, project_id, _Sending(hive, project))
        steps = Steps(made, state, seq_of(events.cursor), hands)
        await _Run(made, events, steps, clock, look_every_s).run()


async def _state_at(project: Project, cursor: str) -> ProjectState:
    if cursor == project.cursor and project.has_state:
        return project.confirmed.copied()
    reads = project.as_of(seq_of(cursor))
    return await patiently(lambda: state_at_cursor(reads, cursor), project.settings.retry, lambda: project.ended)


class _Sending:
    """Commands that are really sent; fits `bots.Acts`."""

    def __init__(self, hive: Client, project: Project) -> None:
        self._hive = hive
        self._project = project

    @property
    def user_id(self) -> str | None:
        return self._hive.user_id

    async def send(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """However long the server is away: the event that the command answers has to wait for it anyway."""
        sending.setdefault("deadline_s", None)
        return await self._project.send(command, data, **sending)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        ask = self._hive.get
        return await patiently(lambda: ask(path, query), self._project.settings.retry, lambda: self._project.ended)


class _Run:
    """One bot from its start to its end. Beside the cursor it keeps the last time it has told, and one under way."""

    def __init__(
        self, bot: Bot, events: DurableEvents, steps: Steps, clock: Callable[[], datetime], look_every_s: float
    ) -> None:
        self._bot = bot
        self._events = events
        self._steps = steps
        self._clock = clock
        self._look_every_s = look_every_s
        # The last time that was told to the bot, or when it began; None until there is something to count from.
        self._told: datetime | None = None
        # Entries since the last commit, and when that was (monotonic).
        self._uncommitted = 0
        self._committed_s = time.monotonic()

    async def run(self) -> None:
        await self._begin()
        entry: list[ProjectEvent] = []
        while True:
            event = await self._next()
            if event is None:
                await self._commit_if_due(idle=True)
            else:
                entry.append(event)
                if not event.last:
                    continue
                await self._handle(entry)
                entry = []
            await self._tell_times_of_now()

    async def _begin(self) -> None:
        """Where the last run stood: a time that it was telling is told first, at the very place in the log."""
        if self._bot.every is None:
            return
        kept = self._events.kept
        self._told = moment_of(kept["told"]) if "told" in kept else None
        if "telling" in kept:
            await self._tell_time(moment_of(kept["telling"]))
        if self._told is None and seq_of(self._events.cursor):
            self._told = self._clock()
            await self._commit()

    async def _next(self) -> ProjectEvent | None:
        """The next event; None when it is time to look at the clock."""
        if not (self._uncommitted or self._bot.every):
            return await anext(self._events)
        try:
            async with asyncio.timeout(self._look_every_s):
                return await anext(self._events)
        except TimeoutError:
            return None

    async def _handle(self, entry: list[ProjectEvent]) -> None:
        await self._tell_times_before(moment_of(entry[0].at))
        self._steps.fold(entry)
        await self._steps.tell(entry)
        self._uncommitted += 1
        await self._commit_if_due(idle=False)

    # ------------------------------------------------------------------ times

    async def _tell_times_before(self, moment: datetime) -> None:
        """Those that a bot wants each, before the first entry that is not before them.

        The cursor stands behind that entry already: it is committed only when the entry is handled, so a bot that dies
        in between hears of the same times again, at the same place.
        """
        if self._told is None:
            self._told = moment - timedelta(microseconds=1)
        if self._bot.missed_times == "each":
            for due in times_between(self._bot.every, self._told, moment):
                await self._steps.tell_time(due)
                self._told = due

    async def _tell_times_of_now(self) -> None:
        """When nothing that happened before them can still come."""
        if self._bot.every is None or self._told is None or not self._events.is_caught_up:
            return
        now = self._clock() - timedelta(seconds=LATE_S)
        after = self._told if self._bot.missed_times == "each" else max(self._told, now - self._bot.every)
        due = list(times_between(self._bot.every, after, now))
        if due and await self._events.is_at_head():
            for moment in due:
                await self._tell_time(moment)

    async def _tell_time(self, moment: datetime) -> None:
        await self._commit(moment)
        await self._steps.tell_time(moment)
        self._told = moment
        await self._commit()

    # ------------------------------------------------------------------ commits

    async def _commit_if_due(self, *, idle: bool) -> None:
        is_due = self._uncommitted >= ENTRIES_PER_COMMIT or time.monotonic() - self._committed_s >= COMMIT_WITHIN_S
        if self._uncommitted and (idle or is_due):
            await self._commit()

    async def _commit(self, telling: datetime | None = None) -> None:
        kept = {} if self._told is None else {"told": instant_of(self._told)}
        if telling is not None:
            kept["telling"] = instant_of(telling)
        await self._events.commit(kept)
        self._uncommitted, self._committed_s = 0, time.monotonic()
