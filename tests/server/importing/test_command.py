"""The command line of the import: what is said wins, the settings fill in the rest."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from server.cli import main
from server.cli_commands import parser
from server.importing.command import options_of
from server.importing.options import ImportOptions
from tests.client.hive import Hive
from tests.client.hive_accounts import ADMIN_TOKEN

CHECKOUT = Path(__file__).parents[3]
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
    assert main(["import", "github-archive", str(ARCHIVE), "--dry-run", "--token-file", "/none"], {}) == 0
    assert "Dry run: nothing was sent." in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_one_word_about_how_to_go_on(
    hive: Hive, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "token").write_text(ADMIN_TOKEN)
    eighth = asyncio.Event()

    def lose_from_the_eighth(frame: dict[str, Any]) -> bool:
        if len(hive.frames) >= 8:
            eighth.set()
        return eighth.is_set()

    hive.lose_answer = lose_from_the_eighth
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server", "import", "github-archive", str(ARCHIVE), "--owner", "ada", "--in-flight", "2"),
        *("--server", hive.url, "--token-file", str(tmp_path / "token"), "--data-dir", str(tmp_path)),
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await asyncio.wait_for(eighth.wait(), 60)
        process.send_signal(number)
        _, said = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 128 + number
    assert said.decode().count("Interrupted") == 1
    assert " of 15 settled; run the same command again to go on" in said.decode()
    assert "Traceback" not in said.decode()
