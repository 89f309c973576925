"""The product beside its peers: rounds, tables, aims and the chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import comparison
from benchmarks.arena import open_arena
from benchmarks.chart import Bar, Group, svg
from benchmarks.contenders import Contender, contenders
from benchmarks.cores import Cores
from benchmarks.figures import Section, median
from benchmarks.rounds import Pace, Samples, play
from benchmarks.scenarios import Scenario
from benchmarks.targets import Aim, aims_of_rounds
from benchmarks.toolbox import Toolbox

_CHARTED = ("fan1", "aware1", "aware8", "commands8", "told8")
_LIMITS = ("limit", "limit-tick")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the rounds gave."""

    aims: Sequence[Aim]
    sections: Sequence[Section]
    chart: str
    failures: Sequence[str]


async def compare(
    cores: Cores, tools: Toolbox, pace: Pace, wanted: Sequence[Scenario], only_contenders: Sequence[str] = ()
) -> Comparison:
    """The scenarios with all contenders that can run here, or those that are named."""
    async with open_arena(cores, tools) as arena:
        field = [each for each in contenders(arena) if not only_contenders or each.key in only_contenders]
        samples = await play(arena, field, wanted, pace)
    return Comparison(
        aims_of_rounds(samples),
        comparison.sections(samples, field, wanted),
        chart_of(samples, field, wanted),
        samples.failures,
    )


def chart_of(samples: Samples, field: Sequence[Contender], scenarios: Sequence[Scenario]) -> str:
    """Medians of what was delivered or acknowledged per second."""
    groups = []
    for scenario in scenarios:
        bars = [
            Bar(contender.name, median([run.per_s for run in runs.values()]), _kind(contender))
            for contender in field
            if (runs := samples.get(scenario.key, contender.key))
        ]
        if bars and scenario.key in _CHARTED:
            unit = "deliveries" if scenario.mode == "fanout" else "acks"
            groups.append(Group(f"{comparison.title_of(scenario)}: {unit} per second", bars))
    return svg("One core for the server, medians", groups)


def _kind(contender: Contender) -> str:
    if contender.key == "ours":
        return "ours"
    return "limit" if contender.key in _LIMITS else "peer"
