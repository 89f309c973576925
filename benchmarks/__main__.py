"""`python -m benchmarks`: measures, and writes the results page with its chart.

    python -m benchmarks            everything, about 25 minutes
    python -m benchmarks --quick    a few minutes: fewer rounds, smaller crowds
    python -m benchmarks --only versus --scenarios aware1,aware8 --contenders ours,node-group --rounds 1

A run of parts prints its tables and leaves the page alone, unless `--out` names a file.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import aiohttp
import uvloop

from benchmarks.arguments import arguments_in
from benchmarks.cores import two_cores
from benchmarks.generator import RunFailed
from benchmarks.page import page
from benchmarks.parts import PARTS, QUICK_PARTS, Plan, Results
from benchmarks.program import ProgramFailed
from benchmarks.rounds import Pace, say
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.toolbox import AnotherRun, ToolMissing, make_toolbox, only_run

_HERE = Path(__file__).parent
_FULL = Pace(rounds=5, seconds=1.5, warmup_s=0.5)
_QUICK = Pace(rounds=2, seconds=1.0, warmup_s=0.3)

_BUSY = 0.5
"""A load average above it says that the machine was not given to the run."""
_FAILURES = (RunFailed, ProgramFailed, RuntimeError, OSError, KeyError, aiohttp.ClientError, ExceptionGroup)
"""What costs a part, not the run."""


def _plan(arguments: argparse.Namespace) -> Plan:
    pace = _QUICK if arguments.quick else _FULL
    tools = make_toolbox()
    for missing in tools.missing:
        say(f"missing: {missing}")
    return Plan(
        two_cores(os.sched_getaffinity(0)),
        tools,
        Pace(arguments.rounds or pace.rounds, arguments.seconds or pace.seconds, pace.warmup_s),
        quick=arguments.quick,
        scenarios=_scenarios(arguments.scenarios, quick=arguments.quick),
        contenders=arguments.contenders,
    )


def _scenarios(names: list[str], *, quick: bool) -> list[Scenario]:
    """Those that are named; else those of the run."""
    if names:
        return [scenario for scenario in SCENARIOS if scenario.key in names]
    return [scenario for scenario in SCENARIOS if scenario.quick or not quick]


async def _measure(plan: Plan, names: list[str]) -> Results:
    results = Results()
    run = asyncio.current_task()
    assert run is not None
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, run.cancel
    )  # what was started is ended on the way out
    for name in names:
        began_s = monotonic()
        say(f"— {name}")
        try:
            await PARTS[name](plan, results)
        except _FAILURES as failure:
            say(f"  failed: {failure}")
            results.failures.append(
                f"{name}: {failure!r}" if isinstance(failure, ExceptionGroup) else f"{name}: {failure}"
            )
        say(f"— {name} took {monotonic() - began_s:.0f} s")
    return results


def main() -> int:
    """The exit code is 0 when everything could be measured, whatever the figures are."""
    arguments = arguments_in(description=__doc__)
    try:
        with only_run():
            return _run(arguments)
    except (AnotherRun, ToolMissing) as why:
        sys.exit(f"cannot measure: {why}")


def _run(arguments: argparse.Namespace) -> int:
    plan = _plan(arguments)
    names = arguments.only or list(QUICK_PARTS if arguments.quick else PARTS)
    busy = os.getloadavg()[0]
    began_s = monotonic()
    results = uvloop.run(_measure(plan, names))
    minutes = (monotonic() - began_s) / 60
    how = "`make bench-quick`" if arguments.quick else "`make bench`"
    head = f"Measured on {datetime.now(UTC):%Y-%m-%d} by {how} in {minutes:.0f} minutes"
    if busy > _BUSY:
        head += f", beside other work (load average {busy:.1f} at its start)"
    text = page(head, plan, results)
    print(text)
    out = arguments.out or (None if arguments.only else _HERE / "RESULTS.md")
    if out is not None:
        out.write_text(text)
        if results.chart:
            out.with_suffix(".svg").write_text(results.chart)
        if results.flame:
            out.with_suffix(".flame.svg").write_text(results.flame)
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
