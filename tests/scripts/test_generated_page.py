"""A page is written once, and is out of date from the moment on that its text would be another."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import generated_page
from scripts.generated_page import table_row, write_or_check


def test_a_page_is_written_only_when_its_text_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generated_page, "_ROOT", tmp_path)
    page, script = tmp_path / "page.md", "/elsewhere/write_page.py"
    assert write_or_check(page, "old\n", script, ["--check"]) == 1
    assert not page.exists()
    assert write_or_check(page, "old\n", script, []) == 0
    assert write_or_check(page, "old\n", script, ["--check"]) == 0
    assert write_or_check(page, "new\n", script, ["--check"]) == 1
    assert page.read_text() == "old\n"
    late = "page.md is out of date: run python scripts/write_page.py"
    assert capsys.readouterr().out.splitlines() == [late, "wrote page.md", late]


def test_what_stands_in_a_table_cannot_end_its_cell() -> None:
    assert table_row(1, "a|b", "two\nlines", "") == "| 1 | a\\|b | two lines |  |\n"
