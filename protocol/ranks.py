"""Ranks: text whose byte order is the order of cards. A rank can be made between any two."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from protocol.base import Uuid, absent
from protocol.event import Command, Event
from protocol.projects import StateId

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


RERANKED_TASKS_MAX: Final = 2000

Ranks = Annotated[dict[Uuid, Rank], Field(min_length=1, max_length=RERANKED_TASKS_MAX)]
"""Task id → rank."""


class MoveTask(Command):
    """Puts a task among the others of a state: of its own, or of `stateId`, which it then enters.

    `after` and `before` name tasks that the sender sees there. The task lands right after `after`, else right before
    `before`, whatever lies unseen between them; without both it lands at the state's end. A neighbour that stands in
    another state by now, or a pair that stands the other way round, is a `conflict` with the reason
    `neighbours_moved`.
    """

    task_id: Uuid
    state_id: StateId = absent()
    after: Uuid = absent()
    before: Uuid = absent()


class TasksReranked(Event):
    """Neighbours in one state got other ranks because no short one was left between two of them.

    Their order stays as it was, and so do their `updatedAt`. `was` holds the ranks before.
    """

    state_id: StateId
    ranks: Ranks
    was: Ranks
