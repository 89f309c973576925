"""The program's door, `pantherahive` or `python -m server`: it speaks for Ctrl-C before anything is loaded.

Loading takes a second, and an exception in the middle of an import statement is anybody's guess. So this module loads
next to nothing, and until a command has begun something that has to be ended in order, Ctrl-C ends the process at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence

from server.exits import Exit


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Runs a command; returns its exit code. Call it from the main thread.

    Without arguments it is the process's own main: then Ctrl-C stays as it is here until the interpreter has ended.
    """
    before = signal.signal(signal.SIGINT, _end_at_once)
    try:
        from server.cli_commands import run

        return run(arguments, environ)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one line, however often it is pressed
        print("Interrupted.", file=sys.stderr)
        return Exit.INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN if arguments is None else before)


def _end_at_once(*_: object) -> None:
    """Nothing has begun, so there is nothing to end in order."""
    os.write(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2, b"Interrupted.\n")
    os._exit(Exit.INTERRUPTED)
