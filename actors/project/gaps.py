"""The gap between two ranks, and what can be put into it: pure arithmetic on texts.

A rank is a whole number and a fraction. The number begins with a letter that says how many digits it has (`a` one, `b`
two …; `Z` one, `Y` two … below zero), so that text order is the order of the numbers; the fraction's digits follow, and
the last of them is never `0`: so there is room below every fraction. The idea is that of fractional indexing (D.
Greenspan, Implementing Fractional Indexing, 2020).

Between two numbers that are not neighbours lies another number, the middle one; everywhere else the fraction is
halved. So random places give ranks of as many bits as a random search tree is deep, and no randomness is needed.
"""

from __future__ import annotations

from typing import Final

from protocol.ranks import DIGITS

_BASE: Final = len(DIGITS)
_VALUE: Final = {digit: value for value, digit in enumerate(DIGITS)}
_WIDTH_MAX: Final = 26
_BELOW: Final = tuple(sum(_BASE**n for n in range(1, width)) for width in range(1, _WIDTH_MAX + 2))
"""How many numbers from zero on have fewer than `width` digits, at `width - 1`."""


def rank_between(low: str | None, high: str | None) -> str | None:
    """A short rank strictly between the two; None stands for the end on that side. None when nothing lies between.

    Raises ValueError for texts that are no ranks.
    """
    if low is None:
        return _before(high) if high is not None else _written(1)
    if high is None:
        return _written(_parsed(low)[0] + 1)
    if low >= high:
        return None
    (low_number, low_fraction), (high_number, high_fraction) = _parsed(low), _parsed(high)
    if low_number == high_number:
        fraction = _middle(low_fraction, high_fraction)
        return None if fraction is None else _written(low_number) + fraction
    last = high_number if high_fraction else high_number - 1
    if low_number < last:
        return _written((low_number + 1 + last) // 2)
    if last == high_number:
        return _written(high_number)
    fraction = _middle(low_fraction, None)
    return None if fraction is None else _written(low_number) + fraction


def ranks_between(low: str | None, high: str | None, count: int) -> list[str] | None:
    """So many ranks in their order, spread evenly; None when there is no room for them."""
    if count == 0:
        return []
    if low is None or high is None:
        return _numbers(low, high, count)
    middle = rank_between(low, high)
    if middle is None:
        return None
    left = ranks_between(low, middle, count // 2)
    right = ranks_between(middle, high, count - count // 2 - 1)
    return None if left is None or right is None else [*left, middle, *right]


def _numbers(low: str | None, high: str | None, count: int) -> list[str]:
    if low is not None:
        first = _parsed(low)[0] + 1
    elif high is not None:
        first = _parsed(high)[0] - count
    else:
        first = 1
    return [_written(number) for number in range(first, first + count)]


def _before(high: str) -> str:
    number, fraction = _parsed(high)
    return _written(number if fraction else number - 1)


def _parsed(rank: str) -> tuple[int, str]:
    """Number and fraction. Raises ValueError."""
    width = _width_of(rank[:1])
    digits, fraction = rank[1 : width + 1], rank[width + 1 :]
    if len(digits) < width or fraction.endswith("0"):
        raise ValueError("not a rank")
    value = 0
    for digit in digits:
        value = value * _BASE + _VALUE[digit]
    if rank[0] >= "a":
        return _BELOW[width - 1] + value, fraction
    return value - _BELOW[width], fraction


def _width_of(letter: str) -> int:
    if "a" <= letter <= "z":
        return ord(letter) - ord("a") + 1
    if "A" <= letter <= "Z":
        return ord("Z") - ord(letter) + 1
    raise ValueError("not a rank")


def _written(number: int) -> str:
    """The number as text. Raises ValueError beyond 26 digits, which counting never reaches."""
    distance = number if number >= 0 else -number - 1
    width = next((width for width in range(1, _WIDTH_MAX + 1) if distance < _BELOW[width]), None)
    if width is None:
        raise ValueError("the number is too large for a rank")
    if number >= 0:
        return chr(ord("a") + width - 1) + _digits(number - _BELOW[width - 1], width)
    return chr(ord("Z") - width + 1) + _digits(number + _BELOW[width], width)


def _digits(value: int, width: int) -> str:
    text = ""
    for _ in range(width):
        value, digit = divmod(value, _BASE)
        text = DIGITS[digit] + text
    return text


def _middle(low: str, high: str | None) -> str | None:
    """A fraction strictly between two others; `high` None stands for one."""
    kept = ""
    while True:
        digit = low[0] if low else "0"
        if high is not None and not high:
            return None
        if high is not None and high[0] == digit:
            kept, low, high = kept + digit, low[1:], high[1:]
            continue
        first, last = _VALUE[digit], _VALUE[high[0]] if high is not None else _BASE
        if last - first > 1:
            return kept + DIGITS[(first + last) // 2]
        if high is not None and len(high) > 1:
            return kept + high[0]
        kept, low, high = kept + digit, low[1:], None
