"""The parts of a run. Each adds its tables, aims and failures to the results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from benchmarks import activation, drop, durable, fuzzing, idle, memory, profile, reading, resume, slow
from benchmarks.arena import open_arena
from benchmarks.contenders import contenders
from benchmarks.cores import Cores
from benchmarks.figures import Section
from benchmarks.product import running_product
from benchmarks.rounds import Pace
from benchmarks.scenarios import Scenario
from benchmarks.targets import Aim
from benchmarks.toolbox import Toolbox
from benchmarks.versus import compare

_COMMAND_SECONDS = 3.0
_HISTORIES = 2
"""Of the sizes of histories; seeding the largest takes minutes, and `benchmarks.reading` by itself has it."""
_FUZZED_TASKS = 50
"""A small project: joins are answered with its whole state."""
_HELD = ("ours", "node-group", "uws-group", "python-socketio")
"""Whose idle connections are weighed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do."""

    cores: Cores
    tools: Toolbox
    pace: Pace
    quick: bool = False
    scenarios: list[Scenario] = field(default_factory=list)
    contenders: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Results:
    """What a run has found so far."""

    sections: list[Section] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    chart: str = ""
    flame: str = ""


async def _versus(plan: Plan, results: Results) -> None:
    found = await compare(plan.cores, plan.tools, plan.pace, plan.scenarios, plan.contenders)
    results.aims += found.aims
    results.sections += found.sections
    results.failures += found.failures
    results.chart = found.chart


async def _profile(plan: Plan, results: Results) -> None:
    async with open_arena(plan.cores, plan.tools) as arena:
        section, results.flame = await profile.measure(arena, 3 if plan.quick else 8)
    results.sections.append(section)


async def _idle(plan: Plan, results: Results) -> None:
    async with open_arena(plan.cores, plan.tools) as arena:
        field = [each for each in contenders(arena) if each.key in (plan.contenders or _HELD)]
        _add(results, await idle.measure(arena, field, 500 if plan.quick else 2_000))


async def _drop(plan: Plan, results: Results) -> None:
    async with open_arena(plan.cores, plan.tools) as arena:
        _add(results, await drop.measure(arena, 2_000 if plan.quick else 10_000))


async def _slow(plan: Plan, results: Results) -> None:
    async with open_arena(plan.cores, plan.tools) as arena:
        _add(results, await slow.measure(arena, *((200, 1) if plan.quick else (1_000, 2))))


async def _fuzz(plan: Plan, results: Results) -> None:
    async with open_arena(plan.cores, plan.tools, _FUZZED_TASKS) as arena:
        _add(results, await fuzzing.measure(arena, 40_000 if plan.quick else 1_000_000))


def _add(results: Results, found: tuple[Section, list[Aim]]) -> None:
    results.sections.append(found[0])
    results.aims += found[1]


async def _durable(_plan: Plan, results: Results) -> None:
    async with running_product() as product:
        results.sections.append(await durable.measure(product, _COMMAND_SECONDS))


async def _activation(_plan: Plan, results: Results) -> None:
    results.sections.append(await activation.measure())


async def _memory(_plan: Plan, results: Results) -> None:
    async with running_product() as product:
        results.sections.append(await memory.measure(product))


async def _resume(_plan: Plan, results: Results) -> None:
    async with running_product() as product:
        results.sections.append(await resume.measure(product))


async def _reading(_plan: Plan, results: Results) -> None:
    results.sections += await reading.measure(
        reading.Sizes(reading.TASKS, reading.PROJECTS, reading.ENTRIES[:_HISTORIES])
    )


PARTS: Mapping[str, Callable[[Plan, Results], Awaitable[None]]] = {
    "versus": _versus,
    "profile": _profile,
    "idle": _idle,
    "slow": _slow,
    "drop": _drop,
    "fuzz": _fuzz,
    "durable": _durable,
    "activation": _activation,
    "memory": _memory,
    "resume": _resume,
    "reading": _reading,
}
QUICK_PARTS = ("versus", "profile", "idle", "slow", "drop", "fuzz")
