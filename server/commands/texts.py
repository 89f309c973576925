"""Other people's texts on a terminal: on one line, of a bounded length, and unable to command the terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SPACES: Final = re.compile(r"\s+")
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT: Final = frozenset("\u200c\u200d\ufe0f") | {chr(tag) for tag in range(0xE0020, 0xE0080)}
"""They join letters and emoji or keep them apart, and spell flags (UTS 51, Annex C)."""
_SOFT_HYPHEN: Final = "\u00ad"
"""It shows only where a word is broken, and none is here."""


def one_line(text: str, characters_max: int) -> str:
    """White space becomes a space, what cannot be seen becomes `\\ufffd`, what is too long ends in `…`."""
    plain = _SPACES.sub(" ", text.replace(_SOFT_HYPHEN, "")).strip()
    cut = plain if len(plain) <= characters_max else f"{plain[: characters_max - 1]}…"
    return "".join("\ufffd" if unicodedata.category(one) in _UNPRINTABLE and one not in _KEPT else one for one in cut)
