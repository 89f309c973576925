"""The greeting can be pasted into a shell, whatever the paths are called."""

from __future__ import annotations

import shlex
from pathlib import Path

from config.settings import Settings
from server.commands.greeting import Reached, greeting, own_command

HERE = Reached("http://127.0.0.1:8080", "http://127.0.0.1:8080")


def test_what_to_try_does_not_need_the_machines_name() -> None:
    reached = Reached("http://away.invalid:8080", "http://[::1]:8080")
    said = greeting(Settings.model_validate({"data_dir": "/srv/data"}), reached, is_embedded=True, took_s=1.25)
    head, _, tries = said.partition("What to try next:")
    assert "listens on http://away.invalid:8080 " in head
    assert "away.invalid" not in tries
    assert "curl -s 'http://[::1]:8080/v1/users/register' -H" in tries


def test_paths_are_quoted_and_the_owner_is_who_registers_above() -> None:
    settings = Settings.model_validate({"data_dir": "/srv/our data"})
    said = greeting(settings, HERE, is_embedded=True, took_s=1.25)
    assert "admin token   '/srv/our data/admin.token'" in said
    command = said[said.index(" import github-archive") :].partition("\n\n")[0]
    words = shlex.split(command.replace("\\\n", " "))
    assert words[3:] == ["--owner", "ada", "--server", "http://127.0.0.1:8080", "--data-dir", "/srv/our data"]
    assert '"username": "ada"' in said


def test_an_open_data_folder_is_told_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "our data"
    folder.mkdir(mode=0o755)
    settings = Settings.model_validate({"data_dir": folder})
    advice = f"chmod 700 '{folder}'"
    assert advice in greeting(settings, HERE, is_embedded=True, took_s=1.25)
    folder.chmod(0o700)
    assert advice not in greeting(settings, HERE, is_embedded=True, took_s=1.25)


def test_the_command_is_the_checkouts_script_where_there_is_one(tmp_path: Path) -> None:
    interpreter = tmp_path / "my venv" / "bin" / "python"
    assert own_command(interpreter, tmp_path) == "python -m server"
    interpreter.parent.mkdir(parents=True)
    interpreter.with_name("pantherahive").touch()
    assert own_command(interpreter, tmp_path) == "'my venv/bin/pantherahive'"
    assert own_command(interpreter, tmp_path / "elsewhere") == "python -m server"
