"""Small immutable values that every command makes a dozen of."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen, slots):
        """`dataclass(frozen=True, slots=True)`, whose immutability the type checker alone looks after.

        At run time it costs four fifths of the construction: each field of a frozen one is set by a call.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)
