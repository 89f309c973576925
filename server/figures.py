"""The gauges of /metrics: what the parts of the server hold now, read when somebody looks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from actors.ports import Clock
from actors.runtime.feeds import Feeds
from actors.runtime.region import Region
from actors.runtime.shards import ShardTable
from actors.runtime.stuck_streams import STUCK_STREAMS_MAX
from actors.runtime.timers import TimerService
from protocol.log import SHARDS
from server.arriving_bodies import ArrivingBodies
from server.consumers.runner import Runner
from server.gateway.app import Gateway
from server.rest.event_streams import EventStreams
from server.telemetry import Meters
from server.unread_answers import UnreadAnswers
from server.vitals import waiting


@dataclass(frozen=True, slots=True)
class Parts:
    """What is looked at."""

    region: Region
    feeds: Feeds
    gateway: Gateway
    event_streams: EventStreams
    answers: UnreadAnswers
    bodies: ArrivingBodies
    shards: ShardTable
    timers: TimerService
    clock: Clock


def watch_parts(meters: Meters, parts: Parts) -> None:
    """The gauges of everything but the consumers."""
    watch = meters.watch
    watch("mailbox_depth", "Deliveries that wait in all mailboxes", lambda: parts.region.mailbox_depth)
    watch("actors_live", "Actors in memory", lambda: parts.region.live)
    watch("actors_memory_bytes", "What their states take, roughly", lambda: parts.region.memory_bytes)
    watch(
        "streams_halted_now",
        "Streams that take no commands because their log cannot be replayed",
        lambda: len(parts.region.supervisor.halted_streams),
    )
    watch(
        "streams_quarantined_now",
        "Streams that take no commands for a while after repeated failures",
        lambda: parts.region.supervisor.quarantined(parts.clock.monotonic_s()),
    )
    watch(
        "timers_stuck_streams",
        f"Streams whose due timers wait because they do not take them; counted up to {STUCK_STREAMS_MAX}",
        lambda: parts.timers.stuck_streams,
    )
    watch("followers", "Places of followers in all streams", lambda: parts.feeds.followers)
    watch("connections", "Open live connections", lambda: parts.gateway.connections)
    watch(
        "snapshots_sending_bytes",
        "Bytes of states that are on their way to clients",
        lambda: parts.gateway.snapshots.on_way_bytes,
    )
    watch(
        "answers_unread_bytes",
        "Bytes of large answers that are not written out yet",
        lambda: parts.answers.bytes,
    )
    watch(
        "bodies_arriving_bytes",
        "Bytes of larger request bodies that are on their way, for all that may come of them",
        lambda: parts.bodies.bytes,
    )
    watch("event_streams", "Open connections with Server-Sent Events", lambda: len(parts.event_streams))
    watch("log_page_reads", "Pages read from the log for followers", lambda: parts.feeds.pages.reads)
    watch("tasks", "Tasks of the event loop, waiting ones included", lambda: len(asyncio.all_tasks()))
    watch("shards_owned", "Shards that this node owns", lambda: len(parts.shards.owned))


def watch_consumer(meters: Meters, consumer: Runner, clock: Clock) -> None:
    """The gauges of one consumer of the log."""
    watch, name = meters.watch, consumer.name
    watch(f"{name}_lag_entries", "Entries without effect yet", lambda: waiting(consumer))
    watch(
        f"{name}_lag_seconds",
        "Age of the oldest entry without effect, +Inf while it is not known",
        lambda: behind_s(consumer, clock.now()),
    )
    watch(f"{name}_stalled_shards", "Shards that stand before an entry it cannot read", lambda: len(consumer.stalled))
    watch(f"{name}_failures", "Failures of the database since its last success", lambda: consumer.failures)


def behind_s(consumer: Runner, now: str) -> float:
    """Of the shard that is most behind."""
    return max(consumer.behind_s(shard, now) for shard in range(SHARDS))
