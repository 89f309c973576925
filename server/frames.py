"""Errors that are kept by what they were raised in: without this a client's answer stays until a late collection."""

from __future__ import annotations


def forget_frames(error: BaseException | None) -> None:
    """Nobody looks at where it was raised any more, nor at where those behind it were.

    An error that something keeps, as a future does, or a reader, keeps all frames that it came through. When one of
    these has that same thing, they keep each other, and everything that is in the other frames: the request, the
    answer.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = None
            waiting += [one.__cause__, one.__context__]
