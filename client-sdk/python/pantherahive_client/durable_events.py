"""A named cursor that outlives its bot: `project.durable_events("digest-bot")`.

    async with project.durable_events("digest-bot") as events:
        async for event in events:
            if event.kind == "MemberAdded":
                await project.add_comment(task_id, "Welcome!", op_id=events.op_id(event, "welcome"))
            if event.last:
                await events.commit()

Every event comes at least once: what was not committed comes again after a crash. Commands whose `op_id` derives from
the event take effect once, however often they are sent. Together that is exactly once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Self

from pantherahive_client.backlog import ProjectEvent
from pantherahive_client.cursor_stores import CursorStore, check_name
from pantherahive_client.cursors import seq_of_given
from pantherahive_client.derived_ids import derived_id
from pantherahive_client.errors import HiveError
from pantherahive_client.log_events import Followed, LogEvents

NOW: Final = "now"
"""Where a cursor without a past begins: at what happens after it is opened first."""


class CursorUnreadable(HiveError):
    """What the store has is no cursor of ours. Take it away to begin anew."""


class DurableEvents:
    """The events after a named cursor, without an end; `async with` opens it. Raises what LogEvents raises."""

    def __init__(self, project: Followed, name: str, store: CursorStore, start: str) -> None:
        if start != NOW:
            seq_of_given(start)
        self.name = check_name(name)
        self.stream = f"project/{project.id}"
        # What was committed beside the cursor, for the bot's own use.
        self.kept: Mapping[str, Any] = {}
        self._project = project
        self._store = store
        self._start = start
        # The text in the store; None before the first, and where a save that was cut off leaves it open.
        self._saved: str | None = None
        # None outside of `async with`.
        self._log: LogEvents | None = None

    async def __aenter__(self) -> Self:
        """Goes to where the last commit was. A new cursor is committed at once: nothing after it gets lost."""
        self._saved = await self._store.load(self.name, self.stream)
        cursor = None if self._start == NOW else self._start
        if self._saved is not None:
            cursor, self.kept = _unpacked(self._saved, self.name)
        self._log = LogEvents(self._project, cursor)
        await self.commit()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._log is not None:
            await self._log.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ProjectEvent:
        return await anext(self._opened)

    @property
    def _opened(self) -> LogEvents:
        if self._log is None:
            raise ValueError("open the cursor with `async with`")
        return self._log

    @property
    def cursor(self) -> str:
        """After the last entry all of whose events were given out: what `commit` keeps."""
        return self._opened.cursor

    @property
    def is_caught_up(self) -> bool:
        """Whether everything was given out that there is, as far as this client knows."""
        return self._opened.is_caught_up

    async def is_at_head(self) -> bool:
        """Whether the server, asked now, has nothing more; it is waited for."""
        return await self._opened.is_at_head()

    async def commit(self, kept: Mapping[str, Any] | None = None, *, cursor: str | None = None) -> None:
        """Everything up to here is done with: after a restart it goes on behind it.

        `kept` (JSON) is kept with the cursor, both or neither, and replaces what was kept before. Events of an entry
        that was not given out to its `last` one come again. `cursor` is that of an earlier event, where not all that
        was given out is done with. Raises what the store raises: then nothing was committed.
        """
        wanted = self.kept if kept is None else kept
        reached = self.cursor if cursor is None else cursor
        text = json.dumps({"cursor": reached, "kept": wanted}, ensure_ascii=False)
        if text != self._saved:
            self._saved = None
            await self._store.save(self.name, self.stream, text)
        self._saved, self.kept = text, wanted

    def op_id(self, event: ProjectEvent, *what: str | int) -> str:
        """The `opId` of a command that answers this event: the same whenever the event comes again, and another one for
        every other event, also of the same entry.

        `what` tells several commands for one event apart. Cursors of one project that act need names of their own.
        """
        # The first event of an entry is named by the entry alone. Text, unlike a part more, is never taken for `what`.
        place = f"{event.seq}/{event.number}" if event.number else event.seq
        return derived_id(self._project.user_id, self.name, self.stream, place, *what)


async def saved_cursor(store: CursorStore, name: str, stream: str) -> str | None:
    """Where a named cursor stands; None for a new one. Raises CursorUnreadable."""
    text = await store.load(check_name(name), stream)
    return _unpacked(text, name)[0] if text is not None else None


def _unpacked(text: str, name: str) -> tuple[str, Mapping[str, Any]]:
    try:
        saved = json.loads(text)
        cursor, kept = saved["cursor"], saved["kept"]
        seq_of_given(cursor)
    except (ValueError, KeyError, TypeError, HiveError) as error:
        raise CursorUnreadable(f"what is kept of the cursor {name!r} cannot be read: {text[:80]!r}") from error
    return cursor, kept
