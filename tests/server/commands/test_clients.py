"""Accounts, tokens, projects and exports from the command line, on a real server."""

from __future__ import annotations

import asyncio
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from server.exits import Exit
from tests.server.commands.typed import Typed, type_

pytestmark = pytest.mark.xdist_group("command line")

ARCHIVE = Path(__file__).parents[2] / "data" / "github-archive.json"
PASSWORD = "battery staple"


@pytest.fixture(scope="module")
def project(typed: Typed) -> dict[str, Any]:
    """A project of ada's with a history, as `project list` has it."""
    typed.good("user", "create", "ada", stdin=f"{PASSWORD}\n")
    typed.good("import", "github-archive", str(ARCHIVE), "--owner", "ada", "--key", "LAMP")
    listed = [json.loads(line) for line in typed.good("project", "list", "--json").splitlines()]
    return next(project for project in listed if project["key"] == "LAMP")


def signs_in(typed: Typed, name: str, password: str) -> int:
    """The status that answers a log-in."""
    answer = asyncio.run(typed.product.ask("POST", "/v1/users/login", json={"username": name, "password": password}))
    return answer.status


def test_a_user_is_made_with_a_password_from_stdin_or_a_file(typed: Typed, tmp_path: Path) -> None:
    made = typed("user", "create", "piped", "--first-name", "Pia", stdin=f"{PASSWORD}\n")
    assert re.fullmatch(r"[0-9a-f-]{36}  piped\n", made.out), made
    assert signs_in(typed, "piped", PASSWORD) == 200
    (tmp_path / "password").write_text(" spaces stay \r\n")
    words = ("--email", "filed@example.org", "--password-file", str(tmp_path / "password"))
    made = typed("user", "create", "filed", *words)
    assert made.code == Exit.OK
    assert signs_in(typed, "filed", " spaces stay ") == 200
    assert PASSWORD not in made.out + made.err + typed.product.log
    assert "spaces stay" not in made.out + made.err + typed.product.log


def test_a_user_is_made_without_a_token_or_with_the_one_that_is_named(typed: Typed, tmp_path: Path) -> None:
    words = ("user", "create", "elsewhere", "--server", typed.product.url, "--data-dir", str(tmp_path))
    none = type_(*words, "--token-file", str(tmp_path / "none"), stdin=PASSWORD)
    assert (none.code, none.out) == (Exit.FAILED, "")
    assert f"The token file {tmp_path / 'none'} cannot be read" in none.err
    assert type_(*words, stdin=PASSWORD).code == Exit.OK
    admin = str(typed.product.data_dir / "admin.token")
    made = typed("user", "create", "tokened", "--token-file", admin, stdin=PASSWORD)
    assert (made.code, made.err) == (Exit.OK, "")
    assert signs_in(typed, "tokened", PASSWORD) == 200


def test_a_prompt_asks_twice_and_shows_nothing(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["first try", "another", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    monkeypatch.setattr("server.commands.user_create.is_asked", lambda: True)
    assert "differ" in typed("user", "create", "asked").err
    assert typed("user", "create", "asked").code == Exit.OK
    assert signs_in(typed, "asked", PASSWORD) == 200


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("ada",), PASSWORD, "This user name is taken"),
        (("a",), PASSWORD, "username: "),
        (("grace",), "short", "password: "),
        (("grace",), "", "stdin is empty"),
        (("grace", "--password-file", "/nowhere"), "", "/nowhere cannot be read"),
        (("grace", "--email", "nobody"), PASSWORD, "email: "),
        (("grace",), "x" * 5000, "longer than any password"),
    ],
)
def test_what_is_no_account_is_refused_with_the_reason(
    typed: Typed, project: Any, words: tuple[str, ...], stdin: str, said: str
) -> None:
    ended = typed("user", "create", *words, stdin=stdin)
    assert (ended.code, ended.out) == (Exit.FAILED, "")
    assert said in ended.err


def test_projects_are_listed_with_what_other_commands_need(typed: Typed, project: dict[str, Any]) -> None:
    head, *lines = typed.good("project", "list").splitlines()
    assert head.split() == ["KEY", "STATUS", "CHANGED", "ID", "NAME"]
    [lamp] = [line.split() for line in lines if line.startswith("LAMP ")]
    assert lamp == ["LAMP", "Active", project["updatedAt"][:10], project["id"], "example/lighthouse"]


def test_a_project_is_exported_by_key_or_id_now_or_then(typed: Typed, project: dict[str, Any], tmp_path: Path) -> None:
    printed = typed("export", "lamp")
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert printed.code == Exit.OK
    assert (lines[0]["export"], lines[-1]["end"]) == (f"project/{project['id']}",) * 2
    assert [line["entry"]["seq"] for line in lines if "entry" in line] == list(range(1, 17))
    assert "16/16 (100 %)" in printed.err
    assert "14 records, 16 entries." in printed.err
    file = tmp_path / "lamp.ndjson"
    assert typed.good("export", project["id"], "--out", str(file)) == ""
    assert file.read_text() == printed.out.replace(lines[0]["at"], json.loads(file.read_text().split("\n")[0])["at"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    then = typed.good("export", "LAMP", "--as-of", "2019-01-11").splitlines()
    assert json.loads(then[0])["cursor"].startswith("4.")
    assert json.loads(then[-1])["entries"] == 4


def test_a_user_s_data_are_exported(typed: Typed, project: Any, tmp_path: Path) -> None:
    file = tmp_path / "ada.ndjson"
    typed.good("export", "--user", "ADA", "--out", str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0]["data"]["username"] == "ada"
    assert lines[-1]["end"].startswith("profile/")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("NOPE",), Exit.FAILED, "There is no project NOPE. `pantherahive project list` shows them"),
        (("018f0000-0000-7000-8000-00000000000a",), Exit.FAILED, "There is no project 018f"),
        (("LAMP", "--as-of", "99"), Exit.FAILED, "The project has not come to entry 99 yet"),
        (("LAMP", "--as-of", "1999-01-01"), Exit.FAILED, "There was no such project yet"),
        (("LAMP", "--as-of", "yesterday"), Exit.FAILED, "asOf: give a seq, or a time"),
        (("--user", "nobody"), Exit.FAILED, "There is no user nobody. `pantherahive user create nobody` makes one"),
        (("--user", "018f0000-0000-7000-8000-00000000000a"), Exit.FAILED, "There is no such user"),
        ((), Exit.WRONG_USE, "Say what to export"),
        (("LAMP", "--user", "ada"), Exit.WRONG_USE, "Say what to export"),
        (("--user", "ada", "--as-of", "1"), Exit.WRONG_USE, "--as-of is for projects"),
        (("LAMP", "--out", "/nowhere/file"), Exit.FAILED, "/nowhere/file cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_told_and_leaves_no_file(
    typed: Typed, project: Any, words: tuple[str, ...], code: Exit, said: str, tmp_path: Path
) -> None:
    out = () if "--out" in words else ("--out", str(tmp_path / "out"))
    ended = typed("export", *words, *out)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_token_for_a_bot_is_printed_once_and_alone(typed: Typed, project: dict[str, Any]) -> None:
    scopes = ("--scope", "read", "--scope", "write")
    made = typed("token", "create", "digest", "--owner", "ada", *scopes, "--project", "LAMP", "--role", "member")
    token = made.out.strip()
    assert re.fullmatch(r"ph_token_\S+", token), made
    assert token not in made.err + typed.product.log
    for part in ("Bot digest", ", new.", "It is member of LAMP now.", "read and write, LAMP, until it is revoked."):
        assert part in made.err
    role = ("--project", "LAMP", "--role", "admin")
    again = typed("token", "create", "Digest", "--owner", "ada", "--expires", "90d", *role)
    assert again.out != made.out
    assert ", new." not in again.err
    assert "It is admin of LAMP now." in again.err
    assert re.search(r": read, LAMP, until \d{4}-\d\d-\d\dT", again.err), again.err
    assert "already" in typed("token", "create", "digest", "--owner", "ada", *role).err
    (typed.product.data_dir.parent / "bot.token").write_text(made.out)
    as_bot = typed("project", "list", "--token-file", str(typed.product.data_dir.parent / "bot.token"))
    assert "The token is limited to certain projects" in as_bot.err


@pytest.mark.parametrize("expires", ["soon", "0d", "90", "-1d"])
def test_a_wrong_end_of_a_token_is_a_wrong_flag(typed: Typed, project: Any, expires: str) -> None:
    ended = typed("token", "create", "digest", "--owner", "ada", f"--expires={expires}")
    assert (ended.code, ended.out) == (Exit.WRONG_USE, "")
    assert f"--expires {expires}: give a time" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("digest",), "Say whose bot it is with --owner USER"),
        (("digest", "--owner", "nobody"), "There is no user nobody"),
        (("ada", "--owner", "ada"), "This user name is taken"),
        (("digest", "--owner", "ada", "--project", "NOPE"), "There is no project NOPE"),
        (("digest", "--owner", "ada", "--expires", "soon"), "--expires soon: give a time"),
        (("digest", "--owner", "ada", "--expires", "2001-01-01"), "would have expired already"),
        (("digest", "--owner", "ada", "--role", "member"), "--role needs --project"),
        (("digest", "--owner", "ada", "--project", "LAMP", "--role", "boss"), "role"),
    ],
)
def test_what_is_no_token_is_refused_with_the_reason(
    typed: Typed, project: Any, words: tuple[str, ...], said: str
) -> None:
    ended = typed("token", "create", *words)
    assert ended.code != Exit.OK
    assert ended.out == ""
    assert said in ended.err


@pytest.mark.parametrize(
    "words", [("project", "list"), ("export", "LAMP"), ("tail", "LAMP"), ("token", "create", "b", "--owner", "ada")]
)
def test_no_server_no_token_and_a_wrong_token_are_told_with_what_to_do(
    typed: Typed, words: tuple[str, ...], tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:1"
    away = type_(*words, "--server", nobody, "--data-dir", str(typed.product.data_dir))
    assert (away.code, away.out) == (Exit.FAILED, "")
    assert f"Is a PantheraHive server running at {nobody}? Start it with `pantherahive serve`" in away.err
    without = type_(*words, "--server", typed.product.url, "--data-dir", str(tmp_path))
    assert (without.code, without.out) == (Exit.FAILED, "")
    assert f"The token file {tmp_path / 'admin.token'} cannot be read" in without.err
    (tmp_path / "wrong").write_text("ph_admin_" + "x" * 43)
    wrong = typed(*words, "--token-file", str(tmp_path / "wrong"))
    assert (wrong.code, wrong.out) == (Exit.FAILED, "")
    assert f"The token in {tmp_path / 'wrong'} is not good for" in wrong.err
