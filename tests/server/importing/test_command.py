"""The command line of the import: what is said wins, the settings fill in the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings
from server.cli import main, parser
from server.importing.command import options_of
from server.importing.options import ImportOptions

ARCHIVE = Path(__file__).parents[2] / "data" / "github-archive.json"


def options(*arguments: str, **settings: object) -> ImportOptions:
    given = parser().parse_args(["import", "github-archive", "archive.json", *arguments])
    return options_of(given, Settings.model_validate({"data_dir": "/data", **settings}))


def test_the_settings_say_where_the_server_is_and_where_its_token_lies() -> None:
    found = options(port=9000)
    assert (found.server, found.token_file) == ("http://127.0.0.1:9000", Path("/data/admin.token"))
    assert (found.file, found.in_flight, found.patience_s) == (Path("archive.json"), 32, 120.0)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("example.org", "http://example.org:8080"),
    ],
)
def test_an_address_to_listen_on_becomes_one_to_call(host: str, address: str) -> None:
    assert options(host=host).server == address


def test_what_is_said_wins() -> None:
    found = options(
        *("--owner", "ada", "--project", "p", "--key", "K", "--name", "N", "--server", "http://x", "--dry-run"),
        *("--token-file", "/t", "--in-flight", "3", "--patience", "7"),
    )
    assert found == ImportOptions(
        file=Path("archive.json"),
        owner="ada",
        project="p",
        key="K",
        name="N",
        server="http://x",
        token_file=Path("/t"),
        dry_run=True,
        in_flight=3,
        patience_s=7.0,
    )


def test_a_dry_run_by_the_command_line_reports_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "github-archive", str(ARCHIVE), "--dry-run"], {}) == 0
    assert "Dry run: nothing was sent." in capsys.readouterr().out
