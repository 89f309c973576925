"""How the program ends: exit codes that scripts and service managers can tell apart."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """0 and 1 as everywhere, 2 as argparse has it."""

    OK = 0
    FAILED = 1
    """An expected fault: the message says what to do."""
    WRONG_USE = 2
    """A flag or a setting is wrong."""
    ANOTHER_NODE = 3
    """Another live node owns the database."""
    SESSION_LOST = 4
    """Another node has taken over; this process has stopped at once and wrote nothing more."""
    DEFECT = 5
    """A vital part of the server failed in a way that it should not; the log has the details."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it: 128 and the signal's number. A server that stops in order ends with 0."""
    UNREAD = 141
    """Whoever read the output has gone, as `head` does: what SIGPIPE would have ended it with."""
    TERMINATED = 143
    """A client of the server that was ended by SIGTERM."""


class Refusal(Exception):
    """An expected fault. The text is for a person: what is wrong, and what to do."""

    def __init__(self, text: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(text)
        self.code = code
