"""One step of a random life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocol.event import Command, Origin, Principal

Turn = Literal["go on", "retry", "snapshot", "restart"]


@dataclass(frozen=True)
class Step:
    """One command, and what happens to the actor before it."""

    turn: Turn
    command: Command
    by: Principal
    day: int
    origin: Origin | None
    # How many entries its sender had not seen; less than none is a base in the future. None: no base is given.
    behind: int | None = None
    # An undo is of the newest entry but so many by the same person, whichever that is when it comes to it.
    about: int | None = None
