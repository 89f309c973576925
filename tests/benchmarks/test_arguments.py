"""The command line of the benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.arguments import arguments_in


@pytest.mark.parametrize("flag", ["--only", "--scenarios", "--contenders"])
def test_a_name_that_is_not_there_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    with pytest.raises(SystemExit) as left:
        arguments_in([flag, "nope"])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {flag}: there is no nope; there are " in said


@pytest.mark.parametrize("words", ["--rounds -1", "--rounds 0", "--rounds 1.5", "--rounds x", "--rounds 1001"])
@pytest.mark.parametrize("joined", [" ", "="])
def test_rounds_are_counted_from_one(capsys: pytest.CaptureFixture[str], words: str, joined: str) -> None:
    assert_refused(words.replace(" ", joined).split(), "is no whole number from 1 to 1000", capsys)


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "0", "-1", "1e9", "x"])
def test_a_measurement_takes_a_while_and_ends(capsys: pytest.CaptureFixture[str], seconds: str) -> None:
    assert_refused([f"--seconds={seconds}"], "is no number from 0.1 to 600", capsys)


def assert_refused(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        arguments_in(words)
    assert left.value.code == 2
    assert why in capsys.readouterr().err


def test_rounds_and_seconds_are_taken_as_they_are_said() -> None:
    found = arguments_in(["--rounds", "3", "--seconds", "1.5"])
    assert (found.rounds, found.seconds) == (3, 1.5)
    assert (arguments_in([]).rounds, arguments_in([]).seconds) == (None, None)


def test_names_are_separated_by_commas() -> None:
    found = arguments_in(["--only", "versus", "--scenarios", "aware1,aware8", "--contenders", "ours,node-group,"])
    assert (found.only, found.scenarios, found.contenders) == (["versus"], ["aware1", "aware8"], ["ours", "node-group"])
    assert arguments_in([]).contenders == []


@pytest.mark.parametrize("flag", ["--only", "--scenarios", "--contenders"])
@pytest.mark.parametrize("names", ["", ","])
def test_nothing_is_no_name(capsys: pytest.CaptureFixture[str], flag: str, names: str) -> None:
    assert_refused([flag, names], f"argument {flag}: nothing is named; there are ", capsys)


@pytest.mark.parametrize("place", ["away/page.md", "", "."])
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, place: str
) -> None:
    assert_refused(["--out", str(tmp_path / place)], "is no file that can be written", capsys)


def test_a_page_may_be_new_or_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for text in ("", "old"):
        assert arguments_in(["--out", str(page)]).out == page
        page.write_text(text)
