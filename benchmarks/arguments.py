"""What `python -m benchmarks` is told."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.parts import PARTS
from benchmarks.scenarios import SCENARIOS


def arguments_in(words: Sequence[str] | None = None, description: str | None = None) -> argparse.Namespace:
    """The words of the command line, or these. Leaves with code 2 for a name that is not there."""
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller crowds, without the slow parts")
    for flag, known in (
        ("--only", list(PARTS)),
        ("--scenarios", [scenario.key for scenario in SCENARIOS]),
        ("--contenders", [contender.key for contender in CONTENDERS]),
    ):
        parser.add_argument(flag, type=_names(known), default=[], help=f"separated by commas: {', '.join(known)}")
    parser.add_argument("--rounds", type=int, help="rounds of the comparison")
    parser.add_argument("--seconds", type=float, help="how long one measurement of the comparison takes")
    parser.add_argument("--out", type=Path, help="where the page goes; the chart stands beside it")
    return parser.parse_args(words)


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        found = [name for name in text.split(",") if name]
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
        return found

    return names
