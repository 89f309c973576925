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
