"""Following one project: what comes is put in order, checked for gaps, and folded into the replica.

joining ──► live ──► (gap, lost part) joining again with the cursor
   │          └────► paused: a reader is too far behind; joins again when it has caught up
   └► assembling the parts of a snapshot ──► live
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Protocol

from pantherahive_client.backlog import Backlog, EventStream
from pantherahive_client.company import Company
from pantherahive_client.cursors import seq_of
from pantherahive_client.errors import Conflict, EventsMissed, HiveError, StreamClosed, error_of
from pantherahive_client.models import EntriesMessage, ResetMessage, SnapshotPart, WireEntry
from pantherahive_client.outbox import Sender
from pantherahive_client.settings import Settings
from pantherahive_client.signal import Signal

logger = logging.getLogger("pantherahive_client")

HELD_ENTRIES_MAX = 1024
"""Entries that may arrive among the parts of a snapshot; what is dropped beyond them is fetched again as a gap."""

LOST_FUTURE = ("epoch", "ahead")
"""Reasons of a reset that say: the server has gone back behind entries that we have seen."""

FOR_GOOD = ("removed",)
"""Reasons of `closed` after which joining again would be refused."""


class Stage(Enum):
    """What we are waiting for."""

    APART = "no connection"
    JOINING = "the answer to join"
    ASSEMBLING = "the parts of a snapshot"
    LIVE = "entries"
    PAUSED = "a slow reader"
    OVER = "nothing any more"


class Held(Protocol):
    """What a client holds of a stream."""

    @property
    def cursor(self) -> str | None:
        """The position after the last entry that was taken; None before the first state."""
        ...

    @property
    def seq(self) -> int:
        """The number of that entry; 0 before the first."""
        ...

    def take(self, entry: WireEntry) -> None:
        """The next entry. Raises KeyError, TypeError or ValueError when it does not fit what is held."""
        ...

    def restart(self, cursor: str, parts: Iterable[Mapping[str, Any]], *, lost_future: bool) -> None:
        """A whole state. `lost_future`: the server has gone back behind entries that were acknowledged."""
        ...

    def lose(self) -> None:
        """There is nothing to go on from; the next state has to come whole."""
        ...

    def end(self) -> None:
        """Nothing more comes."""
        ...


class Following:
    """The client's side of one followed stream. All methods are synchronous, so that the order of messages holds."""

    def __init__(self, stream: str, held: Held, settings: Settings) -> None:
        self.stream = stream
        self._settings = settings
        self.held = held
        # Whether the server could not read the project's log to its end when we joined last.
        self.halted = False
        self.backlog = Backlog(settings, self._has_room)
        self.stage = Stage.APART
        # Told when the position moved, what is shown, who is present or the stage changed, or it is over.
        self.changed = Signal()
        self.company = Company(stream, settings, self.changed)
        # Why it is over.
        self.ended: HiveError | None = None
        self._link: Sender | None = None
        # The number of the join that counts; answers to earlier ones are late.
        self._join = 0
        # Joins in a row that brought nothing.
        self._failures = 0
        # A join that waits for its time.
        self._soon: asyncio.TimerHandle | None = None
        # Parts of the snapshot that is arriving, and how many it has; entries that came among them.
        self._parts: list[SnapshotPart] = []
        self._parts_expected = 0
        self._snapshot_cursor = ""
        self._held: list[WireEntry] = []
        # Whether the server has gone back behind entries that we have seen.
        self._lost_future = False
        # What readers are told when the snapshot is complete; None where nothing was missed.
        self._missed: EventsMissed | None = None
        # The head we were told last; still being behind it at the next one means that something got lost.
        self._head: str | None = None

    @property
    def seq(self) -> int:
        """The last entry that was taken; 0 before the first."""
        return self.held.seq

    # ------------------------------------------------------------------ the connection

    def connected(self, link: Sender) -> None:
        """There is a connection: join from where we are."""
        self._link = link
        self._head = None
        if self.stage not in (Stage.OVER, Stage.PAUSED):
            self._join_now()

    def disconnected(self) -> None:
        """The connection is gone; what we have stays."""
        self._link = None
        self._cancel_soon()
        if self.stage not in (Stage.OVER, Stage.PAUSED):
            self._enter(Stage.APART)

    def leave(self) -> None:
        """We are no longer interested."""
        if self._link is not None and self.stage is not Stage.OVER:
            self._link.send("leave", {"stream": self.stream})

    def end(self, why: HiveError) -> None:
        """Nothing more comes."""
        self._cancel_soon()
        self.ended = why
        self.held.end()
        self.company.end(why)
        self.backlog.end(why)
        self._enter(Stage.OVER)

    # ------------------------------------------------------------------ joining

    def _join_now(self) -> None:
        self._cancel_soon()
        if self._link is None:
            return
        self._join += 1
        number = self._join
        cursor = self.held.cursor
        request = {"stream": self.stream} | ({"cursor": cursor} if cursor is not None else {})
        self._enter(Stage.JOINING)

        def answered(answer: Any = None) -> None:
            self._joined(number, answer)

        self._link.send("join", request, answered)

    def _join_soon(self, at_least_s: float | None = None) -> None:
        wait_s = self._settings.retry.wait_s(self._failures, at_least_s)
        self._failures += 1
        self._cancel_soon()
        self._enter(Stage.JOINING)
        self._join += 1  # whatever still answers is late
        self._soon = asyncio.get_running_loop().call_later(wait_s, self._join_now)

    def _cancel_soon(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    def _joined(self, number: int, answer: Any) -> None:
        if number != self._join or self.stage is not Stage.JOINING:
            return
        if "error" in answer:
            self._refused(error_of(answer["error"]))
            return
        self.company.joined(answer.get("present", []))
        self.halted = answer.get("halted", False)
        if answer["mode"] == "resume":
            self._enter(Stage.LIVE)
        else:
            self._begin_snapshot(answer)

    def _refused(self, error: HiveError) -> None:
        if error.retryable or isinstance(error, Conflict):  # a join of ours is still under way there
            self._join_soon(error.retry_after_s)
        else:
            self.end(error)

    # ------------------------------------------------------------------ state

    def _begin_snapshot(self, answer: Mapping[str, Any]) -> None:
        reason = answer.get("reason")
        if self._missed is None and self.held.cursor is not None:
            self._missed = EventsMissed(reason)
        self._lost_future = self._lost_future or reason in LOST_FUTURE
        self._parts, self._held = [], []
        self._parts_expected = answer.get("parts", 0)
        self._snapshot_cursor = answer["cursor"]
        self._enter(Stage.ASSEMBLING)
        self._finish_snapshot()

    def take_reset(self, message: ResetMessage) -> None:
        """We were too far behind: the server goes on with a whole state."""
        if self.stage in (Stage.LIVE, Stage.ASSEMBLING):
            self._begin_snapshot(message)

    def take_part(self, message: SnapshotPart) -> None:
        """A part of a snapshot; one that is not the next one means that another got lost."""
        if self.stage is not Stage.ASSEMBLING or message["cursor"] != self._snapshot_cursor:
            return
        if self._parts and message["part"] != self._parts[-1]["part"] + 1:
            self._join_soon()
            return
        self._parts.append(message)
        self._finish_snapshot()

    def _finish_snapshot(self) -> None:
        if len(self._parts) < self._parts_expected:
            return
        parts = [part["state"] for part in self._parts]
        self.held.restart(self._snapshot_cursor, parts, lost_future=self._lost_future)
        self._lost_future = False
        if self._missed is not None:
            self.backlog.restart(self.seq, self._missed)
            self._missed = None
        held, self._held, self._parts = self._held, [], []
        self._enter(Stage.LIVE)
        self._take(held)

    # ------------------------------------------------------------------ entries

    def take_entries(self, message: EntriesMessage) -> None:
        """Entries as they come; doubled ones are ignored, a gap leads to a new join."""
        if self.stage is Stage.ASSEMBLING:
            self._held.extend(message["entries"][: HELD_ENTRIES_MAX - len(self._held)])
        elif self.stage is Stage.LIVE:
            self._take(message["entries"])

    def _take(self, entries: list[WireEntry]) -> None:
        for entry in entries:
            if entry["seq"] <= self.seq:
                continue
            if entry["seq"] != self.seq + 1:
                logger.info("%s: entry %d came after %d; joining anew", self.stream, entry["seq"], self.seq)
                self._join_soon()
                return
            if self.backlog.is_full:
                self._pause()
                return
            self._take_one(entry)
        self.changed.notify()

    def _take_one(self, entry: WireEntry) -> None:
        try:
            self.held.take(entry)
        except (KeyError, TypeError, ValueError):
            logger.exception("%s: entry %d does not fit the replica", self.stream, entry["seq"])
            self.held.lose()
            self._missed = EventsMissed("the replica had to be built anew")
            self._join_soon()
            return
        self._failures = 0
        self.backlog.append(entry)

    # ------------------------------------------------------------------ slow readers, heads, the end

    def reader(self) -> EventStream:
        """A reader of all events from here on."""
        reader = self.backlog.reader(self.seq)
        if self.ended is not None:
            reader.end(self.ended)
        return reader

    def _pause(self) -> None:
        """A reader is too far behind: the server keeps the rest for us."""
        self.leave()
        self._join += 1
        self._enter(Stage.PAUSED)

    def _has_room(self) -> None:
        if self.stage is not Stage.PAUSED:
            return
        self._enter(Stage.APART)
        self._join_now()

    def take_head(self, head: str) -> None:
        """The server's newest position. Still being behind the one before: an entry got lost on the way."""
        if self.stage is not Stage.LIVE:
            return
        if self._head is not None and seq_of(self._head) > self.seq:
            logger.info("%s: still behind %s; joining anew", self.stream, self._head)
            self._head = None
            self._join_soon()
            return
        self._head = head

    def take_closed(self, reason: str) -> None:
        """The server has stopped sending this stream."""
        if reason in FOR_GOOD:
            self.end(StreamClosed(reason))
        elif self.stage not in (Stage.OVER, Stage.PAUSED):
            self._join_soon()

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        if stage is Stage.LIVE and self._link is not None:
            self.company.live(self._link)
        else:
            self.company.apart()
        self.changed.notify()
