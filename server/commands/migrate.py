"""`pantherahive migrate`: brings the tables up to this build, or says what is missing. It owns nothing."""

from __future__ import annotations

import asyncio

from config.settings import Settings
from server.database import visited
from server.exits import Exit
from storage.embedded import has_cluster
from storage.postgres.migrations import migrate, pending


def migrate_database(settings: Settings, *, check: bool) -> int:
    """Applies what is missing; with `check` it only looks, and fails when something is. From the main thread."""
    if check and settings.database_url is None and not has_cluster(settings.data_dir):
        print(f"There is no database in {settings.data_dir}: the embedded Postgres was never started there.")
        return Exit.FAILED
    with visited(settings) as dsn:
        names = asyncio.run((pending if check else migrate)(dsn, unsafe_durability=settings.unsafe_durability))
    if not names:
        print("The database is up to date.")
        return Exit.OK
    for name in names:
        print(f"{'missing' if check else 'applied'}  {name}")
    if check:
        print("Run `pantherahive migrate` (or start the server, which does it too).")
        return Exit.FAILED
    return Exit.OK
