"""The figures to reach, and how far each is: pure arithmetic on samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.figures import Section, median
from benchmarks.rounds import Samples


@dataclass(frozen=True, slots=True)
class Aim:
    """One figure to reach: at least (or at most) so much of `unit`. `reached` is None where it was not measured."""

    what: str
    wanted: float
    reached: float | None
    at_least: bool = True
    unit: str = "×"
    # How a word stands for the figure, where a number alone says too little.
    told: str = ""

    @property
    def is_met(self) -> bool | None:
        if self.reached is None:
            return None
        return self.reached >= self.wanted if self.at_least else self.reached <= self.wanted

    @property
    def verdict(self) -> str:
        """`reached`, `missed by 12 %`, `not measured`."""
        if self.reached is None:
            return "not measured"
        if self.is_met:
            return "reached"
        if not self.wanted or math.isinf(self.reached):
            return "**missed**"
        return f"**missed by {abs(self.reached - self.wanted) / self.wanted:.0%}**".replace("%", " %")

    def row(self) -> list[str]:
        sign = "≥" if self.at_least else "≤"
        figure = "–" if self.reached is None else f"{_short(self.reached)} {self.unit}".replace(" ×", "×")
        return [
            self.what,
            f"{sign} {_short(self.wanted)} {self.unit}".replace(" ×", "×"),
            f"{figure} {self.told}".strip(),
            self.verdict,
        ]


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def ratio(samples: Samples, ours: tuple[str, str], theirs: tuple[str, str], figure: str = "per_s") -> float | None:
    """Median over the rounds of one figure against another of the same round; None where no round has both."""
    mine, other = samples.get(*ours), samples.get(*theirs)
    both = sorted(mine.keys() & other.keys())
    if not both:
        return None
    return median([getattr(mine[number], figure) / getattr(other[number], figure) for number in both])


def aims_of_rounds(samples: Samples) -> list[Aim]:
    """What the comparison with the peers has to show."""

    def against(what: str, scenario: str, peer: str, wanted: float, peers_scenario: str = "") -> Aim:
        theirs = (peers_scenario or scenario, peer)
        return Aim(what, wanted, ratio(samples, (scenario, "ours"), theirs))

    def p99(what: str, peer: str, wanted: float) -> Aim:
        reached = ratio(samples, ("awareopen", "ours"), ("awareopen", peer), "p99_us")
        return Aim(what, wanted, reached, at_least=False)

    durable_1 = "durable fan-out, 1,000 followers, one at a time"
    news_1 = "awareness, 1,000 followers, one at a time"
    news_8 = "awareness, 1,000 followers, 8 in flight"
    acked = "durable commands, 50 clients, 8 in flight each"
    told = "durable commands, 50 clients who all follow, 8 in flight each"
    clock = "p99 at 50 events/s to 100 followers"
    return [
        against(f"{durable_1}: Node socket.io + group commit", "fan1", "node-group", 1.4),
        against(f"{news_1}: Node socket.io", "aware1", "node-group", 1.8),
        against(f"{news_1}: C limit", "aware1", "limit", 0.85),
        against(f"{news_8}: Node socket.io", "aware8", "node-group", 6),
        against(f"{news_8}: Node on uWebSockets", "aware8", "uws-group", 0.75),
        against(f"{news_8}: python-socketio, one at a time", "aware8", "python-socketio", 8, "aware1"),
        against(f"{acked}: Node + INSERT, pool 20", "commands8", "node-insert", 5),
        against(f"{acked}: Node + group commit", "commands8", "node-group", 1.2),
        against(f"{told}: Node + INSERT, pool 20", "told8", "node-insert", 12),
        against(f"{told}: Node + group commit", "told8", "node-group", 10),
        p99(f"{clock}: C limit", "limit", 1.6),
        p99(f"{clock}: Node on uWebSockets", "uws-group", 1.0),
    ]


def aims_section(aims: Sequence[Aim]) -> Section:
    """The table that says target and reached, row by row."""
    met = sum(aim.is_met is True for aim in aims)
    measured = sum(aim.is_met is not None for aim in aims)
    count = f"{met} of {measured} measured reached, {len(aims) - measured} of {len(aims)} not measured"
    if measured == len(aims):
        count = f"{met} of {len(aims)} reached"
    note = f"{count}. Ratios are medians over the rounds, each of two runs of the same round."
    return Section("Figures to reach", ["what", "target", "reached", ""], [aim.row() for aim in aims], [note])


def cpu_total(cpu_us: Mapping[str, float], prefix: str) -> float:
    """Microseconds of all groups whose name begins so."""
    return sum(us for group, us in cpu_us.items() if group.startswith(prefix))
