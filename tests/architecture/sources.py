"""The files of the checkout: those that are committed, and new ones that nothing ignores.

In a checkout without git (an unpacked archive): all but those in folders that are made by running things.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

MADE: Final = {"__pycache__", "node_modules", "build", "dist"}
"""Folders that are made by running things, in whatever part of the checkout."""


@cache
def tracked() -> tuple[str, ...]:
    """Their paths from the checkout's folder, sorted. Deleted ones that are still in the index are left out."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if not (ROOT / ".git").exists():
        return tuple(sorted(_walked()))
    listed = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    return tuple(sorted(path for path in set(listed.split("\0")) if path and (ROOT / path).is_file()))


def _walked() -> Iterator[str]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name == ".ci" or not (name.startswith(".") or name in MADE)]
        yield from ((Path(folder) / name).relative_to(ROOT).as_posix() for name in names if not name.endswith(".log"))


@cache
def text_of(path: str) -> str:
    """The file's text; "" for what is not text."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""
