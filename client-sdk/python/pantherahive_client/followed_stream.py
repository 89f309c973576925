"""A stream as a client has it open: joined, kept up to date, read event by event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol, Self, TypeVar

from pantherahive_client.backlog import EventStream
from pantherahive_client.cursors import seq_of_given
from pantherahive_client.errors import ClientClosed, HiveError, Unreachable
from pantherahive_client.following import Following, Stage
from pantherahive_client.settings import Settings

T = TypeVar("T")


class Follower(Protocol):
    """The client, as far as an open stream knows it."""

    def follow(self, following: Following) -> None: ...

    def unfollow(self, following: Following) -> None: ...


class FollowedStream:
    """Open inside `async with`. What is held of it moves on while you await."""

    def __init__(self, follower: Follower, following: Following, settings: Settings) -> None:
        self._follower = follower
        self._following = following
        self._settings = settings
        # Whether we follow it.
        self._is_open = False
        # Keeps what was missed since the cursor for the first `events()`.
        self._first_reader: EventStream | None = None

    async def __aenter__(self) -> Self:
        """Joins. Raises NotFound where there is no such thing for us, Unreachable when the server does not answer."""
        if self.cursor is not None:
            self._first_reader = self._following.reader()
        self._follower.follow(self._following)
        self._is_open = True
        try:
            async with asyncio.timeout(self._settings.connect_patience_s):
                await self._until(lambda: self._following.stage in (Stage.LIVE, Stage.PAUSED))
        except TimeoutError as error:
            await self.aclose()
            raise Unreachable(f"{self._following.stream} could not be joined in time") from error
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops following. What is held can still be read, as the server confirmed it last."""
        self._is_open = False
        self._follower.unfollow(self._following)
        self._following.leave()
        self._following.end(ClientClosed(f"{self._following.stream} was closed"))

    @property
    def cursor(self) -> str | None:
        """The position of what is held; None before the first state."""
        return self._following.held.cursor

    @property
    def seq(self) -> int:
        """The number of the last entry that is held."""
        return self._following.seq

    @property
    def is_live(self) -> bool:
        """Whether it is being kept up to date at this moment."""
        return self._following.stage is Stage.LIVE

    @property
    def is_halted(self) -> bool:
        """Whether the server said at the last join that its log of this stream is damaged: what comes is incomplete.

        It ends at the last good entry, and commands raise StreamHalted. After the repair the missing entries follow;
        the next join tells that it is over.
        """
        return self._following.halted

    @property
    def ended(self) -> HiveError | None:
        """Why nothing more comes; None while it may."""
        return self._following.ended

    @property
    def settings(self) -> Settings:
        """The client's limits."""
        return self._settings

    def events(self) -> EventStream:
        """Every event from now on, each once, in order; after opening at a cursor the first call also gives what
        happened since that cursor, and holds following back until it is read.

        Entries that are not read yet are kept up to a limit; then following (and what is held with it) pauses until
        this reader has caught up.
        """
        reader, self._first_reader = self._first_reader, None
        return reader if reader is not None else self._following.reader()

    async def caught_up(self, cursor: str, within_s: float | None = None) -> None:
        """Waits until what this cursor (such as an ack's) stands after is held.

        Raises TimeoutError, and Invalid when it is no cursor.
        """
        wanted = seq_of_given(cursor)
        async with asyncio.timeout(within_s if within_s is not None else self._settings.deadline_s):
            await self._until(lambda: self._following.seq >= wanted)

    async def _until(self, reached: Callable[[], bool]) -> None:
        following = self._following
        while True:
            version = following.changed.version
            if reached():
                return
            if following.ended is not None:
                raise following.ended
            await following.changed.after(version)

    def _watch(self, look: Callable[[], T]) -> AsyncIterator[T]:
        return self._following.changed.watch(look, lambda: self._following.ended)
