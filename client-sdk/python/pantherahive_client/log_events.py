"""Every event of a project after a cursor, however far back it is, and then what happens from now on.

pages of the log (REST) ──► caught up with the live reader ──► live entries
        ▲                                                          │
        └── following had to start anew (too far behind, a gap) ◄──┘
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol, Self

from pantherahive_client.backlog import EventStream, ProjectEvent, events_of
from pantherahive_client.cursors import seq_of_given
from pantherahive_client.errors import ClientClosed, Conflict, EventsMissed, HistoryChanged, HiveError
from pantherahive_client.patience import patiently
from pantherahive_client.settings import Settings


class Followed(Protocol):
    """An open project, as far as a reader of its log knows it."""

    @property
    def id(self) -> str: ...

    @property
    def user_id(self) -> str | None: ...

    @property
    def cursor(self) -> str | None: ...

    @property
    def is_live(self) -> bool: ...

    @property
    def ended(self) -> HiveError | None: ...

    @property
    def settings(self) -> Settings: ...

    def events(self) -> EventStream: ...

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any: ...


class LogEvents:
    """An asynchronous iterator over events, each once, in order, without a gap. It waits for a server that is away.

    Raises StreamClosed or NotFound at the end of the membership, HistoryChanged where the log has another history than
    the cursor's, and what ended the client otherwise; ends by itself when the project or the client was closed.
    """

    def __init__(self, project: Followed, after: str | None = None) -> None:
        """`after` is a cursor; None for where the project is now. Raises Invalid when it is no cursor."""
        self._project = project
        self._live = project.events()
        # The last whole entry that was given out.
        self.cursor = after if after is not None else project.cursor or "0.0"
        # The last entry that was taken: its events are given out or wait here. `_after` is its cursor.
        self._after = self.cursor
        self._seq = seq_of_given(self._after)
        self._events: deque[ProjectEvent] = deque()
        # Whether the log has to be asked: at first, so that it judges the cursor, and after every new start.
        self._has_to_page = True
        # Pages in a row that brought nothing though there has to be more.
        self._stalls = 0

    @property
    def is_caught_up(self) -> bool:
        """Whether everything was given out that this client knows of, and it is connected to hear of more."""
        nothing_waits = not (self._events or self._has_to_page) and self._live.is_drained
        return nothing_waits and self._live.seq <= self._seq and self._project.is_live

    async def is_at_head(self) -> bool:
        """Asks the server whether there is more; what there is waits here then. When all has ended, nobody knows."""
        if self._events:
            return False
        try:
            await self._take_page()
        except StopAsyncIteration:
            return False
        return not self._events

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ProjectEvent:
        while not self._events:
            if self._has_to_page or self._live.seq > self._seq:
                await self._take_page()
            else:
                await self._take_live()
        event = self._events.popleft()
        if event.last:
            self.cursor = event.cursor
        return event

    async def _take_live(self) -> None:
        """The next live entry, unless a page has brought it already."""
        try:
            entry = [await anext(self._live)]
            while not entry[-1].last:
                entry.append(await anext(self._live))
        except EventsMissed:
            self._has_to_page = True
            return
        if entry[0].seq == self._seq + 1:
            self._events.extend(entry)
            self._seq, self._after = entry[0].seq, entry[0].cursor
        elif entry[0].seq > self._seq:
            self._has_to_page = True

    async def _take_page(self) -> None:
        query = {"after": self._after}
        try:
            page = await patiently(self._read(query), self._project.settings.retry, lambda: self._project.ended)
        except Conflict as error:
            raise HistoryChanged(str(error.details.get("reason")), self._after) from error
        except ClientClosed as error:
            raise StopAsyncIteration from error
        for entry in page["entries"]:
            self._events.extend(events_of(entry))
        self._after = page["cursor"]
        self._seq = seq_of_given(self._after)
        self._has_to_page = False
        await self._wait_if_stalled(page)

    def _read(self, query: Mapping[str, str]) -> Any:
        path = f"/v1/projects/{self._project.id}/events"
        return lambda: self._project.get(path, query)

    async def _wait_if_stalled(self, page: Mapping[str, Any]) -> None:
        """A halted log ends before what we have seen of it."""
        self._stalls = self._stalls + 1 if not page["entries"] and self._live.seq > self._seq else 0
        if self._stalls:
            await asyncio.sleep(self._project.settings.retry.wait_s(self._stalls))

    async def aclose(self) -> None:
        """Stops reading."""
        await self._live.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
