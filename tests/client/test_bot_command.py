"""The command line of a bot: its flags, and how it says no."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pantherahive_client import Bot
from pantherahive_client.bot_command import FAILED, bot_parser, point_of, run_command

TOKEN = ("APOLLO", "--token-file", "bot.token")


def test_a_bot_s_name_is_its_cursor_s_unless_it_is_told_another() -> None:
    parser = bot_parser("greeter", "Greets.")
    given = parser.parse_args(TOKEN)
    assert (given.name, given.start, given.rehearse, given.after, given.until) == ("greeter", "now", False, "0", None)
    assert parser.parse_args([*TOKEN, "--name", "other"]).name == "other"
    with pytest.raises(SystemExit):
        parser.parse_args(["APOLLO"])


@pytest.mark.parametrize("words", [(), ("--rehearse",)])
def test_a_token_that_is_not_there_is_told_in_one_line(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = bot_parser("greeter", "Greets.").parse_args(["APOLLO", "--token-file", str(tmp_path / "none"), *words])
    assert run_command(given, Bot()) == FAILED
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert error.startswith("greeter: ")
    assert "No such file" in error


def test_apoint_of_is_a_seq_a_day_or_a_time() -> None:
    assert point_of("12") == 12
    assert point_of("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert point_of("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    with pytest.raises(ValueError, match="yesterday"):
        point_of("yesterday")
