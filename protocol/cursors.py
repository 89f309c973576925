"""A position in a stream: `seq.epoch`, with the epoch of the entry at that seq. Opaque to clients."""

from __future__ import annotations

import re
from typing import NamedTuple

_CURSOR = re.compile(r"(0|[1-9][0-9]{0,15})\.(0|[1-9][0-9]{0,15})", re.ASCII)


class Cursor(NamedTuple):
    """`seq` 0 with epoch 0 is the place before the first entry."""

    seq: int
    epoch: int

    def __str__(self) -> str:
        return f"{self.seq}.{self.epoch}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises ValueError when the text is no cursor."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError("not a cursor")
        return cls(int(match[1]), int(match[2]))


START = Cursor(0, 0)
