"""How a command ends is told for every way in which it may end."""

from __future__ import annotations

import re
from pathlib import Path

from server.exits import Exit

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_every_exit_code_is_explained() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \|", PAGE.read_text(), re.MULTILINE)
    assert {int(code) for row in rows for code in row.split(",")} >= set(Exit)
