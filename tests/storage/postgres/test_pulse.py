"""Whether the database answers."""

from __future__ import annotations

import pytest

from protocol.faults import NotApplied
from storage.postgres.pool import Database, DatabaseLimits
from storage.postgres.pulse import Pulse
from tests.postgres import execute
from tests.storage.postgres.sessions import until


async def test_it_is_felt_again_after_the_connection_was_ended(database_dsn: str) -> None:
    database = await Database.open(database_dsn, "session")
    pulse = Pulse(database, 5)
    await pulse.feel()
    await execute(
        database_dsn,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pantherahive/session/pulse'",
    )

    async def lost() -> bool:
        return pulse.is_lost

    await until(lost)
    await pulse.feel()
    assert not pulse.is_lost, "a fresh connection has answered"
    pulse.close()
    await database.close()


async def test_nobody_there_is_no_answer() -> None:
    database = Database("postgresql://nobody@/nothing?host=/nowhere", "session", DatabaseLimits())
    pulse = Pulse(database, 0.5)
    with pytest.raises(NotApplied):
        await pulse.feel()
    pulse.close()
