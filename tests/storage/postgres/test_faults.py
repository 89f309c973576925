"""What errors of the driver mean."""

from __future__ import annotations

import asyncpg
import pytest

from protocol.faults import DuplicateEntry, NotApplied, OutcomeUnknown, StorageFault
from storage.postgres.faults import fault_of, reading, writing


def error(sqlstate: str, severity: str = "ERROR") -> asyncpg.PostgresError:
    """As the driver raises it for a server's answer."""
    raised = asyncpg.PostgresError.new({"C": sqlstate, "S": severity, "V": severity, "M": "said"})
    assert isinstance(raised, asyncpg.PostgresError)
    return raised


@pytest.mark.parametrize(
    ("raised", "fault"),
    [
        (error("23505"), DuplicateEntry),
        (error("40001"), NotApplied),
        (error("40P01"), NotApplied),
        (error("40003"), OutcomeUnknown),
        (error("53100"), NotApplied),
        (error("53300", "FATAL"), OutcomeUnknown),
        (error("55P03"), NotApplied),
        (error("57014"), NotApplied),
        (error("57P01", "FATAL"), OutcomeUnknown),
        (error("08006"), OutcomeUnknown),
        (error("25006"), NotApplied),
        (error("25P03", "FATAL"), OutcomeUnknown),
        (error("XX000"), NotApplied),
        (ConnectionResetError(), OutcomeUnknown),
        (TimeoutError(), OutcomeUnknown),
        (asyncpg.InterfaceError("connection is closed"), OutcomeUnknown),
    ],
    ids=repr,
)
def test_a_fault_says_whether_it_can_have_happened(raised: Exception, fault: type[StorageFault]) -> None:
    assert type(fault_of(raised)) is fault
    with pytest.raises(fault), writing():
        raise raised
    with pytest.raises(NotApplied), reading():
        raise raised


@pytest.mark.parametrize(
    "sqlstate",
    ["0A000", "21000", "22003", "22021", "23502", "23503", "23514", "25P02", "42601", "42P01", "54001", "P0001"],
)
def test_a_defect_of_ours_stays_what_it_is(sqlstate: str) -> None:
    raised = error(sqlstate)
    assert fault_of(raised) is None
    with pytest.raises(type(raised)), writing():
        raise raised
    with pytest.raises(type(raised)), reading():
        raise raised


async def test_a_row_that_is_written_twice_is_a_defect(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("CREATE TEMPORARY TABLE pairs (id int PRIMARY KEY)")
        with pytest.raises(asyncpg.CardinalityViolationError), writing():
            await connection.execute("INSERT INTO pairs VALUES (1), (1) ON CONFLICT (id) DO UPDATE SET id = 1")
    finally:
        await connection.close()
