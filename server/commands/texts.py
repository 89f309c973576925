"""Other people's texts on a terminal: on one line, of a bounded length, and unable to command the terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SPACES: Final = re.compile(r"\s+")
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT: Final = frozenset("\u200d\ufe0f")
"""They join emoji."""


def one_line(text: str, characters_max: int) -> str:
    """White space becomes a space, what is no character to be seen becomes `\\ufffd`, what is too long ends in `…`."""
    plain = _SPACES.sub(" ", text).strip()
    cut = plain if len(plain) <= characters_max else f"{plain[: characters_max - 1]}…"
    return "".join("\ufffd" if unicodedata.category(one) in _UNPRINTABLE and one not in _KEPT else one for one in cut)
