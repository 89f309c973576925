"""A later archive beside what was imported: what the source has changed since is known, counted, and left as it is."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pantherahive_client import Client
from server.importing.importer import run_import
from server.importing.options import ImportOptions
from server.importing.target import own_project_id
from tests.client.hive import Hive
from tests.client.hive_accounts import ADMIN_TOKEN

ARCHIVE = Path(__file__).parents[2] / "data" / "github-archive.json"
Importing = Callable[..., Awaitable[tuple[int, str]]]


def archive() -> dict[str, Any]:
    """The example; its issues are numbered 1, 2, 3, 5 and 6, and 2 and 6 are open."""
    content: dict[str, Any] = json.loads(ARCHIVE.read_text())
    return content


@pytest.fixture
def importing(hive: Hive, tmp_path: Path) -> Importing:
    """Imports an archive as ada's; the exit code and everything that was said."""
    token, path = tmp_path / "token", tmp_path / "archive.json"
    token.write_text(ADMIN_TOKEN)

    async def run(content: dict[str, Any], **fields: Any) -> tuple[int, str]:
        path.write_text(json.dumps(content))
        said = io.StringIO()
        options = ImportOptions(file=path, owner="ada", server=hive.url, token_file=token, patience_s=5.0, **fields)
        return await run_import(options, said, said), said.getvalue()

    return run


def bodies(hive: Hive) -> list[str]:
    (stream,) = hive.streams.values()
    return sorted(comment["body"] for comment in stream.state.comments.values())


async def work(hive: Hive, command: str, data: dict[str, Any]) -> None:
    """Somebody changes the project, so it takes no history any more."""
    async with Client(hive.url, token=ADMIN_TOKEN) as client:
        await client.command(f"project/{own_project_id('example/lighthouse', hive.users['ada'])}", command, data)


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("author", [None, "ann-of-the-keep"])
async def test_comments_of_renamed_and_deleted_accounts_are_known(
    hive: Hive, importing: Importing, author: str | None, dry_run: bool
) -> None:
    await importing(archive())
    await work(hive, "CreateTask", {"title": "live"})
    before = bodies(hive)
    later = archive()
    for issue in later["issues"]:
        for item in (issue, *issue["comments"]):
            item["author"] = author
    code, said = await importing(later, dry_run=dry_run)
    assert (code, bodies(hive)) == (0, before), said
    assert "differ" not in said
    assert ("comments         7        0        7        0          7" in said) is not dry_run


@pytest.mark.parametrize("dry_run", [False, True])
async def test_an_edited_comment_is_known_and_keeps_the_text_that_was_imported(
    hive: Hive, importing: Importing, dry_run: bool
) -> None:
    await importing(archive())
    before = bodies(hive)
    await work(hive, "CreateTask", {"title": "live"})
    later = archive()
    later["issues"][0]["comments"][3]["body"] = "Edited, the last one"
    later["issues"][2]["comments"][1]["body"] = "Edited, one of two in one second"
    code, said = await importing(later, dry_run=dry_run)
    assert (code, bodies(hive)) == (0, before), said
    assert "differ from the archive: comments 2; the import does not change what is there" in said


async def test_an_edit_that_sets_equal_comments_apart_doubles_neither(hive: Hive, importing: Importing) -> None:
    """The second of two equal ones becomes the only one of its text, so it has the id of the first."""
    first = archive()
    first["issues"][2]["comments"][0]["body"] = "Same second, second"
    await importing(first)
    code, said = await importing(archive())
    assert code == 0, said
    assert "differ from the archive: comments 1;" in said
    assert bodies(hive).count("Same second, second") == 2


async def test_a_comment_that_is_new_is_not_taken_for_an_edited_one(hive: Hive, importing: Importing) -> None:
    first = archive()
    last = first["issues"][4]
    last["comments"] = [{"author": "bo", "body": "One", "createdAt": "2020-01-01T00:00:00Z"}]
    await importing(first)
    last["comments"].append({"author": "bo", "body": "Two", "createdAt": "2020-01-01T00:00:00Z"})
    code, said = await importing(first)
    assert (code, "comments         9        1        8        0          9" in said) == (0, True), said
    assert {"One", "Two"} <= set(bodies(hive))


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (1, {"title": "Another title"}),
        (1, {"labels": ["bug"]}),
        (2, {"labels": ["bug"]}),
        (1, {"state": "OPEN", "closedAt": None}),
    ],
    ids=["renamed", "label gone", "label new", "reopened"],
)
async def test_an_issue_that_differs_is_known_and_counted(
    hive: Hive, importing: Importing, number: int, changes: dict[str, Any]
) -> None:
    _, said = await importing(archive())
    assert "differ" not in said
    later = archive()
    later["issues"][number - 1].update(changes)
    for dry_run in (True, False):
        code, said = await importing(later, dry_run=dry_run)
        assert (code, "differ from the archive: issues 1;" in said) == (0, True), said


async def test_an_issue_that_was_closed_again_at_another_time_is_known(hive: Hive, importing: Importing) -> None:
    await importing(archive())
    later = archive()
    later["issues"][0]["closedAt"] = "2020-12-24T00:00:00Z"
    code, said = await importing(later)
    assert (code, "closings         3        0        3        0          2" in said) == (0, True), said


async def test_an_issue_that_people_opened_again_differs_and_one_that_the_import_closes_does_not(
    hive: Hive, importing: Importing
) -> None:
    await importing(archive())
    later = archive()
    later["issues"][4].update(state="CLOSED", closedAt="2020-12-24T00:00:00Z")
    for dry_run in (True, False):
        code, said = await importing(later, dry_run=dry_run)
        assert (code, "differ" in said) == (0, False), said
    (stream,) = hive.streams.values()
    first = next(task for task in stream.state.tasks.values() if task["number"] == 1)
    await work(hive, "EditTask", {"taskId": first["id"], "stateId": "todo"})
    code, said = await importing(later)
    assert (code, "differ from the archive: issues 1;" in said) == (0, True), said


async def test_a_deleted_task_is_not_compared(hive: Hive, importing: Importing) -> None:
    await importing(archive())
    (stream,) = hive.streams.values()
    first = next(task for task in stream.state.tasks.values() if task["number"] == 1)
    await work(hive, "DeleteTask", {"taskId": first["id"]})
    later = archive()
    later["issues"][0]["title"] = "Another title"
    _, said = await importing(later, dry_run=True)
    assert "differ" not in said
