"""Which project an import goes into: found again by who may, foreseen by nobody, and never somebody else's."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from pantherahive_client import Client, new_id
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from server.importing.importer import run_import
from server.importing.options import ImportOptions
from server.importing.target import own_project_id, subject_of
from tests.client.hive import ADMIN_TOKEN, Hive

ARCHIVE = Path(__file__).parents[2] / "data" / "github-archive.json"
REPO = "example/lighthouse"
ADA, GRACE = "0190c42e-0000-7000-8000-00000000000a", "0190c42e-0000-7000-8000-00000000000b"


def jwt_of(user_id: str) -> str:
    """A user's own token, as far as a client can read it."""
    parts = [json.dumps(part).encode() for part in ({"alg": "EdDSA"}, {"sub": user_id})]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2lnbmF0dXJl"])


async def run(hive: Hive, folder: Path, *, token: str = ADMIN_TOKEN, **fields: Any) -> tuple[int, str, str]:
    path = folder / "token"
    path.write_text(token)
    out, trouble = io.StringIO(), io.StringIO()
    given = {"file": ARCHIVE, "server": hive.url, "token_file": path, "patience_s": 5.0, **fields}
    return await run_import(ImportOptions(**given), out, trouble), out.getvalue(), trouble.getvalue()


def test_the_operators_token_and_the_owner_make_the_project() -> None:
    ids = [
        own_project_id(repo, owner, token)
        for repo in (REPO, "example/other")
        for owner in (ADA, GRACE)
        for token in (ADMIN_TOKEN, "another", jwt_of(ADA))
    ]
    assert len(set(ids)) == len(ids)
    assert own_project_id(REPO.upper(), ADA, ADMIN_TOKEN) == own_project_id(REPO, ADA, ADMIN_TOKEN)


def test_a_users_next_token_finds_the_same_project() -> None:
    assert own_project_id(REPO, ADA, jwt_of(ADA)) == own_project_id(REPO, ADA, jwt_of(ADA).replace("c2ln", "b3Ro"))


@pytest.mark.parametrize(
    "token", ["", "ph_admin_x", "a.b", "a.b.c", "a.!.c", "a.W10.c", "a.eyJzdWIiOjF9.c", "a.\u00e9.c"]
)
def test_what_is_no_users_token_names_no_user(token: str) -> None:
    assert subject_of(token) is None


def test_a_users_token_names_them() -> None:
    assert subject_of(jwt_of(ADA.upper())) == ADA


async def test_each_owner_has_a_project_of_their_own(hive: Hive, tmp_path: Path) -> None:
    hive.add_user("grace")
    for owner in ("ada", "grace"):
        code, report, _ = await run(hive, tmp_path, owner=owner)
        assert (code, f"owned by {hive.users[owner]}" in report) == (0, True)
    assert [len(stream.entries) for stream in hive.streams.values()] == [16, 16]


async def test_a_user_imports_with_their_own_token_and_needs_no_owner(hive: Hive, tmp_path: Path) -> None:
    ada = hive.users["ada"]
    token = jwt_of(ada)
    hive.tokens[token] = Principal(ada)
    for new in (5, 0):
        code, report, trouble = await run(hive, tmp_path, token=token)
        assert (code, f"issues           5 {new:>8}" in report) == (0, True), trouble
    assert [len(stream.entries) for stream in hive.streams.values()] == [16]


@pytest.mark.parametrize("named", [True, False], ids=["named", "found"])
async def test_somebody_elses_project_is_refused(hive: Hive, tmp_path: Path, named: bool) -> None:
    """Also one that a squatter made under the foreseeable id of a user's import, and let that user into."""
    ada, mallory = hive.users["ada"], hive.add_user("mallory")
    token = jwt_of(ada)
    hive.tokens[token] = Principal(ada)
    async with Client(hive.url, username="mallory", password="correct horse") as client:
        project_id = await client.create_project("Mine", project_id=own_project_id(REPO, ada, token))
        async with client.project(project_id) as project:
            await project.add_member(ada, "admin")
    fields: dict[str, Any] = {"project": project_id, "owner": "ada"} if named else {}
    code, _, trouble = await run(hive, tmp_path, token=token, **fields)
    assert code == 1
    assert "does not own the project" in trouble
    assert mallory in trouble
    assert len(hive.frames) == 2


async def test_an_id_that_a_stranger_took_is_refused(hive: Hive, tmp_path: Path) -> None:
    token = jwt_of(hive.users["ada"])
    hive.tokens[token] = Principal(hive.users["ada"])
    hive.refuse = lambda frame: Rejection(ErrorCode.NOT_FOUND, "there is no such project")
    code, _, trouble = await run(hive, tmp_path, token=token)
    assert (code, "is somebody else's" in trouble) == (1, True)
    assert len(hive.frames) == 1


async def test_a_key_that_is_not_the_projects_is_refused(hive: Hive, tmp_path: Path) -> None:
    assert (await run(hive, tmp_path, owner="ada", key="LIGHT"))[0] == 0
    sent = len(hive.frames)
    code, _, trouble = await run(hive, tmp_path, owner="ada", key="DARK")
    assert (code, len(hive.frames)) == (1, sent)
    assert "the project LIGHT" in trouble
    assert "another key than --key DARK" in trouble
    code, report, _ = await run(hive, tmp_path, owner="ada", key="LIGHT")
    assert (code, "project LIGHT" in report) == (0, True)


async def test_a_named_project_needs_no_owner(hive: Hive, tmp_path: Path) -> None:
    async with Client(hive.url, username="ada", password="correct horse") as client:
        project_id = await client.create_project("Mine")
    code, report, _ = await run(hive, tmp_path, project=project_id.upper())
    assert (code, f"({project_id}): entry 1 before, 16 after" in report) == (0, True)
    code, _, trouble = await run(hive, tmp_path, project=new_id(), owner="ada")
    assert (code, "there is no project" in trouble) == (1, True)


async def test_an_invalid_key_is_refused_before_anything_is_sent(hive: Hive, tmp_path: Path) -> None:
    code, report, trouble = await run(hive, tmp_path, owner="ada", key="http")
    assert (code, report, hive.joins, hive.frames) == (1, "", [], [])
    assert "--key is a capital letter" in trouble
