"""Which grants were ended lately, as far as this node knows: it polls them, so no other channel is needed.

Endings are kept as long as an access token can live: after that no token of theirs is alive. Should they become too
many, they are dropped together, and with them every access token that was issued until then: its owner renews it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from protocol.base import instant_of
from protocol.errors import ErrorCode, Rejection
from protocol.faults import StorageFault
from storage.grant_ports import Endings

log = structlog.get_logger("pantherahive.endings")

KEPT_S: Final = 3700.0
"""Longer than the longest access token of any node's settings, and a minute for clocks that differ."""
ENDINGS_REMEMBERED_MAX: Final = 100_000
PAGE: Final = 1000
_FORGET_EVERY_S: Final = 60.0

ENDED: Final = Rejection(ErrorCode.UNAUTHENTICATED, "the session has ended; log in again")
RENEW: Final = Rejection(ErrorCode.TOKEN_EXPIRED, "the token has to be renewed")


class EndedGrants:
    """`start` it before anybody is let in, `run` it beside; `next` tells what has to be closed."""

    def __init__(
        self, endings: Endings, now_s: Callable[[], float], remembered_max: int = ENDINGS_REMEMBERED_MAX
    ) -> None:
        self._endings = endings
        self._now_s = now_s
        self._remembered_max = remembered_max
        # Grant → when it became known here (seconds since the epoch), the oldest first.
        self._ended: dict[str, float] = {}
        # How far the table was read.
        self._position = 0
        # Access tokens that were issued until then are refused: endings of that time may have been dropped.
        self._refused_until_s = float("-inf")
        # Endings that `next` has not told, and whether there are any.
        self._news: list[str] = []
        self._told = asyncio.Event()
        # Whether the last poll failed.
        self._is_blind = False

    def has_ended(self, grant_id: str) -> bool:
        """Whether the grant is known to have ended."""
        return grant_id in self._ended

    def refusal(self, grant_id: str, issued_at_s: float | None = None) -> Rejection | None:
        """Why a token of the grant, issued then, does not count any more; None when it does."""
        if grant_id in self._ended:
            return ENDED
        return RENEW if issued_at_s is not None and issued_at_s <= self._refused_until_s else None

    def add(self, grant_ids: Sequence[str]) -> None:
        """They have ended; what is known already is told once."""
        fresh = [grant_id for grant_id in grant_ids if grant_id not in self._ended]
        if not fresh:
            return
        now_s = self._now_s()
        self._ended.update((grant_id, now_s) for grant_id in fresh)
        self._news += fresh
        self._told.set()
        if len(self._ended) > self._remembered_max:
            log.warning("too many endings to remember: all access tokens have to be renewed", endings=len(self._ended))
            self._ended.clear()
            self._refused_until_s = now_s

    async def next(self) -> Sequence[str]:
        """Waits for endings, and takes them: it is one reader's."""
        await self._told.wait()
        self._told.clear()
        news, self._news = self._news, []
        return news

    async def start(self) -> None:
        """Reads what was ended before. Raises StorageFault."""
        await self._poll()

    async def run(self, interval_s: float) -> None:
        """Polls until cancelled. While the database is away nothing is heard, and nothing can be changed either."""
        forget_at_s = self._now_s() + _FORGET_EVERY_S
        while True:
            await asyncio.sleep(interval_s)
            try:
                await self._poll()
                if self._now_s() >= forget_at_s:
                    await self.forget()
                    forget_at_s = self._now_s() + _FORGET_EVERY_S
                self._is_blind = False
            except StorageFault as fault:
                if not self._is_blind:
                    log.warning("endings cannot be read", fault=type(fault).__name__)
                self._is_blind = True

    async def _poll(self) -> None:
        while True:
            page = await self._endings.after(self._position, PAGE)
            if page:
                self.add([ending.grant_id for ending in page])
                self._position = page[-1].number
            if len(page) < PAGE:
                return

    async def forget(self) -> None:
        """Drops what is too old to matter, here and in the table. Raises StorageFault."""
        before_s = self._now_s() - KEPT_S
        for grant_id, known_s in list(self._ended.items()):
            if known_s >= before_s:
                break
            del self._ended[grant_id]
        await self._endings.forget(instant_of(datetime.fromtimestamp(before_s, UTC)))

    def __len__(self) -> int:
        return len(self._ended)
