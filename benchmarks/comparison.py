"""The comparison as tables: a section per scenario, a row per contender."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.contenders import Contender
from benchmarks.figures import Section, median
from benchmarks.generator import Sample
from benchmarks.rounds import Samples
from benchmarks.scenarios import Kind, Scenario
from benchmarks.targets import cpu_total, ratio

_LIMIT = "limit"


def _median_of(samples: Sequence[Sample], figure: Callable[[Sample], float]) -> float:
    return median([figure(sample) for sample in samples])


def _ms(us: float) -> str:
    return f"{us / 1000:.2f} ms"


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}×"


def _row(samples: Samples, scenario: Scenario, contender: Contender) -> list[str] | None:
    runs = list(samples.get(scenario.key, contender.key).values())
    if not runs:
        return None
    here = (scenario.key, contender.key)
    cells = [
        contender.name,
        f"{_median_of(runs, lambda run: run.per_s):,.0f}",
        _ms(_median_of(runs, lambda run: run.p50_us)),
        _ms(_median_of(runs, lambda run: run.p99_us)),
        _ms(_median_of(runs, lambda run: run.p999_us)),
        f"{_median_of(runs, lambda run: run.cpu_us.get('server', 0.0)):.1f} µs",
    ]
    if scenario.rate is not None:
        return [*cells, *_against(samples, here, "p99_us")]
    cells.append(f"{_median_of(runs, lambda run: run.cpu_us.get('core', 0.0)):.1f} µs")
    if scenario.kind is Kind.DURABLE:
        cells.append(_postgres(runs))
    cells += _against(samples, here, "per_s")
    if scenario.kind is Kind.EPHEMERAL:
        cells.append(_times(ratio(samples, here, (scenario.key, _LIMIT))))
    return cells


def _against(samples: Samples, there: tuple[str, str], figure: str) -> list[str]:
    scenario, contender = there
    return ["" if contender == "ours" else _times(ratio(samples, (scenario, "ours"), there, figure))]


def _postgres(runs: Sequence[Sample]) -> str:
    """All of it; in brackets that of the read tables, checkpoints and snapshots, where it is told apart."""
    whole = _median_of(runs, lambda run: cpu_total(run.cpu_us, "postgres"))
    tables = _median_of(runs, lambda run: run.cpu_us.get("postgres_write", 0.0))
    return f"{whole:.1f} µs" + (f" ({tables:.1f})" if tables else "")


def sections(samples: Samples, contenders: Sequence[Contender], scenarios: Sequence[Scenario]) -> list[Section]:
    """One per scenario that was measured."""
    found = []
    for scenario in scenarios:
        rows = [row for contender in contenders if (row := _row(samples, scenario, contender)) is not None]
        if rows:
            found.append(Section(title_of(scenario), _head(scenario), rows))
    return found


def title_of(scenario: Scenario) -> str:
    return scenario.title[0].upper() + scenario.title[1:]


def _head(scenario: Scenario) -> list[str]:
    many, one = ("deliveries", "delivery") if scenario.mode == "fanout" else ("acks", "ack")
    head = ["server", f"{many}/s", "p50", "p99", "p99.9", f"server's CPU per {one}"]
    if scenario.rate is not None:  # as many as the clock sends, and a core's time is too coarse for so few
        return [*head, "PantheraHive's p99 against it"]
    head.append("its core's")
    if scenario.kind is Kind.DURABLE:
        head.append("Postgres' CPU")
    head.append("PantheraHive against it")
    if scenario.kind is Kind.EPHEMERAL:
        head.append("share of the C limit")
    return head
