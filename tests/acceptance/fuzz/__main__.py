"""A long run by hand: `nice -n 10 python -m tests.acceptance.fuzz --minutes 10`. Prints a table and what is wrong."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.acceptance.fuzz.run import UNLIMITED, Figures, fuzz
from tests.acceptance.product import running_product


async def run(minutes: float, cases_per_operation: int) -> Figures:
    """The figures of a run against a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        async with running_product(data_dir, **UNLIMITED) as product:
            token = (data_dir / "admin.token").read_text().strip()
            return await asyncio.to_thread(fuzz, product.url, token, int(minutes * 60), cases_per_operation)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--cases", type=int, default=1000, help="at most so many made-up ones for each operation")
    options = parser.parse_args()
    figures = asyncio.run(run(options.minutes, options.cases))
    print("\n".join(figures.lines()))
    phases = ", ".join(f"{count} {phase}" for phase, count in figures.phases.items())
    print(f"\n{figures.cases} cases ({phases}), {figures.share(200, 299):.0%} 2xx, {figures.share(401, 401):.0%} 401,")
    print(f"{figures.share(500, 599):.2%} 5xx, {len(figures.failures)} failures; no success: {figures.without_success}")
    for error in figures.errors:
        print(f"not tried: {error}")
    for (name, check), shown in figures.failures.items():
        print(f"\n{name}: {check}\n{shown}")
    return 1 if figures.failures else 0


if __name__ == "__main__":
    sys.exit(main())
