"""The rounds: every contender in its turn, A B C A B C …, each on a fresh process, and what was measured."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from benchmarks.arena import Arena
from benchmarks.contenders import Contender, Stage
from benchmarks.generator import RunFailed, Sample, sample_of
from benchmarks.program import ProgramFailed
from benchmarks.scenarios import COMMANDS_8, Kind, Scenario

_WARM_SCENARIO = COMMANDS_8
_WARM_S = 0.7


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long."""

    rounds: int
    seconds: float
    warmup_s: float


@dataclass(slots=True)
class Samples:
    """Samples by scenario, contender and round, and what went wrong."""

    of: dict[tuple[str, str], dict[int, Sample]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, scenario: str, contender: str, number: int, sample: Sample) -> None:
        self.of.setdefault((scenario, contender), {})[number] = sample

    def get(self, scenario: str, contender: str) -> Mapping[int, Sample]:
        """Round → sample; rounds that failed are missing."""
        return self.of.get((scenario, contender), {})


def say(what: str) -> None:
    """A line of progress."""
    print(what, file=sys.stderr, flush=True)


async def play(arena: Arena, contenders: Sequence[Contender], scenarios: Sequence[Scenario], pace: Pace) -> Samples:
    """All rounds. A contender or a scenario that fails costs itself, not the run."""
    samples = Samples()
    for number in range(pace.rounds):
        for contender in contenders:
            began_s = monotonic()
            try:
                async with contender.running(arena) as stage:
                    await _Turn(arena, contender, stage, pace, number, samples).play(scenarios)
            except (ProgramFailed, RuntimeError, OSError) as failure:
                _note(samples, f"{contender.name}: {failure}")
            say(f"round {number + 1} of {pace.rounds}: {contender.name}, {monotonic() - began_s:.1f} s")
    return samples


@dataclass(frozen=True, slots=True)
class _Turn:
    """One contender in one round."""

    arena: Arena
    contender: Contender
    stage: Stage
    pace: Pace
    number: int
    samples: Samples

    async def play(self, scenarios: Sequence[Scenario]) -> None:
        if Kind.DURABLE in self.contender.kinds:
            await _warm(self.arena, self.stage)
        for scenario in scenarios:
            if scenario.kind in self.contender.kinds:
                await self._one(scenario)

    async def _one(self, scenario: Scenario) -> None:
        key = self.contender.key
        try:
            sample = await measure(self.arena, self.stage, scenario, self.pace.seconds, self.pace.warmup_s)
        except RunFailed as failure:
            _note(self.samples, f"{self.contender.name}, {scenario.title}: {failure}")
        else:
            self.samples.add(scenario.key, key, self.number, sample)
            say(f"  {scenario.key:<10} {key:<16} {line(sample)}")


async def _warm(arena: Arena, stage: Stage) -> None:
    """Until the connections to Postgres are there, whose processes are counted from the first measurement on."""
    flags = await stage.flags(_WARM_SCENARIO)
    await arena.generator.run("command", {"port": stage.port, **flags, "warmup": 0, "duration": _WARM_S})


async def measure(
    arena: Arena, stage: Stage, scenario: Scenario, seconds: float, warmup_s: float, **more: object
) -> Sample:
    """One run of the generator, of so many seconds or what the scenario makes of them. Raises RunFailed."""
    duration_s = seconds * scenario.patience
    flags = {"port": stage.port, **await stage.flags(scenario), "duration": duration_s, "warmup": warmup_s, **more}
    flags["core"] = arena.cores.server
    return sample_of(await arena.generator.run(scenario.mode, flags, await stage.groups()))


def _note(samples: Samples, failure: str) -> None:
    say(f"  failed: {failure}")
    samples.failures.append(failure)


def line(sample: Sample) -> str:
    """One measurement for whoever watches."""
    cpu: Mapping[str, float] = sample.cpu_us
    groups = ", ".join(f"{name} {us:.2f} µs" for name, us in cpu.items())
    return f"{sample.per_s:>10,.0f}/s  p50 {sample.p50_us / 1000:.2f} ms  p99 {sample.p99_us / 1000:.2f} ms  {groups}"
