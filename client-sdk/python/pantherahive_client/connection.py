"""Staying connected: log in, connect, tell everybody who waits for it; and again, whenever it ends."""

from __future__ import annotations

import asyncio
import time

from pantherahive_client.errors import HiveError, TokenExpired, Unauthenticated, Unreachable
from pantherahive_client.followings import Followings
from pantherahive_client.link import Link
from pantherahive_client.outbox import Outbox
from pantherahive_client.renewal import keep_token
from pantherahive_client.session import Session
from pantherahive_client.settings import Settings


class Connection:
    """One connection at a time, from `open` to `close`."""

    def __init__(self, url: str, session: Session, outbox: Outbox, followings: Followings, settings: Settings) -> None:
        self._url = url
        self._session = session
        self._outbox = outbox
        self._followings = followings
        self._settings = settings
        # The connection; None while there is none.
        self._link: Link | None = None
        # Keeps the connection, from `open` to `close`.
        self._keeper: asyncio.Task[None] | None = None
        # Done when the first connection stands, or holds why there will be none.
        self._first: asyncio.Future[None] | None = None
        # Why there will be no other connection.
        self.ended: HiveError | None = None
        # Whether it was the socket that refused our token (not the log-in our password).
        self._link_refused = False
        # What kept us from connecting last time.
        self._trouble: HiveError | None = None

    @property
    def is_up(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._link is not None

    async def open(self) -> None:
        """Connects. Raises Unauthenticated for wrong credentials, Unreachable when nobody answers in time."""
        self._first = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep(), name="pantherahive-client")
        try:
            async with asyncio.timeout(self._settings.connect_patience_s):
                await asyncio.shield(self._first)
        except TimeoutError as error:
            raise Unreachable(f"could not connect to {self._url}: {self._trouble}") from error

    async def close(self, why: HiveError) -> None:
        """Ends it; everybody who waits gets `why`."""
        self._end(why)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    async def _keep(self) -> None:
        failures = 0
        while self.ended is None:
            began_s = time.monotonic()
            wait_at_least_s = None
            try:
                await self._one_connection()
            except HiveError as error:
                self._trouble = error
                if not self._worth_another_try(error):
                    self._end(error)
                    return
                wait_at_least_s = error.retry_after_s
            steady = time.monotonic() - began_s >= self._settings.steady_after_s and wait_at_least_s is None
            failures = 0 if steady else failures + 1
            await asyncio.sleep(self._settings.reconnect.wait_s(failures, wait_at_least_s))

    def _worth_another_try(self, error: HiveError) -> bool:
        if isinstance(error, Unreachable) or error.retryable:
            return True
        if isinstance(error, TokenExpired | Unauthenticated) and self._link_refused:
            # The token was good when we took it; with a password there is another to be had.
            self._link_refused = False
            return self._session.forget()
        return False

    async def _one_connection(self) -> None:
        """From the log-in to the end of one connection."""
        token = await self._session.token()
        link = Link(self._url, self._followings, self._settings)
        renewing: asyncio.Task[None] | None = None
        try:
            await self._open(link, token)
            await self._session.learn_user_id()
            self._connected(link)
            renewing = asyncio.create_task(keep_token(link, self._session, self._settings), name="pantherahive-token")
            await link.wait_ended()
            if link.parting in ("expired", "ended"):
                self._session.forget()
        finally:
            if renewing is not None:
                renewing.cancel()
            self._disconnected()
            await link.close()
            self._outbox.connection_over(refused=link.was_refused)
            self._followings.connection_over(refused=link.was_refused)

    async def _open(self, link: Link, token: str) -> None:
        try:
            await link.open(token)
        except (TokenExpired, Unauthenticated):
            self._link_refused = True
            raise
        self._link_refused = False

    def _connected(self, link: Link) -> None:
        self._link, self._trouble = link, None
        self._followings.connected(link)
        self._outbox.connected(link)
        if self._first is not None and not self._first.done():
            self._first.set_result(None)

    def _disconnected(self) -> None:
        self._link = None
        self._outbox.disconnected()
        self._followings.disconnected()

    def _end(self, why: HiveError) -> None:
        if self.ended is not None:
            return
        self.ended = why
        self._outbox.end(why)
        self._followings.end(why)
        if self._first is not None and not self._first.done():
            self._first.set_exception(why)
            self._first.exception()  # it is raised where somebody waits for it, and is no news to anybody else
