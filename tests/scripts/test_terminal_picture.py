"""The picture shows what was printed, and says where something was left out."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from scripts.terminal_picture import COLUMNS, Line, Pane, picture, shortened
from tests.architecture.sources import ROOT

SIZE_MAX_BYTES = 60 * 1024


def test_what_fits_is_shown_as_it_is() -> None:
    lines = [Line("$ go", "prompt"), Line("gone")]
    assert shortened(lines, 2) == lines


def test_the_important_lines_stay_and_gaps_are_shown() -> None:
    lines = [Line(f"{number}", "bad" if number == 50 else "") for number in range(100)]
    shown = shortened(lines, 10)
    assert len(shown) <= 10
    assert Line("50", "bad") in shown
    assert shown[-1] == Line("99")
    assert Line("…", "quiet") in shown
    numbers = [int(line.text) for line in shown if line.text != "…"]
    assert numbers == sorted(numbers)


def test_too_many_important_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        shortened([Line("x", "good")] * 3, 2)


def test_a_picture_is_xml_with_cut_and_escaped_lines() -> None:
    drawn = picture([Pane("<one>", [Line("a & b"), Line("x" * 200)], 5)], "all < well")
    texts = [element.text or "" for element in ElementTree.fromstring(drawn).iter() if element.tag.endswith("text")]
    assert texts == ["<one>", "a & b", "x" * (COLUMNS - 1) + "…", "all < well"]


def test_the_picture_of_the_readme_is_small_and_names_no_folder() -> None:
    drawn = (ROOT / "docs/images/live.svg").read_text("utf-8")
    assert len(drawn.encode()) <= SIZE_MAX_BYTES
    assert "/home/" not in drawn
    assert "/tmp/" not in drawn
    assert "replicas equal: yes; 0 lost; 0 doubled" in drawn
