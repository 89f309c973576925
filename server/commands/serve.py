"""`pantherahive serve`: the server in the foreground, from the lock of the data folder to the last word."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import structlog

from config.logging import configure_logging
from config.secrets import load_secrets
from config.settings import Settings
from server.app import Place, Product, VitalPartEnded
from server.clock import SystemClock
from server.commands.greeting import Reached, greeting
from server.database import OwnedDatabase
from server.exits import Exit, Refusal
from server.lease_watch import AnotherNodeOwns, Lease, Outliving
from server.listener import allow_many_connections, bind
from server.node import SessionLost
from server.process_age import process_age_s
from storage.postgres.migrations import migrate

log = structlog.get_logger("pantherahive.serve")

GC_THRESHOLDS = (50_000, 20, 50)
"""Commands make no cycles, nor do clients that are lost (`server.frames`), so collections find nothing and may be rare;
the default has one every 700 objects."""


def serve(settings: Settings) -> int:
    """Runs until SIGTERM or SIGINT; returns the exit code. From the main thread. Raises what `told` explains."""
    configure_logging(settings.log_format, settings.log_level)
    allow_many_connections()
    database = OwnedDatabase(settings)
    with bind(settings.host, settings.port) as bound:
        try:
            # Before the loop: Postgres ends with the thread that starts it, and a loop may bring threads.
            dsn = database.start()
            place = Place(dsn, bound, database.node_id(), database.why_away)
            return _run(_serve(settings, database, place))
        finally:
            database.stop()


async def _serve(settings: Settings, database: OwnedDatabase, place: Place) -> int:
    stop = _stop_on_signals()
    # All that may speak against this start comes before the tables are changed.
    secrets = load_secrets(settings.data_dir)
    outliving = Outliving(place.node_id, Lease.of(settings), SystemClock.monotonic_s)
    try:
        await migrate(place.dsn, unsafe_durability=settings.unsafe_durability, outlive=outliving.outlive)
        product = await Product.open(settings, secrets, place)
        await product.start()
    except AnotherNodeOwns as owned:
        raise Refusal(str(owned), Exit.ANOTHER_NODE) from owned
    except SessionLost as lost:
        raise Refusal(f"The start was overtaken: {lost}. Start only one process per node.", Exit.SESSION_LOST) from lost
    # What lives now lives until the end: later collections need not look at it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    reached = Reached(product.url, product.local_url)
    print(greeting(settings, reached, database.is_embedded, process_age_s()), flush=True)
    keeper = asyncio.create_task(database.keep_running(), name="postgres")
    try:
        await product.until_over(stop, keeper)
    except SessionLost as lost:
        log.critical("the session was lost; this process ends and writes nothing more", why=str(lost))
        await product.abort()
        return Exit.SESSION_LOST
    except VitalPartEnded as ended:
        log.critical("a vital part has ended", part=str(ended), exc_info=ended.__cause__)
        keeper.cancel()
        await product.stop()
        return Exit.DEFECT
    log.info("stopping")
    keeper.cancel()
    await product.stop()
    log.info("stopped")
    return Exit.OK


def _run(main: Coroutine[Any, Any, int]) -> int:
    """On uvloop where there is one: it is about twice as fast."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def _stop_on_signals() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT. The second ends the process at once, as a crash would."""
    stop = asyncio.Event()

    def told(number: signal.Signals) -> None:
        if stop.is_set():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(128 + number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told, number)
    return stop
