"""When two names count as the same one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def is_taken(name: str, others: Iterable[str]) -> bool:
    """Whether one of the others is the same but for capitals, spaces and ways of encoding."""
    wanted = folded(name)
    return any(folded(other) == wanted for other in others)


def has_twins(names: Iterable[str]) -> bool:
    """Whether two of them are the same."""
    all_names = [folded(name) for name in names]
    return len(set(all_names)) != len(all_names)


def folded(name: str) -> str:
    """The name as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
