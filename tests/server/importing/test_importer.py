"""Importing into a server: history as history, once, through refusals and restarts."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pantherahive_client import Client, derived_id, new_id
from protocol.errors import ErrorCode, Rejection
from server.importing.github_archive import Step, plan, read_archive
from server.importing.importer import run_import
from server.importing.options import ImportOptions
from server.importing.sending import Sender
from server.importing.target import own_project_id
from server.progress import Progress
from tests.client.hive import Hive, Stream
from tests.client.hive_accounts import ADMIN_TOKEN

ARCHIVE = Path(__file__).parents[2] / "data" / "github-archive.json"
REPO = "example/lighthouse"
STEPS = plan(read_archive(ARCHIVE)).steps


@pytest.fixture
def options(hive: Hive, tmp_path: Path) -> Callable[..., ImportOptions]:
    token = tmp_path / "token"
    token.write_text(ADMIN_TOKEN + "\n")

    def made(**fields: Any) -> ImportOptions:
        base = {"file": ARCHIVE, "owner": "ada", "server": hive.url, "token_file": token, "patience_s": 5.0}
        return ImportOptions(**{**base, **fields})

    return made


async def run(options: ImportOptions) -> tuple[int, str, str]:
    out, trouble = io.StringIO(), io.StringIO()
    code = await run_import(options, out, trouble)
    return code, out.getvalue(), trouble.getvalue()


def stream(hive: Hive) -> Stream:
    """Ada's project of the archive, as the operator imports it."""
    return hive.streams[f"project/{own_project_id(REPO, hive.users['ada'])}"]


def history(hive: Hive) -> list[tuple[str, str, str]]:
    """(opId, author, at) of all imported entries."""
    entries = stream(hive).entries[1:]
    return [(entry["opId"], entry["author"], entry["at"]) for entry in entries]


def op_id_of(step: Step) -> str:
    """As the operator sends it."""
    return derived_id(None, step.id)


def wanted() -> list[tuple[str, str, str]]:
    return [(op_id_of(step), step.author, step.at) for step in STEPS]


async def test_every_step_becomes_an_entry_with_its_own_author_and_time(hive: Hive, options: Any) -> None:
    code, report, trouble = await run(options())
    assert (code, history(hive)) == (0, wanted())
    assert all(entry["recordedBy"] == "system" for entry in stream(hive).entries[1:])
    state = stream(hive).state
    assert sum(task["closedAt"] is None for task in state.tasks.values()) == 2
    assert state.members[hive.users["ada"]]["role"] == "owner"
    assert "entry 1 before, 16 after" in report
    assert "15/15 (100 %)" in trouble


async def test_importing_again_adds_nothing(hive: Hive, options: Any) -> None:
    await run(options())
    entries = len(stream(hive).entries)
    code, report, _ = await run(options())
    assert (code, len(stream(hive).entries)) == (0, entries)
    assert "issues           5        0        5        0          5" in report


async def test_a_dry_run_sends_nothing_and_needs_no_server(hive: Hive, options: Any) -> None:
    code, report, _ = await run(options(dry_run=True, server="http://127.0.0.1:9", token_file=None))
    assert (code, hive.frames) == (0, [])
    assert "3 closings" in report
    assert "comment without text: #5, comment 1" in report
    assert "Owner, project and key were not checked: say where the admin token is" in report


async def test_a_dry_run_says_what_would_be_made_and_what_is_there(hive: Hive, options: Any) -> None:
    code, report, _ = await run(options(dry_run=True, key="LIGHT"))
    assert code == 0
    assert "a new project would be made; whether the key LIGHT is free shows when it is made" in report
    assert hive.frames == []
    await run(options(name="Lighthouse"))
    sent = len(hive.frames)
    code, report, _ = await run(options(dry_run=True, name="Other"))
    assert (code, len(hive.frames)) == (0, sent)
    assert "comments         7 in the archive, 7 of them are there already" in report
    assert "--name 'Other' is not used" in report


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"owner": None}, "It would be refused: say whose project it is"),
        ({"owner": "nobody"}, "It would be refused: there is no user 'nobody'"),
        ({"project": new_id()}, "It would be refused: there is no project"),
        ({"key": "DARK"}, "another key than --key DARK"),
        ({"key": "dark"}, "--key is a capital letter"),
        ({"owner": ""}, "--owner must not be empty"),
        ({"name": ""}, "--name is one line"),
    ],
)
async def test_a_dry_run_reports_what_would_be_refused(
    hive: Hive, options: Any, fields: dict[str, Any], words: str
) -> None:
    await run(options())
    sent = len(hive.frames)
    code, _, trouble = await run(options(dry_run=True, **fields))
    assert (code, len(hive.frames)) == (1, sent)
    assert words in trouble


async def test_a_dry_run_that_finds_no_server_says_what_it_did_not_check(options: Any) -> None:
    code, report, _ = await run(options(dry_run=True, server="http://127.0.0.1:9", patience_s=0.1))
    assert code == 0
    assert "Owner, project and key were not checked: could not connect" in report


def with_another_issue(folder: Path) -> Path:
    """The archive as it is a little later."""
    archive = json.loads(ARCHIVE.read_text())
    archive["issues"].append({"number": 9, "title": "New", "state": "OPEN", "createdAt": "2021-01-01T00:00:00Z"})
    path = folder / "later.json"
    path.write_text(json.dumps(archive))
    return path


@pytest.mark.parametrize(
    ("command", "data"), [("CreateTask", {"title": "live"}), ("EditProject", {"status": "Archived"})]
)
async def test_a_dry_run_says_that_a_project_in_use_takes_no_history(
    hive: Hive, options: Any, tmp_path: Path, command: str, data: dict[str, Any]
) -> None:
    words = "people have worked in this project already"
    advice = "make another project and import into that with --project ID"
    await run(options())
    async with Client(hive.url, token=ADMIN_TOKEN) as client:
        await client.command(f"project/{own_project_id(REPO, hive.users['ada'])}", command, data)
    code, report, _ = await run(options(dry_run=True))
    assert (code, "refused" in report) == (0, False), "everything is there already"
    code, report, _ = await run(options(dry_run=True, file=with_another_issue(tmp_path)))
    assert (code, "Would be refused by the server (1):" in report) == (1, True)
    assert f"  #9: rule_broken: {words}\n  history goes only into a project" in report
    assert advice in report
    code, _, trouble = await run(options(file=with_another_issue(tmp_path)))
    assert code == 1
    assert f"#9 was refused, and so would be all others: rule_broken: {words}" in trouble
    assert advice in trouble


async def test_a_dry_run_says_what_lies_in_the_future_or_before_later_history(
    hive: Hive, options: Any, tmp_path: Path
) -> None:
    await run(options())
    older, newer = ({"number": number, "title": "x", "state": "OPEN"} for number in (8, 9))
    archive = tmp_path / "archive.json"
    issues = [{**older, "createdAt": "2018-01-01T00:00:00Z"}, {**newer, "createdAt": "2999-01-01T00:00:00Z"}]
    archive.write_text(json.dumps({"repo": REPO, "issues": issues}))
    for dry_run in (True, False):
        code, report, _ = await run(options(dry_run=dry_run, file=archive))
        assert code == 1
        assert "refused by the server (2):" in report.lower()
        assert "#8: rule_broken: history has to be imported in the order of its time" in report
        assert "#9: rule_broken: history cannot lie in the future" in report
    code, report, _ = await run(options(dry_run=True, file=archive, token_file=None))
    assert code == 1, "the archive's own dates can be judged without a server"
    assert "refused by the server (1):" in report
    assert "#9: rule_broken: history cannot lie in the future" in report


async def test_an_import_says_whom_it_waits_for(hive: Hive, options: Any) -> None:
    _, _, trouble = await run(options(server="http://127.0.0.1:9", patience_s=0.2))
    assert trouble.startswith("Waiting for http://127.0.0.1:9, up to 0.2 s.\n")
    _, _, trouble = await run(options())
    assert "Waiting" not in trouble


async def test_an_interrupted_import_goes_on_where_it_was(hive: Hive, options: Any) -> None:
    seen = asyncio.Event()

    def stop_at_eight(frame: dict[str, Any]) -> bool:
        if len(hive.frames) == 8:
            seen.set()
        return False

    hive.lose_answer = stop_at_eight
    out, trouble = io.StringIO(), io.StringIO()
    importing = asyncio.create_task(run_import(options(in_flight=2), out, trouble))
    await seen.wait()
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert trouble.getvalue().count("Interrupted") == 1
    assert re.search(
        r"^Interrupted: \d of 15 settled; run the same command again to go on, before anybody works in the project",
        trouble.getvalue(),
        re.MULTILINE,
    )
    assert len(history(hive)) < len(STEPS)
    code, _, _ = await run(options())
    assert (code, history(hive)) == (0, wanted())


@pytest.mark.parametrize("after", [2, 5, 11])
async def test_a_crash_of_the_server_in_the_middle_loses_and_doubles_nothing(
    hive: Hive, options: Any, after: int
) -> None:
    crashes: list[int] = []

    def crash(frame: dict[str, Any]) -> bool:
        if len(hive.frames) >= after and not crashes:
            crashes.append(after)
            return True
        return False

    hive.lose_answer = crash
    code, _, _ = await run(options())
    assert crashes
    assert (code, history(hive)) == (0, wanted())


@pytest.mark.parametrize("in_flight", [1, 4, 32])
@pytest.mark.parametrize("times", [1, 3])
async def test_refusals_for_now_never_let_later_history_overtake(
    hive: Hive, options: Any, in_flight: int, times: int
) -> None:
    """One command fails, and those behind it would not: a mailbox has room again, another look-up succeeds."""
    troubles = Counter({op_id_of(STEPS[place]): times for place in (3, 9, 10, 14)})

    def busy(frame: dict[str, Any]) -> Rejection | None:
        if not troubles[frame["opId"]]:
            return None
        troubles[frame["opId"]] -= 1
        return Rejection(ErrorCode.OVERLOADED, "busy", {"retryAfterS": 0})

    hive.refuse = busy
    code, _, _ = await run(options(in_flight=in_flight))
    assert troubles.total() == 0
    assert (code, history(hive)) == (0, wanted())


@pytest.mark.parametrize("in_flight", [3, 32])
async def test_history_behind_a_refused_step_waits_for_what_that_step_would_have_waited_for(
    hive: Hive, options: Any, in_flight: int
) -> None:
    """Each comment is refused at the door, whatever became of the steps before it."""
    comments = {op_id_of(step) for step in STEPS if step.command == "AddComment"}
    troubles = Counter({op_id_of(step): 2 for step in STEPS if op_id_of(step) not in comments})

    def trouble(frame: dict[str, Any]) -> Rejection | None:
        if frame["opId"] in comments:
            return Rejection(ErrorCode.INVALID, "no")
        if not troubles[frame["opId"]]:
            return None
        troubles[frame["opId"]] -= 1
        return Rejection(ErrorCode.OVERLOADED, "busy", {"retryAfterS": 0})

    hive.refuse = trouble
    await run(options(in_flight=in_flight))
    assert history(hive) == [one for one in wanted() if one[0] not in comments]


async def test_a_comment_whose_issue_is_refused_for_now_is_not_judged_yet(hive: Hive, options: Any) -> None:
    last = STEPS[-1]
    comment = {
        "kind": "comment",
        "where": "x",
        "at": last.at,
        "author": "unknown",
        "id": new_id(),
        "command": "AddComment",
        "data": {"taskId": last.data["taskId"], "commentId": new_id(), "body": "hi"},
    }
    refusals = [Rejection(ErrorCode.UNAVAILABLE, "reloading", {"retryAfterS": 0})]
    hive.refuse = lambda frame: refusals.pop() if frame["opId"] == op_id_of(last) and refusals else None
    async with Client(hive.url, token=ADMIN_TOKEN) as client:
        project_id = await client.create_project(
            "x", project_id=own_project_id(REPO, hive.users["ada"]), owner_id=hive.users["ada"]
        )
        sender = Sender(client, project_id, head_seq=1, in_flight_max=8, patience_s=5)
        sent = await sender.run([last, Step(**comment)])  # type: ignore[arg-type]
    assert sent.refused == []
    assert sent.new == {"issue": 1, "comment": 1}
    op_ids = [op_id_of(last), derived_id(None, str(comment["id"]))]
    assert [entry["opId"] for entry in stream(hive).entries[1:]] == op_ids


async def test_refusals_for_good_are_listed_and_the_rest_goes_on(hive: Hive, options: Any) -> None:
    hive.refuse = lambda frame: (
        Rejection(ErrorCode.RULE_BROKEN, "no", {"reason": "x"})
        if frame["data"].get("body") == "Same second, first"
        else None
    )
    code, report, _ = await run(options())
    assert code == 1
    assert "#3, comment 1: rule_broken: no" in report
    assert len(history(hive)) == len(STEPS) - 1


async def test_a_project_in_which_people_worked_stops_the_import_at_once(hive: Hive, options: Any) -> None:
    async with Client(hive.url, username="ada", password="correct horse") as client:
        project_id = await client.create_project("Mine")
        await client.command(f"project/{project_id}", "CreateTask", {"title": "live"})
    code, _, trouble = await run(options(project=project_id, in_flight=1))
    assert code == 1
    assert "people have worked in this project already" in trouble
    assert "make another project" in trouble
    assert "same command" not in trouble
    assert len(hive.frames) == 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"owner": None}, "--owner USER (or, if it is there already, which one with --project ID)"),
        ({"key": "light"}, "--key is a capital letter"),
        ({"key": "L" * 11}, "--key is a capital letter"),
        ({"owner": ""}, "--owner must not be empty; it is a user's id, or a user name of 3 to 30 letters, digits"),
        ({"owner": "a b"}, "--owner is 'a b'; it is a user's id, or a user name of 3 to 30 letters, digits"),
        ({"owner": "nobody"}, "there is no user 'nobody'"),
        ({"owner": "0190c42e-0000-7000-8000-000000000000"}, "there is no user '0190c42e"),
        ({"name": ""}, "--name is one line of 1 to 200 characters"),
        ({"name": "two\nlines"}, "--name is one line of 1 to 200 characters"),
        ({"name": "x" * 201}, "--name is one line of 1 to 200 characters"),
        ({"patience_s": float("nan")}, "--patience"),
        ({"project": "x"}, "--project is a project's id"),
        ({"project": new_id()}, "there is no project"),
        ({"in_flight": 0}, "--in-flight"),
        ({"token_file": None}, "--token-file"),
        ({"token_file": Path("/nonexistent/token")}, "cannot be read"),
        ({"file": Path("/nonexistent/archive")}, "cannot be read"),
    ],
)
async def test_what_is_missing_is_said(options: Any, fields: dict[str, Any], words: str) -> None:
    code, _, trouble = await run(options(**fields))
    assert code == 1
    assert words in trouble


async def test_a_wrong_token_and_a_server_that_is_not_there_are_said(hive: Hive, options: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    code, _, trouble = await run(options(token_file=wrong))
    assert (code, "unauthenticated" in trouble, "--token-file PATH" in trouble) == (1, True, True)
    code, _, trouble = await run(options(server="http://127.0.0.1:9", patience_s=0.1))
    assert (code, "Is a PantheraHive server running at http://127.0.0.1:9?" in trouble) == (1, True)
    assert "`pantherahive serve`" in trouble


async def test_the_archive_of_another_owner_id_is_taken_as_it_is(hive: Hive, options: Any, tmp_path: Path) -> None:
    archive = json.loads(ARCHIVE.read_text("utf-8"))
    archive["issues"] = []
    path = tmp_path / "empty.json"
    path.write_text(json.dumps(archive))
    code, report, _ = await run(options(file=path, owner=hive.users["ada"].upper(), key="LIGHT", name="L"))
    assert code == 0
    assert "project LIGHT" in report
    assert f"owned by {hive.users['ada']}" in report


class _Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_progress_tells_rate_and_remaining_time_at_intervals() -> None:
    out, clock = io.StringIO(), _Clock()
    show = Progress(1000, out, clock)
    for done, clock.now_s in ((1, 0.1), (100, 5.0), (150, 6.0), (1000, 20.0)):
        show(done)
    assert out.getvalue().splitlines() == [
        "100/1000 (10 %), 20/s, 45 s left",
        "1000/1000 (100 %), 50/s, 20.0 s",
    ]
