"""Passwords: argon2id in a bounded pool of threads, so that a flood of log-ins costs neither memory nor the loop.

Parameters by OWASP (19 MiB, two passes, one lane); hashes made with others are renewed at the next log-in.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from protocol.accounts import normalized_password
from protocol.errors import ErrorCode, Rejection

T = TypeVar("T")

RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What one hash costs, and how many may be under way."""

    memory_kib: int = 19_456
    time_cost: int = 2
    parallelism: int = 1
    threads: int = 2
    queue_max: int = 64


@dataclass(frozen=True, slots=True)
class Verified:
    """The answer of a check. `renewed_hash` is there when the password was right and its hash has old parameters."""

    matches: bool
    renewed_hash: str | None = None


class Passwords:
    """Hashes and checks passwords. Everything may be refused as `overloaded`; `close` ends the threads."""

    def __init__(self, cost: PasswordCost) -> None:
        self._hasher = PasswordHasher(
            time_cost=cost.time_cost, memory_cost=cost.memory_kib, parallelism=cost.parallelism
        )
        self._threads = ThreadPoolExecutor(cost.threads, thread_name_prefix="password")
        self._under_way_max = cost.threads + cost.queue_max
        # Hashes that were asked for and are not done, the waiting ones included.
        self._under_way = 0
        # What an unknown user's password is checked against: as costly as a real one, and nothing matches it.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    @property
    def under_way(self) -> int:
        """How many hashes wait or run now."""
        return self._under_way

    async def hash(self, password: str) -> str | Rejection:
        """The hash to keep."""
        return await self._run(lambda: self._hasher.hash(normalized_password(password)))

    async def verify(self, password: str, kept_hash: str | None) -> Verified | Rejection:
        """Whether the password is the right one; without a kept hash it takes as long and never is."""
        return await self._run(lambda: self._verify(password, kept_hash))

    def close(self) -> None:
        """Ends the threads; a hash that runs is finished, waiting ones are cancelled."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _verify(self, password: str, kept_hash: str | None) -> Verified:
        normalized = normalized_password(password)
        try:
            self._hasher.verify(kept_hash or self._nobody, normalized)
        except (VerificationError, InvalidHashError):
            return Verified(False)
        if kept_hash is None:
            return Verified(False)
        renewed = self._hasher.hash(normalized) if self._hasher.check_needs_rehash(kept_hash) else None
        return Verified(True, renewed)

    async def _run(self, work: Callable[[], T]) -> T | Rejection:
        if self._under_way >= self._under_way_max:
            return Rejection(
                ErrorCode.OVERLOADED, "too many log-ins at once; try again", {"retryAfterS": RETRY_AFTER_S}
            )
        self._under_way += 1
        future = self._threads.submit(work)
        # Counted down by the thread's own end, not by the caller's: a caller who goes away frees no thread.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: self._done(loop))
        return await asyncio.wrap_future(future)

    def _done(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._count_down)
        except RuntimeError:
            pass  # the loop is closed: nobody counts any more

    def _count_down(self) -> None:
        self._under_way -= 1
