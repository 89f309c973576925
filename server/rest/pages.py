"""Keyset pages: at most `limit` items after a place, and a `Link` to the next ones (RFC 8288). Never an offset.

A page ends by its bytes, too: items hold long texts, and what a client does not read of an answer waits for it here.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

import orjson
from pydantic import Field

from protocol.base import Message
from server.rest.access import refused

T = TypeVar("T")
P = TypeVar("P", str, tuple[str, ...])

PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""A page ends at this size, after one item at least."""


class PageQuery(Message):
    """`after` is the place where the page before ended, as its `Link` gave it."""

    after: Annotated[str, Field(max_length=400)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class PageSizes:
    """The settings `page_size_default`, `page_size_max` and `page_bytes_max`."""

    default: int = 100
    largest: int = 1000
    bytes_max: int = PAGE_BYTES_MAX

    def of(self, query: PageQuery) -> int:
        """The size of the page that was asked for. Raises Rejected."""
        return self.of_limit(query.limit)

    def of_limit(self, limit: int | None) -> int:
        """The same for queries of another form. Raises Rejected."""
        size = limit if limit is not None else self.default
        if size > self.largest:
            raise refused(f"limit: at most {self.largest}", "limit")
        return size

    def cut(self, items: Sequence[T], size: int) -> tuple[Sequence[T], bool]:
        """The page, and whether there is more: routes ask for one item more than they send."""
        page = items[: fitting(items[:size], self.bytes_max)]
        return page, len(items) > len(page)


def fitting(items: Sequence[Any], bytes_max: int) -> int:
    """How many of the first items a page of so many bytes has; one at least, if there is any."""
    left_bytes = bytes_max
    for count, item in enumerate(items):
        left_bytes -= encoded_bytes(item)
        if left_bytes < 0 and count:
            return count
    return len(items)


def encoded_bytes(item: Any) -> int:
    """What an item takes up in an answer."""
    return len(orjson.dumps(item))


def behind(items: Sequence[T], after: P | None, place_of: Callable[[T], P]) -> Sequence[T]:
    """What stands behind a place in a short list that is sorted by place. The item that stood there may be gone."""
    return items if after is None else items[bisect_right(items, after, key=place_of) :]


def link_next(path: str, **query: object) -> dict[str, str]:
    """The header `Link` to the next page; None values are left out."""
    text = urlencode({name: str(value) for name, value in query.items() if value is not None})
    return {"Link": f'<{path}?{text}>; rel="next"'}


def pack_place(*parts: str) -> str:
    """A place as opaque text for `after`."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def unpack_place(text: str, parts: int) -> tuple[str, ...]:
    """The parts of a place. Raises Rejected when the text is none."""
    try:
        place = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise refused("after: not a place in this list", "after") from error
    if not isinstance(place, list) or len(place) != parts or not all(isinstance(one, str) for one in place):
        raise refused("after: not a place in this list", "after")
    if any("\0" in one for one in place):
        raise refused("after: not a place in this list", "after")
    return tuple(place)
