"""Which project an import goes into: one for each owner whatever the token, and never a stranger's."""

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
from protocol.members import Role
from server.importing.importer import run_import
from server.importing.options import ImportOptions
from server.importing.target import PLACES_MAX, own_project_id, subject_of
from tests.client.hive import Hive
from tests.client.hive_accounts import ADMIN_TOKEN

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


def test_the_repository_and_the_owner_make_the_project() -> None:
    ids = [
        own_project_id(repo, owner, place)
        for repo in (REPO, "example/other")
        for owner in (ADA, GRACE)
        for place in range(PLACES_MAX)
    ]
    assert len(set(ids)) == len(ids)
    assert own_project_id(REPO.upper(), ADA) == own_project_id(REPO, ADA)


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


@pytest.mark.parametrize("first", ["operator", "owner"])
async def test_whoever_imports_and_with_whichever_token_the_project_is_one(
    hive: Hive, tmp_path: Path, first: str
) -> None:
    ada = hive.users["ada"]
    hive.tokens |= {"the-operators-next-token": Principal("system", "admin"), jwt_of(ada): Principal(ada)}
    tokens = [ADMIN_TOKEN, jwt_of(ada), "the-operators-next-token"]
    for number, token in enumerate(tokens if first == "operator" else reversed(tokens)):
        code, report, trouble = await run(hive, tmp_path, token=token, owner="ada")
        assert (code, f"issues           5 {0 if number else 5:>8}" in report) == (0, True), trouble
        assert "project APOLLO" in report
    assert [len(stream.entries) for stream in hive.streams.values()] == [16]


async def test_what_the_operator_began_the_owner_ends(hive: Hive, tmp_path: Path) -> None:
    ada = hive.users["ada"]
    hive.tokens[jwt_of(ada)] = Principal(ada)
    hive.refuse = lambda frame: (
        Rejection(ErrorCode.RULE_BROKEN, "enough", {"reason": "tasks_limit"}) if len(hive.frames) > 8 else None
    )
    assert (await run(hive, tmp_path, owner="ada", in_flight=1))[0] == 1
    hive.refuse = lambda frame: None
    code, _, trouble = await run(hive, tmp_path, token=jwt_of(ada))
    assert code == 0, trouble
    assert [len(stream.entries) for stream in hive.streams.values()] == [16]


async def squat(hive: Hive, ada: str, places: int, role: Role) -> list[str]:
    """A stranger makes projects under the foreseeable ids of ada's import, and lets her in."""
    hive.add_user("mallory")
    squatted = []
    async with Client(hive.url, username="mallory", password="correct horse") as client:
        for place in range(places):
            project_id = await client.create_project("Mine", project_id=own_project_id(REPO, ada, place))
            squatted.append(project_id)
            async with client.project(project_id) as project:
                await project.add_member(ada, role)
    return squatted


@pytest.mark.parametrize("role", ["viewer", "admin"])
@pytest.mark.parametrize("operator", [True, False], ids=["operator", "owner"])
async def test_a_squatters_project_is_passed_over(hive: Hive, tmp_path: Path, operator: bool, role: Role) -> None:
    ada = hive.users["ada"]
    hive.tokens[jwt_of(ada)] = Principal(ada)
    squatted = await squat(hive, ada, 2, role)
    for new in (5, 0):
        code, report, trouble = await run(
            hive, tmp_path, token=ADMIN_TOKEN if operator else jwt_of(ada), owner="ada", key="LIGHT"
        )
        assert (code, f"issues           5 {new:>8}" in report) == (0, True), trouble
        assert f"owned by {ada}" in report
    assert [len(hive.streams[f"project/{project_id}"].entries) for project_id in squatted] == [2, 2]
    assert len(hive.streams[f"project/{own_project_id(REPO, ada, 2)}"].entries) == 16


async def test_a_squatter_who_makes_the_user_an_owner_gets_nothing_either(hive: Hive, tmp_path: Path) -> None:
    """Being an owner can be done to somebody; a project is one's own only when it was made for one."""
    ada = hive.users["ada"]
    (squatted,) = await squat(hive, ada, 1, "owner")
    assert (await run(hive, tmp_path, owner="ada"))[0] == 0
    assert len(hive.streams[f"project/{squatted}"].entries) == 2
    assert len(hive.streams[f"project/{own_project_id(REPO, ada, 1)}"].entries) == 16


async def test_a_place_that_a_stranger_took_unseen_is_passed_over(hive: Hive, tmp_path: Path) -> None:
    """A user does not see a stranger's project: they learn of it when theirs cannot be made there."""
    ada = hive.users["ada"]
    hive.tokens[jwt_of(ada)] = Principal(ada)
    taken = f"project/{own_project_id(REPO, ada)}"
    hive.refuse = lambda frame: Rejection(ErrorCode.NOT_FOUND, "no such project") if frame["stream"] == taken else None
    for _ in range(2):
        code, _, trouble = await run(hive, tmp_path, token=jwt_of(ada))
        assert code == 0, trouble
    assert [len(stream.entries) for stream in hive.streams.values()] == [16]


async def test_an_import_whose_places_are_all_taken_is_told_the_way_out(hive: Hive, tmp_path: Path) -> None:
    ada = hive.users["ada"]
    hive.tokens[jwt_of(ada)] = Principal(ada)
    hive.refuse = lambda frame: Rejection(ErrorCode.NOT_FOUND, "no such project")
    code, _, trouble = await run(hive, tmp_path, token=jwt_of(ada))
    assert (code, "taken by strangers or by purged" in trouble, "--project ID" in trouble) == (1, True, True)
    assert len(hive.frames) == PLACES_MAX


async def test_the_own_project_is_found_behind_a_place_that_looks_free_though_its_key_is_taken_by_itself(
    hive: Hive, tmp_path: Path
) -> None:
    ada = hive.users["ada"]
    hive.tokens[jwt_of(ada)] = Principal(ada)
    first = f"project/{own_project_id(REPO, ada)}"
    refusal = [ErrorCode.NOT_FOUND]
    hive.refuse = lambda frame: (
        Rejection(refusal[0], "no", {"what": "projectKey"}) if frame["stream"] == first else None
    )
    assert (await run(hive, tmp_path, token=jwt_of(ada), key="LIGHT"))[0] == 0
    refusal[0] = ErrorCode.ALREADY_EXISTS
    code, report, trouble = await run(hive, tmp_path, token=jwt_of(ada), key="LIGHT")
    assert (code, "issues           5        0" in report) == (0, True), trouble


async def test_a_taken_key_is_refused_with_what_to_do(hive: Hive, tmp_path: Path) -> None:
    hive.refuse = lambda frame: Rejection(ErrorCode.ALREADY_EXISTS, "another project has it", {"what": "projectKey"})
    code, _, trouble = await run(hive, tmp_path, owner="ada", key="LIGHT")
    assert (code, "Choose another --key" in trouble) == (1, True)


async def test_a_project_that_the_user_gave_away_is_refused(hive: Hive, tmp_path: Path) -> None:
    ada, grace = hive.users["ada"], hive.add_user("grace")
    assert (await run(hive, tmp_path, owner="ada"))[0] == 0
    async with (
        Client(hive.url, username="ada", password="correct horse") as client,
        client.project(own_project_id(REPO, ada)) as project,
    ):
        await project.add_member(grace, "owner")
        await project.remove_member(ada)
    code, _, trouble = await run(hive, tmp_path, owner="ada")
    assert (code, "--owner ada does not own the project" in trouble, grace in trouble) == (1, True, True)
    assert len(hive.streams) == 1


async def test_somebody_elses_named_project_is_refused(hive: Hive, tmp_path: Path) -> None:
    ada = hive.users["ada"]
    hive.tokens[jwt_of(ada)] = Principal(ada)
    (project_id,) = await squat(hive, ada, 1, "admin")
    code, _, trouble = await run(hive, tmp_path, token=jwt_of(ada), project=project_id, owner="ada")
    assert code == 1
    assert "does not own the project" in trouble
    assert hive.users["mallory"] in trouble
    assert len(hive.frames) == 2


async def test_who_may_not_import_into_a_named_project_is_told_before_anything_is_sent(
    hive: Hive, tmp_path: Path
) -> None:
    ada = hive.users["ada"]
    hive.tokens[jwt_of(ada)] = Principal(ada)
    (project_id,) = await squat(hive, ada, 1, "member")
    code, _, trouble = await run(hive, tmp_path, token=jwt_of(ada), project=project_id)
    assert (code, "the token's user is member in the project" in trouble) == (1, True)
    assert len(hive.frames) == 2


async def test_a_deleted_project_is_refused(hive: Hive, tmp_path: Path) -> None:
    assert (await run(hive, tmp_path, owner="ada"))[0] == 0
    async with Client(hive.url, token=ADMIN_TOKEN) as client:
        await client.command(f"project/{own_project_id(REPO, hive.users['ada'])}", "DeleteProject", {})
    code, _, trouble = await run(hive, tmp_path, owner="ada")
    assert (code, "is deleted; an owner has to restore it" in trouble) == (1, True)


async def test_a_name_for_a_project_that_is_there_is_said_to_have_no_use(hive: Hive, tmp_path: Path) -> None:
    code, report, _ = await run(hive, tmp_path, owner="ada", name="Lighthouse")
    assert (code, "--name" in report) == (0, False)
    code, report, _ = await run(hive, tmp_path, owner="ada", name=" Lighthouse ")
    assert (code, "--name" in report) == (0, False)
    code, report, _ = await run(hive, tmp_path, owner="ada", name="Other")
    assert code == 0
    assert "--name 'Other' is not used: the project is there already and is called 'Lighthouse'" in report


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
