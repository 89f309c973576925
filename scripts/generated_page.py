"""What the scripts have in common that each write one page of the documentation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]


def write_or_check(page: Path, text: str, script: str, arguments: Sequence[str] | None = None) -> int:
    """The command line of such a script, which is the file `script`: the page gets this text. Returns the exit code."""
    name = page.relative_to(_ROOT)
    parser = argparse.ArgumentParser(description=f"Writes `{name}`; `--check` says whether it is up to date.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is out of date")
    options = parser.parse_args(arguments)
    if page.is_file() and page.read_text("utf-8") == text:
        return 0
    if options.check:
        print(f"{name} is out of date: run python scripts/{Path(script).name}")
        return 1
    page.write_text(text, "utf-8")
    print(f"wrote {name}")
    return 0


def table_row(*cells: object) -> str:
    """A line of a table in Markdown."""
    texts = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(texts)} |\n"
