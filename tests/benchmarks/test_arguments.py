"""The command line of the benchmarks."""

from __future__ import annotations

import pytest

from benchmarks.arguments import arguments_in


@pytest.mark.parametrize("flag", ["--only", "--scenarios", "--contenders"])
def test_a_name_that_is_not_there_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    with pytest.raises(SystemExit) as left:
        arguments_in([flag, "nope"])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {flag}: there is no nope; there are " in said


def test_names_are_separated_by_commas() -> None:
    found = arguments_in(["--only", "versus", "--scenarios", "aware1,aware8", "--contenders", "ours,node-group,"])
    assert (found.only, found.scenarios, found.contenders) == (["versus"], ["aware1", "aware8"], ["ours", "node-group"])
    assert arguments_in([]).contenders == []
