"""The results page."""

from __future__ import annotations

from benchmarks.machine import machine, versions
from benchmarks.parts import Plan, Results
from benchmarks.scenarios import AWARE_OPEN
from benchmarks.targets import aims_section

_HOW = """\
Every server runs alone on one core, started anew for each of its turns; the load generator (`benchmarks/load`, C) and
Postgres have the other. The turns go A B C A B C …; figures are medians over the rounds, latencies those of all
deliveries or acks of a run.
PantheraHive is the product, started by its command line on its embedded Postgres with every limit as it is by default
and all consumers on: clients have accounts and tokens, are members of a project of 1,000 tasks, and every command
is authorised, decided, logged and projected. To stay within the limits per user and per address they are 50 people on
100 loopback addresses. A durable command is `EditTask` with a new title. The peers (`benchmarks/peers`) have no
accounts, permissions, state or read tables: they keep the command in one table of a Postgres that the same launcher
started with the same settings, and emit what they were sent. The C limit does nothing but send.
The server's CPU is the time of its process; its core's is the time that the core was busy, which has the kernel's work
in it that delivers packets of the loopback device and is charged to nobody. Of Postgres' time all of its processes are
counted, in brackets those of the read tables, checkpoints and snapshots (what the projector and others write)."""


def page(head: str, plan: Plan, results: Results) -> str:
    """All of it as Markdown."""
    pace = plan.pace
    paragraphs = [
        "# Results\n",
        f"{head}: {machine(plan.cores)}.\n",
        f"Versions: {versions(plan.tools)}.\n",
        _HOW + f"\nThis run had {pace.rounds} rounds with measurements of {pace.seconds:g} s, and "
        f"of {pace.seconds * AWARE_OPEN.patience:g} s where the clock sends.\n",
    ]
    if plan.tools.missing:
        paragraphs.append("Missing here:\n\n" + "\n".join(f"* {missing}" for missing in plan.tools.missing) + "\n")
    if results.aims:
        paragraphs.append(aims_section(results.aims).markdown())
    if results.chart:
        paragraphs.append("![Deliveries and acks per second beside the peers](RESULTS.svg)\n")
    paragraphs += [section.markdown() for section in results.sections]
    if results.failures:
        paragraphs.append(
            "## What could not be measured\n\n" + "\n".join(f"* {each}" for each in results.failures) + "\n"
        )
    return "\n".join(paragraphs)
