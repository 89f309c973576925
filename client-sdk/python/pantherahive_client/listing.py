"""Lists over REST: page after page, each where the one before ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar

from pantherahive_client.patience import patiently
from pantherahive_client.rest_reads import RestReads

T = TypeVar("T")


class Listing(Generic[T]):
    """What a bulk read gives: `async for item in listing`, or all at once, or page by page.

    It is read once. A server that is busy, behind or away is asked again for `Settings.deadline_s`; then its refusal is
    raised, and reading may go on where it stopped. Raises NotFound for what may not be seen.
    """

    def __init__(self, reader: RestReads, path: str, query: Mapping[str, object] | None = None, key: str = "") -> None:
        """`key` names the list inside an answer that is an object. What is None in `query` is left out."""
        self._reader = reader
        self._key = key
        # The path of the next page; None behind the last one.
        self._next: str | None = path
        self._query = {name: _text(value) for name, value in (query or {}).items() if value is not None} or None
        # Items of the page that is being read.
        self._items: deque[T] = deque()
        self.cursor: str | None = None
        """The project's position as of which the newest page is; None for lists across projects."""
        self.is_incomplete = False
        """Whether the server had to leave projects out that it cannot read now."""

    @property
    def has_more(self) -> bool:
        """Whether there is another page. It may turn out to be empty."""
        return self._next is not None

    async def page(self) -> list[T]:
        """The next page; empty behind the last one."""
        if self._next is None:
            return []
        path, settings = self._next, self._reader.settings
        answer = await patiently(
            lambda: self._reader.ask(path, self._query), settings.retry, within_s=settings.deadline_s
        )
        self._next, self._query = answer.next, None
        self.cursor = answer.cursor
        self.is_incomplete |= answer.headers.get("Derived-State") == "incomplete"
        items: list[T] = answer.body[self._key] if self._key else answer.body
        return items

    async def all(self) -> list[T]:
        """Everything that is left, in memory."""
        return [item async for item in self]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._next is None:
                raise StopAsyncIteration
            self._items.extend(await self.page())
        return self._items.popleft()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
