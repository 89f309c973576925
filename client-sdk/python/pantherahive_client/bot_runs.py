"""Running a bot: through everything that it missed, and then along with what happens, for ever.

entry ─► times before it ─► fold ─► on_event ─► … ─► commit     many entries to a commit: after a kill acts are repeated
nothing new, and caught up ─► times that have come               each is committed before and after it is told
cancelled, or something raised ─► commit                         of what the bot is done with, to the very event
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Unpack

from pantherahive_client.backlog import ProjectEvent
from pantherahive_client.bot_progress import Progress
from pantherahive_client.bot_steps import Steps, times_between
from pantherahive_client.bots import Bot, BotProject, Handler, bot_of
from pantherahive_client.client import Client
from pantherahive_client.commands import Sending
from pantherahive_client.cursor_stores import CursorStore, FileCursors
from pantherahive_client.cursors import seq_of
from pantherahive_client.durable_events import NOW, DurableEvents, saved_cursor
from pantherahive_client.instants import moment_of
from pantherahive_client.outbox import Ack
from pantherahive_client.past_states import state_at_cursor
from pantherahive_client.patience import patiently
from pantherahive_client.project import Project
from pantherahive_client.project_state import ProjectState

ENTRIES_PER_COMMIT: Final = 100
COMMIT_WITHIN_S: Final = 1.0
LAST_COMMIT_WITHIN_S: Final = 3.0
"""How long the end of a bot waits for a store that does not answer."""
LATE_S: Final = 2.0
"""How long after a time by our clock an entry from before it may still arrive."""


logger = logging.getLogger("pantherahive_client")


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
    `look_every_s` seconds. Raises what LogEvents raises, what the store raises, and what the bot raises.

    However it ends, what the bot is done with is committed, within a few seconds: the event at which the bot raised or
    was cancelled comes again after a restart, and none before it. A commit that fails then is a note to what ended it.
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
    """One bot from its start to its end."""

    def __init__(
        self, bot: Bot, events: DurableEvents, steps: Steps, clock: Callable[[], datetime], look_every_s: float
    ) -> None:
        self._bot = bot
        self._events = events
        self._steps = steps
        self._clock = clock
        self._look_every_s = look_every_s
        # What the bot is done with.
        self._progress = Progress.kept_with(events.cursor, events.kept)
        # Entries since the last commit, and when that was (monotonic).
        self._uncommitted = 0
        self._committed_s = time.monotonic()

    async def run(self) -> None:
        try:
            await self._begin()
            await self._go_along()
            await self._commit()
        except (Exception, asyncio.CancelledError, KeyboardInterrupt, SystemExit) as why:
            await self._commit_at_last(why)
            raise

    async def _go_along(self) -> None:
        """Until the log ends."""
        entry: list[ProjectEvent] = []
        while True:
            try:
                event = await self._next()
            except StopAsyncIteration:
                return
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
        progress = self._progress
        if self._bot.every is None:
            progress.told = progress.telling = None
            return
        if progress.telling is not None:
            await self._tell_time(progress.telling)
        if progress.told is None and seq_of(progress.cursor):
            progress.told = self._clock()
            await self._commit()

    async def _next(self) -> ProjectEvent | None:
        """The next event; None when it is time to commit or to look at the clock. Raises StopAsyncIteration."""
        if not (self._uncommitted or self._bot.every):
            return await anext(self._events)
        wait_s = self._look_every_s
        if self._uncommitted:
            wait_s = min(wait_s, self._committed_s + COMMIT_WITHIN_S - time.monotonic())
        try:
            async with asyncio.timeout(wait_s):
                return await anext(self._events)
        except TimeoutError:
            return None

    async def _handle(self, entry: list[ProjectEvent]) -> None:
        """What an earlier run was done with is not told again."""
        await self._tell_times_before(moment_of(entry[0].at))
        self._steps.fold(entry)
        for event in entry[self._progress.heard_of(entry) :]:
            await self._steps.tell(event)
            self._progress.hears(event)
        self._uncommitted += 1
        await self._commit_if_due(idle=False)

    # ------------------------------------------------------------------ times

    async def _tell_times_before(self, moment: datetime) -> None:
        """Those that a bot wants each, before the first entry that is not before them.

        They are not committed one by one: a bot that is killed in between hears of the same times again, at the same
        place.
        """
        progress = self._progress
        if progress.told is None and self._bot.every is not None:
            progress.told = moment - timedelta(microseconds=1)
        if progress.told is not None and self._bot.missed_times == "each":
            for due in times_between(self._bot.every, progress.told, moment):
                await self._steps.tell_time(due)
                progress.told = due

    async def _tell_times_of_now(self) -> None:
        """When nothing that happened before them can still come."""
        told = self._progress.told
        if self._bot.every is None or told is None or not self._events.is_caught_up:
            return
        now = self._clock() - timedelta(seconds=LATE_S)
        after = told if self._bot.missed_times == "each" else max(told, now - self._bot.every)
        due = list(times_between(self._bot.every, after, now))
        if due and await self._events.is_at_head():
            for moment in due:
                await self._tell_time(moment)

    async def _tell_time(self, moment: datetime) -> None:
        self._progress.telling = moment
        await self._commit()
        await self._steps.tell_time(moment)
        self._progress.told, self._progress.telling = moment, None
        await self._commit()

    # ------------------------------------------------------------------ commits

    async def _commit_if_due(self, *, idle: bool) -> None:
        is_due = self._uncommitted >= ENTRIES_PER_COMMIT or time.monotonic() - self._committed_s >= COMMIT_WITHIN_S
        if self._uncommitted and (idle or is_due):
            await self._commit()

    async def _commit(self) -> None:
        await self._events.commit(self._progress.kept(), cursor=self._progress.cursor)
        self._uncommitted, self._committed_s = 0, time.monotonic()

    async def _commit_at_last(self, why: BaseException) -> None:
        """The bot ends of `why`. Whoever cancels it once more waits for this, too: it is short."""
        committing = asyncio.create_task(self._commit_in_time())
        while not committing.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([committing])
        failed = None if committing.cancelled() else committing.exception()
        if failed is not None:
            note = f"what the bot was done with could not be committed and comes again: {failed!r}"
            why.add_note(note)
            logger.warning("%s", note)

    async def _commit_in_time(self) -> None:
        async with asyncio.timeout(LAST_COMMIT_WITHIN_S):
            await self._commit()
