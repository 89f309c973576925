"""NDJSON exports, line by line, and whether they came to their end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pantherahive_client.errors import Unreachable


async def whole(lines: AsyncIterator[Any], stream: str) -> AsyncIterator[dict[str, Any]]:
    """The lines of an export whose last one ends a stream that begins so. Raises Unreachable when it does not come."""
    last: Any = {}
    async for last in lines:
        yield last
    if not last.get("end", "").startswith(stream):
        raise Unreachable("the export was cut off: its last line is missing")
