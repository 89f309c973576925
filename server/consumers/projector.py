"""The consumer that keeps the read tables."""

from __future__ import annotations

from server.consumers.feed import ShardFeed
from server.consumers.runner import Runner, RunnerLimits, ShardLog
from storage.postgres.consumers import PostgresConsumers
from storage.postgres.pool import Database
from storage.projections.writer import PROJECTOR, ProjectionWriter


def make_projector(
    database: Database,
    journal: ShardLog,
    *,
    feed: ShardFeed | None = None,
    limits: RunnerLimits | None = None,
) -> Runner:
    """A runner whose effect are the read tables of `storage.projections`."""
    return Runner(
        PROJECTOR,
        PostgresConsumers(database),
        journal,
        ProjectionWriter(database, PROJECTOR),
        feed=feed,
        limits=limits,
    )
