"""What `python -m benchmarks` is told."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.parts import PARTS
from benchmarks.scenarios import SCENARIOS

_ROUNDS_MAX = 1000
_SECONDS_MIN, _SECONDS_MAX = 0.1, 600


def arguments_in(words: Sequence[str] | None = None, description: str | None = None) -> argparse.Namespace:
    """The words of the command line, or these. Leaves with code 2 for what cannot be measured."""
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
    parser.add_argument("--rounds", type=_rounds, help="rounds of the comparison")
    parser.add_argument("--seconds", type=_seconds, help="how long one measurement of the comparison takes")
    parser.add_argument("--out", type=_page, help="where the page goes; the pictures stand beside it")
    return parser.parse_args(words)


def _rounds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _ROUNDS_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 to {_ROUNDS_MAX}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not _SECONDS_MIN <= seconds <= _SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no number from {_SECONDS_MIN} to {_SECONDS_MAX}")
    return seconds


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        found = [name for name in text.split(",") if name]
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
        if not found:
            raise argparse.ArgumentTypeError(f"nothing is named; there are {', '.join(known)}")
        return found

    return names


def _page(text: str) -> Path:
    """What cannot be written is refused before anything is measured: a run takes up to 25 minutes."""
    path = Path(text)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} is no file that can be written")
    return path
