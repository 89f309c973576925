"""From what asyncpg and the operating system raise to `protocol.faults`.

The question that decides is: can the transaction have been committed, now or later?

* A unique key was hit: DuplicateEntry.
* An error of severity ERROR: the server rolled back and said so: NotApplied.
* An error that ends the connection (FATAL, PANIC, class 08), or no answer at all: OutcomeUnknown. An administrator's
  shutdown may strike between the commit and its confirmation, so its FATAL is no proof of a rollback.
* Errors of ours (a value that does not fit its column, a row that would be written twice, a wrong statement, a thing
  that this server cannot do) are defects and stay what they are: trying again would not help.

Source: PostgreSQL manual, appendix A (error codes) and 55.2 (message flow).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import asyncpg

from protocol.faults import DuplicateEntry, NotApplied, OutcomeUnknown, StorageFault

DRIVER_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What the driver raises: the server's words, its own, and the operating system's (TimeoutError too)."""

_DEFECT_CLASSES: Final = frozenset(
    {
        "0A",  # a feature that is not supported
        "21",  # one row is to be written twice, or a row was expected where several are
        "22",  # data that do not fit
        "23",  # a constraint; a unique key is told apart before
        "2D",  # a transaction is ended where none may be
        "39",  # a function is called against its rules
        "42",  # a wrong statement, or a right that is missing
        "44",  # a view's check
        "54",  # a statement beyond the limits of the server
        "P0",  # raised by a function
    }
)
_DEFECTS: Final = frozenset({"25001", "25P01", "25P02"})
"""A statement where no transaction, or no failed one, may be. Others of class 25 are a server that turned read-only."""
_CONNECTION_CLASSES: Final = frozenset({"08"})
_COMPLETION_UNKNOWN: Final = "40003"
_FATAL: Final = frozenset({"FATAL", "PANIC"})


class Cuttable(Protocol):
    """A connection that knows whether it is there."""

    def is_closed(self) -> bool: ...


def fault_of(error: Exception) -> StorageFault | None:
    """The fault that an error means for a write that was sent; None for a defect."""
    match error:
        case asyncpg.UniqueViolationError():
            return DuplicateEntry(str(error))
        case asyncpg.PostgresError():
            return _server_fault(error)
        case asyncpg.InternalClientError():
            return OutcomeUnknown(f"the connection's protocol broke: {error}")
        case asyncpg.InterfaceError() if "clos" in str(error):
            return OutcomeUnknown(str(error))
        case TimeoutError():
            return OutcomeUnknown("no answer in time")
        case OSError():
            return OutcomeUnknown(f"the connection was lost: {error!r}")
        case _:
            return None


def _server_fault(error: asyncpg.PostgresError) -> StorageFault | None:
    state = error.sqlstate or ""
    said = f"{error} (SQLSTATE {state})"
    severity = error.severity_en or error.severity
    if severity in _FATAL or state[:2] in _CONNECTION_CLASSES or state == _COMPLETION_UNKNOWN:
        return OutcomeUnknown(said)
    if state[:2] in _DEFECT_CLASSES or state in _DEFECTS:
        return None
    return NotApplied(said)


@contextmanager
def told_when_cut(connection: Cuttable) -> Iterator[None]:
    """Around a statement whose connection others may cut.

    Where that falls between two messages of one statement, the driver stumbles over what is not there any more
    (asyncpg 0.32: `_protocol` is None). Raises InterfaceError in its stead.
    """
    try:
        yield
    except AttributeError as error:
        if not connection.is_closed():
            raise
        raise asyncpg.InterfaceError("the connection was closed under a statement") from error


def is_lost(error: Exception) -> bool:
    """Whether the error is about the connection, not about the statement: a read may be tried on another one."""
    return isinstance(fault_of(error), OutcomeUnknown)


def is_said_by_server(fault: StorageFault) -> bool:
    """Whether a server that can be reached has said so: then its address fits, and it runs."""
    cause = fault.__cause__
    return isinstance(cause, asyncpg.PostgresError) and (cause.severity_en or cause.severity) not in _FATAL


@contextmanager
def writing() -> Iterator[None]:
    """Around a statement that writes. Raises DuplicateEntry, NotApplied or OutcomeUnknown in the driver's stead."""
    try:
        yield
    except DRIVER_ERRORS as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise fault from error


@contextmanager
def reading() -> Iterator[None]:
    """Around what writes nothing, connecting included: whatever went wrong, nothing was applied."""
    try:
        yield
    except DRIVER_ERRORS as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise NotApplied(str(fault)) from error
