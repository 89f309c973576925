"""Ranks: text whose byte order is the order of cards. A rank can be made between any two."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import StringConstraints

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""In the order of their bytes, so that every database and every language sorts ranks alike."""

RANK_LENGTH_MAX: Final = 200

Rank = Annotated[str, StringConstraints(pattern=rf"^[0-9A-Za-z]{{1,{RANK_LENGTH_MAX}}}$")]


def rank_of_number(number: int) -> str:
    """A rank that grows with the number: how many digits follow, as a letter from `a` on, then the number in base 62.

    Raises ValueError below 1.
    """
    if number < 1:
        raise ValueError("numbers start at 1")
    digits = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return chr(ord("a") + len(digits) - 1) + digits
