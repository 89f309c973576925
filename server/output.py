"""What commands print: all of it is out when they end, or one line says why it is not."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from server.exits import Refusal

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputUnwritable(Refusal):
    """What was printed could not be written, as on a full disk."""


@contextmanager
def whole_output() -> Iterator[None]:
    """What is printed inside is out at its end, as the interpreter would only grumble at its own.

    Inside and at the end raises OutputUnwritable where stdout cannot be written, and BrokenPipeError where its reader
    has gone. The process's own stdout alone is watched: another one is in the hands of whoever put it there.
    """
    own = sys.stdout
    if own is sys.__stdout__ and isinstance(own, io.TextIOWrapper):
        sys.stdout = _watched(own)
    try:
        yield
    except (OutputUnwritable, BrokenPipeError):
        sys.stdout = own  # what could not be written is not tried once more
        raise
    finally:
        printed, sys.stdout = sys.stdout, own
        if printed is not None:
            printed.flush()


def print_once(text: str, if_lost: str) -> None:
    """Prints what is not to be had a second time. Raises OutputUnwritable, with `if_lost` for what to do then."""
    if sys.stdout is None:
        raise OutputUnwritable(f"The output is closed. {if_lost}")
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OutputUnwritable as error:
        raise OutputUnwritable(f"{error} {if_lost}") from error


def let_go() -> None:
    """Nothing more can be said on stdout, and the interpreter would try once more at its end."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Watched(io.FileIO):
    """A descriptor whose faults tell that they are the output's, and not those of some other file."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputUnwritable(f"The output cannot be written: {error.strerror}.") from error


def _watched(own: io.TextIOWrapper) -> io.TextIOWrapper:
    at_once = own.line_buffering or own.write_through
    raw = _Watched(own.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), own.encoding, own.errors, line_buffering=at_once)
