"""Entity tags: where the stream stood, and what the record itself was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Self

import orjson

from protocol.cursors import Cursor

_TAG_BYTES: Final = 8
_TEXT: Final = re.compile(rf"([0-9.]+)(?:-([0-9a-f]{{{2 * _TAG_BYTES}}}))?")


class EntityTag(NamedTuple):
    """`<cursor>` of what is made of a whole stream, `<cursor>-<tag>` of one record.

    The tag is made of the record as it is shown, so a change elsewhere in the stream leaves it as it is.
    """

    cursor: Cursor
    tag: str | None = None

    def __str__(self) -> str:
        return str(self.cursor) if self.tag is None else f"{self.cursor}-{self.tag}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError("no entity tag of a stream or a record")
        return cls(Cursor.parse(match[1]), match[2])


def tag_of(record: Mapping[str, Any]) -> str:
    """The record's own tag: the same record has the same one, however it was put together."""
    return blake2b(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=_TAG_BYTES).hexdigest()
