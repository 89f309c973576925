"""`pantherahive migrate`: brings the tables up to this build, or says what is missing. It owns nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from config.logging import configure_logging
from config.settings import Settings
from server.clock import SystemClock
from server.database import visited
from server.exits import Exit, Refusal
from server.lease_watch import AnotherNodeOwns, Lease, Outliving
from storage.embedded import has_cluster
from storage.postgres.migrations import migrate, pending


def migrate_database(settings: Settings, *, check: bool) -> int:
    """Applies what is missing; with `check` it only looks, and fails when something is. From the main thread.

    Raises Refusal while a server lives on the database, which needs its tables as they are.
    """
    if check and settings.database_url is None and not has_cluster(settings.data_dir):
        print(f"There is no database in {settings.data_dir}: the embedded Postgres was never started there.")
        return Exit.FAILED
    if not check:
        configure_logging(settings.log_format, settings.log_level)
    with visited(settings) as dsn:
        names = asyncio.run(_pending(dsn, settings) if check else _migrate(dsn, settings))
    if not names:
        print("The database is up to date.")
        return Exit.OK
    for name in names:
        print(f"{'missing' if check else 'applied'}  {name}")
    if check:
        print("Run `pantherahive migrate` (or start the server, which does it too).")
        return Exit.FAILED
    return Exit.OK


async def _pending(dsn: str, settings: Settings) -> Sequence[str]:
    return await pending(dsn, unsafe_durability=settings.unsafe_durability)


async def _migrate(dsn: str, settings: Settings) -> Sequence[str]:
    """A visitor cannot know that a session of this data folder is over: it waits for that one too."""
    outliving = Outliving(None, Lease.of(settings), SystemClock.monotonic_s)
    try:
        return await migrate(dsn, unsafe_durability=settings.unsafe_durability, outlive=outliving.outlive)
    except AnotherNodeOwns as owned:
        raise Refusal(f"{owned} Nothing was changed.", Exit.ANOTHER_NODE) from owned
