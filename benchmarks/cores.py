"""Which core the server gets, which the generator and Postgres; and putting processes there."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass

import psutil

_EXEC = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM: nothing outlives a run that was killed
os.sched_setaffinity(0, {int(sys.argv[1])})
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Cores:
    """One for the server that is measured, the other for what measures it and for Postgres."""

    server: int
    generator: int


def two_cores(available: set[int]) -> Cores:
    """The first and the last; on a machine with one core they are the same, and figures say little."""
    ordered = sorted(available)
    return Cores(ordered[0], ordered[-1])


def on_core(core: int, command: list[str]) -> list[str]:
    """The command line that runs a program, and all that it starts, on one core."""
    return [sys.executable, "-c", _EXEC, str(core), *command]


def move(pid: int, core: int) -> None:
    """Puts a process with all its threads onto a core; what it starts later is there, too."""
    with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
        for thread in psutil.Process(pid).threads():
            os.sched_setaffinity(thread.id, {core})


def family(pid: int) -> list[int]:
    """A process and everything that it started."""
    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []
