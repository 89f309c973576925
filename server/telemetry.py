"""What can be seen from outside: `/metrics` for Prometheus, `/healthz` and `/readyz`, and the lag of the loop.

`/healthz` says whether the process should be restarted, `/readyz` whether it should get requests, and if not, why.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Protocol

import orjson
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from server.metrics_page import MetricsPage

log = structlog.get_logger("pantherahive.telemetry")

Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else why not, in words that may be shown."""

HALTED_SHOWN_MAX: Final = 20
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_COUNTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


NAMESPACE: Final = "pantherahive"


class Place(Protocol):
    """The entry that a consumer stands before."""

    @property
    def stream(self) -> str: ...

    @property
    def seq(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Described:
    """A metric as `docs/metrics.md` lists it."""

    name: str
    type: str
    labels: tuple[str, ...]
    description: str


class Answers(Collector):
    """Counts answers to commands in a dictionary: a labelled counter of the library costs ten times as much."""

    NAME: Final = f"{NAMESPACE}_commands"
    DESCRIPTION: Final = "Commands answered; of the kind none: those that could not be read"
    LABELS: Final = ("kind", "code")

    def __init__(self) -> None:
        # (kind of stream, `accepted` or the error's code) → answers.
        self.counts: Tally[tuple[str, str]] = Tally()

    def collect(self) -> Iterator[CounterMetricFamily]:
        """See the library."""
        family = CounterMetricFamily(self.NAME, self.DESCRIPTION, labels=self.LABELS)
        for labels, count in self.counts.items():
            family.add_metric(labels, count)
        yield family


class Distribution(Collector):
    """A histogram without labels, lock or threads: the library's costs every command several microseconds."""

    def __init__(self, name: str, description: str, buckets: tuple[float, ...]) -> None:
        self._name = name
        self._description = description
        self._buckets = buckets
        # Observations per bucket, the last one for those above all bounds, and the sum of the values.
        self._counts = [0] * (len(buckets) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._buckets, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """See the library."""
        bounds = [*(str(float(bound)) for bound in self._buckets), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._description, buckets=buckets, sum_value=self._sum)


class Meters:
    """The product's own registry and metrics.

    Fits `actors.ports.RuntimeMeters`, `server.middleware.HttpMeters`, `server.streams.CommandMeters` and
    `server.gateway.meters.GatewayMeters`.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        # All metrics, in the order in which they were made.
        self.described: list[Described] = []
        self._batches = self._distribution("append_batch_entries", "Entries of one append statement", _COUNTS)
        self._batch_streams = self._distribution("append_batch_streams", "Streams of one append statement", _COUNTS)
        self._append_seconds = self._distribution("append_seconds", "One append statement, commit included")
        self._append_failures = self._counter("append_failures", "Appends that failed", "reason")
        self._gate_seconds = self._distribution("gate_hold_seconds", "How long the output gate held an answer")
        self._activations = self._counter("actor_activations", "Actors brought into memory", "kind")
        self._replayed = self._distribution("actor_replayed_entries", "Entries of one activation", (0, *_COUNTS))
        self._activation_seconds = self._distribution("actor_activation_seconds", "One activation, loading included")
        self._passivations = self._counter("actor_passivations", "Actors that left memory", "kind")
        self._crashes = self._counter("actor_crashes", "Actors dropped after a failure", "kind")
        self._halted = self._counter("streams_halted", "Streams whose log could not be replayed", "kind")
        self._answers = Answers()
        self.registry.register(self._answers)
        self.described.append(Described(f"{Answers.NAME}_total", "counter", Answers.LABELS, Answers.DESCRIPTION))
        self._bad_packets = self._counter("bad_packets", "Packets of clients that are none or hold poison")
        self._promised = self._counter(
            "conflations_promised", "Times that a slow client was found to be served better by a state than by entries"
        )
        self._conflated = self._counter("conflated", "States sent to clients that were too far behind for entries")
        self._slow_clients = self._counter("slow_clients", "Connections ended because they did not read")
        self._requests = self._counter(
            "http_requests",
            "HTTP requests answered, event streams apart; the route of what could not be read as one is `malformed`",
            "method",
            "route",
            "status",
        )
        self._request_seconds = self._histogram("http_request_seconds", "One HTTP request", _SECONDS, "route")
        self._lag_seconds = self._distribution("loop_lag_seconds", "How late the event loop runs")

    # — RuntimeMeters

    def batch_appended(self, entries: int, streams: int, seconds: float) -> None:
        self._batches.observe(entries)
        self._batch_streams.observe(streams)
        self._append_seconds.observe(seconds)

    def gate_opened(self, held_s: float) -> None:
        self._gate_seconds.observe(held_s)

    def actor_activated(self, kind: str, replayed: int, seconds: float) -> None:
        self._activations.labels(kind).inc()
        self._replayed.observe(replayed)
        self._activation_seconds.observe(seconds)

    def actor_passivated(self, kind: str) -> None:
        self._passivations.labels(kind).inc()

    def actor_crashed(self, kind: str) -> None:
        self._crashes.labels(kind).inc()

    def stream_halted(self, kind: str) -> None:
        self._halted.labels(kind).inc()

    def append_failed(self, reason: str) -> None:
        self._append_failures.labels(reason).inc()

    # — the edges

    def command_answered(self, kind: str, code: str) -> None:
        self._answers.counts[kind, code] += 1

    def bad_packet(self) -> None:
        self._bad_packets.inc()

    def conflation_promised(self) -> None:
        """See `server.gateway.meters`."""
        self._promised.inc()

    def conflated(self) -> None:
        """See `server.gateway.meters`."""
        self._conflated.inc()

    def slow_client_ended(self) -> None:
        self._slow_clients.inc()

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def malformed_answered(self, status: int) -> None:
        self._requests.labels("OTHER", "malformed", str(status)).inc()

    def loop_lagged(self, seconds: float) -> None:
        self._lag_seconds.observe(seconds)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """A gauge that is read when somebody looks: `mailbox_depth`, `actors_live`, `followers` …"""
        gauge = Gauge(name, description, namespace=NAMESPACE, registry=self.registry)
        gauge.set_function(read)
        self._describe(name, "gauge", (), description)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        self._describe(f"{name}_total", "counter", labels, description)
        return Counter(name, description, labels, namespace=NAMESPACE, registry=self.registry)

    def _distribution(self, name: str, description: str, buckets: tuple[float, ...] = _SECONDS) -> Distribution:
        self._describe(name, "histogram", (), description)
        distribution = Distribution(f"{NAMESPACE}_{name}", description, buckets)
        self.registry.register(distribution)
        return distribution

    def _histogram(self, name: str, description: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        self._describe(name, "histogram", labels, description)
        return Histogram(name, description, labels, namespace=NAMESPACE, registry=self.registry, buckets=buckets)

    def _describe(self, name: str, type_: str, labels: tuple[str, ...], description: str) -> None:
        self.described.append(Described(f"{NAMESPACE}_{name}", type_, labels, description))


class LoopLag:
    """Measures how late a timer fires: what every other request on the loop waits, too."""

    def __init__(self, interval_s: float, measured: Callable[[float], None]) -> None:
        self._interval_s = interval_s
        self._measured = measured
        # When the timer should fire next, by the loop's clock.
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        # The last measurement.
        self.last_s = 0.0

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._due_s = loop.time() + self._interval_s
        self._timer = loop.call_at(self._due_s, self._fired)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fired(self) -> None:
        self.last_s = max(0.0, asyncio.get_running_loop().time() - self._due_s)
        self._measured(self.last_s)
        self.start()


class Readiness:
    """Asks all checks at once. A check that takes too long or fails is a reason, too.

    `halted` names streams that are out of service, `stalled` the shards in which a consumer stands before an entry that
    it cannot read; they are told, and the server is ready for the rest.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        timeout_s: float,
        halted: Callable[[], Collection[str]] = tuple,
        stalled: Callable[[], Mapping[str, Mapping[int, Place]]] = dict,
    ) -> None:
        self._checks = checks
        self._timeout_s = timeout_s
        self._halted = halted
        self._stalled = stalled

    def halted(self) -> dict[str, object]:
        """What the answer says of halted streams: their number and some of them, nothing when there are none."""
        streams = sorted(self._halted())
        return {"haltedStreams": {"count": len(streams), "some": streams[:HALTED_SHOWN_MAX]}} if streams else {}

    def stalled(self) -> dict[str, object]:
        """What the answer says of shards that stand still, by consumer; nothing when none does."""
        told = {
            consumer: [
                {"shard": shard, "stream": place.stream, "seq": place.seq}
                for shard, place in sorted(shards.items())[:HALTED_SHOWN_MAX]
            ]
            for consumer, shards in self._stalled().items()
        }
        return {"stalledShards": told} if told else {}

    async def why_not(self) -> dict[str, str]:
        """Check → why it does not pass. Empty: ready."""
        names = list(self._checks)
        reasons = await asyncio.gather(*(self._ask(name) for name in names))
        return {name: reason for name, reason in zip(names, reasons, strict=True) if reason is not None}

    async def _ask(self, name: str) -> str | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._checks[name]()
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s"
        except Exception as error:
            log.exception("a readiness check failed", check=name)
            return f"the check failed ({type(error).__name__})"


def telemetry_routes(page: MetricsPage, lag: LoopLag, readiness: Readiness) -> list[web.RouteDef]:
    """`/metrics`, `/healthz`, `/readyz`: for the operator's own network, without a token and without secrets."""

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=page.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_request: web.Request) -> web.Response:
        return _json({"healthy": True, "loopLagS": round(lag.last_s, 4)}, 200)

    async def readyz(_request: web.Request) -> web.Response:
        reasons = await readiness.why_not()
        answer = {"ready": not reasons, "reasons": reasons, **readiness.halted(), **readiness.stalled()}
        return _json(answer, 503 if reasons else 200)

    return [web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)]


def _json(value: object, status: int) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
