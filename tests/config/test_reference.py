"""The page about the settings is the settings."""

from __future__ import annotations

from config.settings import Settings
from scripts.write_configuration_reference import main, reference


def test_the_page_is_up_to_date() -> None:
    assert main(["--check"]) == 0, "run python scripts/write_configuration_reference.py"


def test_every_setting_stands_there_once() -> None:
    lines = reference().splitlines()
    for name in Settings.model_fields:
        assert sum(line.startswith(f"| `{name}` |") for line in lines) == 1, name
