"""Private names of asyncpg 0.32 that are used where its public way costs too much. A test holds each to what it does.

Nothing else in this package reaches past the driver's public interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asyncpg.protocol import protocol

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.prepared_stmt import PreparedStatement

ARRAY_TYPES: Final = (list, tuple)
"""What may be sent as an array."""


def quicken_arrays() -> None:
    """Lets the driver tell arrays from their elements by type. For the whole process; a second time does nothing.

    It asks each element of each array whether it is iterable and sized, by the abstract classes of `collections`: two
    calls in Python, and two thirds of what the ten columns of an append cost this process (2.7 us per entry, then 1.0).
    """
    protocol.IterableABC = protocol.SizedABC = ARRAY_TYPES  # type: ignore[attr-defined]


async def run_prepared(
    connection: asyncpg.Connection[asyncpg.Record],
    prepared: PreparedStatement[asyncpg.Record],
    args: tuple[Any, ...],
    timeout_s: float,
) -> tuple[list[asyncpg.Record], bytes]:
    """`prepared.fetch` and the command tag, straight from the driver's protocol object.

    What lies between costs a tenth of an append.

    What is left out: a text that names the method when the statement or the connection is closed, and the renewal of
    types that were changed under a statement; the log's own never are.
    """
    way: Any = connection._protocol  # type: ignore[attr-defined]
    rows, tag, _ = await way.bind_execute(prepared._state, args, "", 0, True, timeout_s)  # type: ignore[attr-defined]
    return rows, tag
