"""The consumers of the log, each with its runner, and the eraser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from config.settings import Settings
from server.composition.heart import Heart
from server.consumers.feed import FeedLimits, ShardFeed
from server.consumers.notifier import NOTIFIER, Notifier
from server.consumers.projector import make_projector
from server.consumers.runner import Handler, Runner, RunnerLimits
from server.consumers.timekeeper import TIMEKEEPER, Timekeeper
from server.erasure import Eraser
from server.limits import limits_from
from storage.postgres.storage import PostgresStorage
from storage.projections.purges import unerased


@dataclass(frozen=True, slots=True)
class ShardConsumers:
    """What reads the shards' logs."""

    projector: Runner
    timekeeper: Runner
    notifier: Runner
    eraser: Eraser

    @property
    def runners(self) -> Sequence[Runner]:
        return self.projector, self.timekeeper, self.notifier

    @classmethod
    def make(cls, settings: Settings, storage: PostgresStorage, heart: Heart) -> Self:
        """They are fed by the heart's outlets."""
        timekeeper = Timekeeper(storage.consumers, storage.timers, heart.actors)
        notifier = Notifier(storage.consumers, heart.router, heart.clock, settings.command_deadline_s)
        purges = partial(unerased, storage.database)
        return cls(
            make_projector(
                storage.database,
                storage.journal,
                feed=_feed(settings),
                limits=_limits(settings, settings.projector_pause_s),
            ),
            _runner(TIMEKEEPER, timekeeper, settings, storage, settings.timekeeper_pause_s),
            _runner(NOTIFIER, notifier, settings, storage, settings.notifier_pause_s),
            Eraser(purges, storage.journal, storage.invitation_secrets, heart.feeds.forget),
        )


def _runner(name: str, handler: Handler, settings: Settings, storage: PostgresStorage, pause_s: float) -> Runner:
    feed, limits = _feed(settings), _limits(settings, pause_s)
    return Runner(name, storage.consumers, storage.journal, handler, feed=feed, limits=limits)


def _feed(settings: Settings) -> ShardFeed:
    return ShardFeed(limits_from(settings, FeedLimits))


def _limits(settings: Settings, pause_s: float) -> RunnerLimits:
    return limits_from(settings, RunnerLimits, pause_s=pause_s)
