"""Where commands find the running server, and what is no address of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings
from server.exits import Exit, Refusal
from server.visiting import server_address
from tests.server.commands.typed import type_

VISITS = [
    ("project", "list"),
    ("export", "LAMP"),
    ("tail", "LAMP"),
    ("token", "create", "digest", "--owner", "ada"),
    ("user", "create", "ada"),
    ("import", "github-archive", "/nowhere", "--owner", "ada"),
]


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (None, "http://127.0.0.1:9000"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://hive.example.org/", "https://hive.example.org"),
        ("HTTP://localhost", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:8080/?", "http://localhost:8080"),
        ("http://bücher.example", "http://bücher.example"),
    ],
)
def test_an_address_is_scheme_host_and_port(said: str | None, address: str) -> None:
    assert server_address(said, Settings(port=9000)) == address


@pytest.mark.parametrize(
    "said",
    [
        *("", "notaurl", "localhost:8080", "127.0.0.1:8080", "ftp://x", "http://", "http://:8080", "http://[::1"),
        *("http://127.0.0.1:99999", "http://127.0.0.1:0", "http://127.0.0.1:-1", "http://127.0.0.1:http"),
        *("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080//", "http://127.0.0.1:8080/?a=b"),
        *("http://127.0.0.1:8080?a=b", "http://127.0.0.1:8080#a"),
        *("http://a..b", f"http://{'a' * 64}", "http://\x1b[1m", "http://\udcff"),
    ],
)
def test_what_is_no_address_is_a_wrong_flag(said: str) -> None:
    with pytest.raises(Refusal) as refused:
        server_address(said, Settings())
    example = "is not the address of a server, such as http://127.0.0.1:8080 (no path)."
    assert (str(refused.value), refused.value.code) == (f"--server {said!r} {example}", Exit.WRONG_USE)


@pytest.mark.parametrize("words", VISITS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("said", ["http://127.0.0.1:1/foo", "notaurl", "http://127.0.0.1:99999"])
def test_every_command_refuses_a_wrong_address_alike(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ended = type_(*words, "--server", said, "--data-dir", str(tmp_path))
    assert (ended.code, ended.out) == (Exit.WRONG_USE, "")
    assert ended.err == (
        f"--server {said!r} is not the address of a server, such as http://127.0.0.1:8080 (no path).\n"
    )


@pytest.mark.parametrize("words", VISITS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("said", ["http://user:hunter2@127.0.0.1:1", "user:hunter2@notaurl", "http://h/hunter2@x"])
def test_every_command_refuses_a_password_in_the_address_and_does_not_repeat_it(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ended = type_(*words, "--server", said, "--data-dir", str(tmp_path))
    assert (ended.code, ended.out) == (Exit.WRONG_USE, "")
    example = "only the address of a server, such as http://127.0.0.1:8080 (no path)."
    assert ended.err == f"--server takes no user and no password, {example}\n"
