"""Importing again, on a real server: a later archive, and a project that is deleted, purged or somebody else's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.importing.target import own_project_id
from tests.acceptance.product import User
from tests.server.commands.typed import Ended, Typed

pytestmark = pytest.mark.xdist_group("command line")

ARCHIVE = Path(__file__).parents[2] / "data" / "github-archive.json"

Import = Callable[..., Ended]


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """One for each test, as they share a server."""
    return f"example/{request.node.name[5:45]}"


@pytest.fixture
def archive(repository: str, tmp_path: Path) -> Path:
    """The example archive under this test's repository."""
    path = tmp_path / "archive.json"
    path.write_text(json.dumps({**json.loads(ARCHIVE.read_text()), "repo": repository}))
    return path


def ask(typed: Typed, method: str, path: str, user: User, json: Any = None) -> None:
    answer = asyncio.run(typed.product.ask(method, path, user, json))
    assert answer.status < 300, answer


def test_a_later_archive_doubles_nothing_whoever_was_renamed_and_whatever_was_edited(
    typed: Typed, archive: Path
) -> None:
    ines = asyncio.run(typed.product.register("ines"))
    words = ("import", "github-archive", str(archive), "--owner", ines.id)
    typed.good(*words)
    later = json.loads(archive.read_text())
    later["issues"][0]["author"] = "ann-of-the-keep"
    first, second, third, fourth = later["issues"][0]["comments"]
    first["author"], second["author"], third["author"] = None, "ann-of-the-keep", "no-longer-deleted"
    fourth["body"] = "Fixed. Said after closing, and edited."
    later["issues"][0]["title"] = "The lamp flickers"
    archive.write_text(json.dumps(later))
    said = typed.good(*words)
    assert "issues           5        0        5        0          5" in said
    assert "comments         7        0        7        0          7" in said
    assert "differ from the archive: issues 1, comments 1; the import does not change what is there" in said


@pytest.mark.parametrize("own", [True, False], ids=["owner", "operator"])
def test_a_deleted_project_is_refused_and_a_purged_one_is_made_anew(
    typed: Typed, archive: Path, repository: str, tmp_path: Path, own: bool
) -> None:
    owner = asyncio.run(typed.product.register(f"odo.{own}".lower()))
    (tmp_path / "token").write_text(owner.token)
    rest = ("--token-file", str(tmp_path / "token")) if own else ("--owner", owner.id)
    words = ("import", "github-archive", str(archive), *rest)
    typed.good(*words)
    path = f"/v1/projects/{own_project_id(repository, owner.id)}"
    ask(typed, "DELETE", path, owner)
    for dry in ((), ("--dry-run",)):
        refused = typed(*words, *dry)
        assert (refused.code, "is deleted; an owner has to restore it first" in refused.err) == (1, True), refused
    ask(typed, "POST", f"{path}/purge", owner)
    assert "a new project would be made" in typed.good(*words, "--dry-run")
    said = typed.good(*words)
    assert own_project_id(repository, owner.id, 1) in said
    assert "issues           5        5        0        0          5" in said
    assert "issues           5        0        5        0          5" in typed.good(*words)


@pytest.mark.parametrize("own", [True, False], ids=["owner", "operator"])
def test_a_project_that_was_given_away_is_the_same_to_a_dry_run(
    typed: Typed, archive: Path, repository: str, tmp_path: Path, own: bool
) -> None:
    """Who has left it sees nothing there, so a new one is made; the operator is told whose it is."""
    owner, heir = (asyncio.run(typed.product.register(f"{name}.{own}".lower())) for name in ("giver", "heir"))
    (tmp_path / "token").write_text(owner.token)
    operators = ("import", "github-archive", str(archive), "--owner", owner.id)
    words = (*operators, "--token-file", str(tmp_path / "token")) if own else operators
    typed.good(*words)
    commands = f"/v1/projects/{own_project_id(repository, owner.id)}/commands"
    ask(typed, "POST", commands, owner, {"type": "AddMember", "data": {"userId": heir.id, "role": "owner"}})
    ask(typed, "POST", commands, owner, {"type": "RemoveMember", "data": {"userId": owner.id}})
    dry, sent = typed(*words, "--dry-run"), typed(*words)
    assert dry.code == sent.code == (0 if own else 1), (dry, sent)
    if own:
        assert "a new project would be made" in dry.out
        assert own_project_id(repository, owner.id, 1) in sent.out
        assert "issues           5        0        5        0          5" in typed.good(*operators), (
            "one for all tokens"
        )
    else:
        assert "does not own the project" in dry.err
        assert dry.err.partition(": ")[2] in sent.err
