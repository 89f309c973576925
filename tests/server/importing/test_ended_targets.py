"""Importing where the project of this owner has ended, or is theirs no more: a dry run says what the import will do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pantherahive_client import Client
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from server.importing.target import own_project_id
from tests.client.hive import Hive
from tests.client.hive_accounts import ADMIN_TOKEN
from tests.server.importing.test_target import REPO, jwt_of, run, squat

TOKENS = pytest.mark.parametrize("operator", [True, False], ids=["operator", "owner"])
FIRST = pytest.mark.parametrize("first", [True, False], ids=["made by the operator", "made by the owner"])


@pytest.fixture
def tokens(hive: Hive) -> dict[bool, str]:
    """The operator's, and ada's own."""
    ada = hive.users["ada"]
    hive.tokens[jwt_of(ada)] = Principal(ada)
    return {True: ADMIN_TOKEN, False: jwt_of(ada)}


async def command(hive: Hive, place: int, *kinds: str, **data: Any) -> None:
    async with Client(hive.url, token=ADMIN_TOKEN) as client:
        for kind in kinds:
            await client.command(f"project/{own_project_id(REPO, hive.users['ada'], place)}", kind, data)


async def both(hive: Hive, folder: Path, token: str) -> tuple[int, str, str]:
    """A dry run, then the import; they have to end alike and to refuse in the same words. What the import said."""
    dry_code, dry_report, dry_trouble = await run(hive, folder, token=token, owner="ada", dry_run=True)
    code, report, trouble = await run(hive, folder, token=token, owner="ada")
    assert dry_code == code, (dry_trouble, trouble)
    assert ("a new project would be made" in dry_report) == ("issues           5        5" in report)
    if code:
        assert dry_trouble.removeprefix("It would be refused") in trouble
    return code, report, trouble


@FIRST
@TOKENS
async def test_a_deleted_project_is_refused_until_it_is_restored(
    hive: Hive, tmp_path: Path, tokens: dict[bool, str], first: bool, operator: bool
) -> None:
    assert (await run(hive, tmp_path, token=tokens[first], owner="ada"))[0] == 0
    await command(hive, 0, "DeleteProject")
    code, _, trouble = await both(hive, tmp_path, tokens[operator])
    assert (code, "is deleted; an owner has to restore it first" in trouble) == (1, True)
    await command(hive, 0, "RestoreProject")
    assert (await both(hive, tmp_path, tokens[operator]))[0] == 0
    assert len(hive.streams) == 1


@FIRST
@TOKENS
async def test_after_a_purge_a_new_project_is_made(
    hive: Hive, tmp_path: Path, tokens: dict[bool, str], first: bool, operator: bool
) -> None:
    assert (await run(hive, tmp_path, token=tokens[first], owner="ada"))[0] == 0
    for place in (1, 2):
        await command(hive, place - 1, "DeleteProject", "PurgeProject")
        code, report, trouble = await both(hive, tmp_path, tokens[operator])
        assert (code, own_project_id(REPO, hive.users["ada"], place) in report) == (0, True), trouble
    assert (await both(hive, tmp_path, tokens[not operator]))[0] == 0
    assert len(hive.streams) == 3


async def test_a_purged_project_whose_log_was_erased_is_passed_over_too(hive: Hive, tmp_path: Path) -> None:
    """Then nobody can tell any more what the opId stood for."""
    assert (await run(hive, tmp_path, owner="ada"))[0] == 0
    await command(hive, 0, "DeleteProject", "PurgeProject")
    gone = f"project/{own_project_id(REPO, hive.users['ada'])}"
    hive.refuse = lambda frame: Rejection(ErrorCode.OP_ID_REUSED, "used") if frame["stream"] == gone else None
    code, report, trouble = await both(hive, tmp_path, ADMIN_TOKEN)
    assert (code, own_project_id(REPO, hive.users["ada"], 1) in report) == (0, True), trouble


async def test_a_purged_project_that_is_named_is_not_there(hive: Hive, tmp_path: Path) -> None:
    assert (await run(hive, tmp_path, owner="ada"))[0] == 0
    await command(hive, 0, "DeleteProject", "PurgeProject")
    for dry_run in (True, False):
        named = own_project_id(REPO, hive.users["ada"])
        code, _, trouble = await run(hive, tmp_path, project=named, dry_run=dry_run)
        assert (code, f"there is no project {named}" in trouble) == (1, True)


@TOKENS
async def test_a_squatters_project_is_passed_over_when_it_is_deleted(
    hive: Hive, tmp_path: Path, tokens: dict[bool, str], operator: bool
) -> None:
    await squat(hive, hive.users["ada"], 1, "owner")
    await command(hive, 0, "DeleteProject")
    code, report, trouble = await both(hive, tmp_path, tokens[operator])
    assert (code, own_project_id(REPO, hive.users["ada"], 1) in report) == (0, True), trouble


@pytest.mark.parametrize("left_as", [None, "viewer"])
@TOKENS
async def test_a_project_that_was_given_away_is_refused_to_whoever_sees_it(
    hive: Hive, tmp_path: Path, tokens: dict[bool, str], operator: bool, left_as: str | None
) -> None:
    """Whoever sees nothing there gets a new one, and from then on that is the one for every token."""
    ada, grace = hive.users["ada"], hive.add_user("grace")
    assert (await run(hive, tmp_path, owner="ada"))[0] == 0
    await command(hive, 0, "AddMember", userId=grace, role="owner")
    if left_as is None:
        await command(hive, 0, "RemoveMember", userId=ada)
    else:
        await command(hive, 0, "ChangeMemberRole", userId=ada, role=left_as)
    code, _, trouble = await both(hive, tmp_path, tokens[operator])
    if operator or left_as is not None:
        assert (code, "does not own the project" in trouble, len(hive.streams)) == (1, True, 1)
        return
    assert (code, len(hive.streams)) == (0, 2), trouble
    assert (await both(hive, tmp_path, ADMIN_TOKEN))[0] == 0
    assert len(hive.streams) == 2
