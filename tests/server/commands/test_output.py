"""Commands whose output goes nowhere: one line says so, or nothing does where nobody reads on."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from typing import Any

import pytest

from server.exits import Exit
from tests.acceptance.product import CHECKOUT
from tests.server.commands.typed import Typed

pytestmark = pytest.mark.xdist_group("command line")

FULL = "The output cannot be written: File too large."
PRINTING = [
    ("project", "list"),
    ("project", "list", "--json"),
    ("tail", "ATTIC", "--since", "0", "--no-follow"),
    ("export", "ATTIC"),
    ("export", "--user", "attica"),
]
WAYS = [*((words, False) for words in PRINTING), (("project", "list"), True), (("export", "ATTIC"), True)]
"""Words, and whether the interpreter keeps nothing back."""


@pytest.fixture(scope="module")
def attic(typed: Typed) -> None:
    """A project with the key ATTIC, and its owner."""
    user = asyncio.run(typed.product.register("attica"))
    asyncio.run(typed.product.ask("POST", "/v1/projects", user, {"name": "Attic", "key": "ATTIC"}))


@pytest.fixture
def full(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """An output that takes nothing, as on a full disk: a file that may not grow."""
    with (tmp_path / "out").open("wb") as file:
        yield {"stdout": file, "preexec_fn": lambda: setrlimit(RLIMIT_FSIZE, (0, 0))}


@contextmanager
def gone_reader() -> Iterator[int]:
    read, write = os.pipe()
    os.close(read)
    try:
        yield write
    finally:
        os.close(write)


def ended(typed: Typed, *words: str, unbuffered: bool = False, **streams: Any) -> tuple[int, str]:
    """The exit code and stderr of a process of its own, with the output that a terminal or a service would give it."""
    door = ("--server", typed.product.url, "--data-dir", str(typed.product.data_dir))
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.run(
        [sys.executable, *(["-u"] if unbuffered else []), "-m", "server", *words, *door],
        cwd=CHECKOUT,
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        **streams,
    )
    return process.returncode, process.stderr


@pytest.mark.usefixtures("attic")
@pytest.mark.parametrize(("words", "unbuffered"), WAYS)
def test_a_full_disk_is_told_in_one_line(
    typed: Typed, words: tuple[str, ...], unbuffered: bool, full: dict[str, Any]
) -> None:
    code, said = ended(typed, *words, unbuffered=unbuffered, **full)
    assert code == Exit.FAILED
    assert said.splitlines()[-1:] == [FULL]
    assert "Traceback" not in said
    assert "ignored" not in said


@pytest.mark.usefixtures("attic")
@pytest.mark.parametrize(("words", "unbuffered"), [*WAYS, (("project", "list", "--help"), False)])
def test_a_reader_that_has_gone_ends_it_without_a_word(typed: Typed, words: tuple[str, ...], unbuffered: bool) -> None:
    with gone_reader() as out:
        code, said = ended(typed, *words, unbuffered=unbuffered, stdout=out)
    assert code == Exit.UNREAD
    assert [line for line in said.splitlines() if "100 %" not in line] == []


@pytest.mark.usefixtures("attic")
def test_a_token_that_nobody_has_seen_is_named_so_that_it_can_be_revoked(typed: Typed, full: dict[str, Any]) -> None:
    code, said = ended(typed, "token", "create", "attic_bot", "--owner", "attica", **full)
    assert code == Exit.FAILED
    told = re.search(r"Token 'command line' \(([0-9a-f-]{36})\)", said)
    bot = re.search(r"Bot attic_bot \(([0-9a-f-]{36})\)", said)
    assert told is not None
    assert bot is not None
    assert said.splitlines()[-1] == (
        f"{FULL} The token {told[1]} is made and nobody has seen it: revoke it "
        f"(DELETE /v1/bots/{bot[1]}/tokens/{told[1]}), and make another one."
    )


def test_an_account_is_made_though_nobody_is_told_its_id(typed: Typed, full: dict[str, Any]) -> None:
    code, said = ended(typed, "user", "create", "unheard", input="battery staple", **full)
    assert (code, said) == (Exit.FAILED, f"{FULL} The account unheard is made all the same.\n")


def test_a_password_needs_an_open_stdin_or_a_file(typed: Typed) -> None:
    code, said = ended(typed, "user", "create", "nobody", stdout=subprocess.DEVNULL, preexec_fn=lambda: os.close(0))
    assert (code, said) == (
        Exit.FAILED,
        "stdin is closed: give the password on it, or with --password-file FILE.\n",
    )


@pytest.mark.usefixtures("attic")
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("export", "ATTIC"), "The output is closed; say where to write it with --out FILE."),
        (("token", "create", "shut_bot", "--owner", "attica"), "The output is closed. The token "),
    ],
)
def test_an_output_that_is_closed_is_told(typed: Typed, words: tuple[str, ...], line: str) -> None:
    code, said = ended(typed, *words, preexec_fn=lambda: os.close(1))
    assert code == Exit.FAILED
    assert said.splitlines()[-1].startswith(line)
    assert "Traceback" not in said


def test_an_export_takes_the_place_of_a_file_and_of_nothing_else(typed: Typed, attic: None, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code, said = ended(typed, "export", "ATTIC", "--out", str(pipe))
    assert (code, said) == (
        Exit.FAILED,
        f"{pipe} cannot be written: there is something of that name that is no file.\n",
    )
    assert pipe.is_fifo()
