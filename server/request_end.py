"""Where a request ends: the parser keeps the beginning of the next one without a word."""

from __future__ import annotations

from typing import Final

_BLANK_LINE: Final = b"\r\n\r\n"
NEWEST_BYTES: Final = len(_BLANK_LINE) - 1
"""Of what came before, that may be the beginning of a blank line."""


def goes_on(newest: bytes, data: bytes, body_bytes: int) -> bool:
    """Whether something stands behind the last whole request in `data`.

    `newest`: what came right before. `body_bytes`: what the request's body has got of `data`. A client can make its
    body look as if nothing were behind it, and gains no more time by that than by silence.
    """
    came = newest + data
    if came.endswith(_BLANK_LINE):
        return False  # headers, or the end of a body in chunks
    is_body_alone = body_bytes == len(data)
    return not (is_body_alone or (body_bytes > 0 and came[:-body_bytes].endswith(_BLANK_LINE)))
