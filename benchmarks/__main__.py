"""`python -m benchmarks [--seconds S] [--out FILE]`: all measurements, one after the other, and the results page."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from benchmarks import activation, durable, memory, resume
from benchmarks.figures import Section, machine
from benchmarks.product import running_product


async def _all(seconds: float) -> list[Section]:
    sections = []
    async with running_product() as product:
        _say("durable commands")
        sections.append(await durable.measure(product, seconds))
    _say("activation")
    sections.append(await activation.measure())
    async with running_product() as product:
        _say("memory")
        sections.append(await memory.measure(product))
    async with running_product() as product:
        _say("resume")
        sections.append(await resume.measure(product))
    return sections


def _say(what: str) -> None:
    print(f"measuring {what} …", file=sys.stderr, flush=True)


def main() -> None:
    """Writes the results page."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement of commands takes")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "RESULTS.md")
    arguments = parser.parse_args()
    sections = uvloop.run(_all(arguments.seconds))
    head = (
        "# Results\n\n"
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench`: {machine()}.\n"
        "The machine is shared, so ratios within one run say more than the times.\n"
    )
    arguments.out.write_text("\n".join([head, *(section.markdown() for section in sections)]))
    print(arguments.out.read_text())


if __name__ == "__main__":
    main()
