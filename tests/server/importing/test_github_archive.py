"""Reading an archive: every step with its own author and time, in the order of time, and nothing changed in silence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.comments import AddComment
from protocol.event import Command, Origin
from protocol.tasks import CreateTask, EditTask
from server.importing.github_archive import (
    ArchiveUnreadable,
    Plan,
    Step,
    open_at,
    plan,
    read_archive,
)
from server.importing.texts import Findings, markdown, title

ARCHIVE = Path(__file__).parents[2] / "data" / "github-archive.json"
MODELS: dict[str, type[Command]] = {"CreateTask": CreateTask, "AddComment": AddComment, "EditTask": EditTask}


@pytest.fixture(scope="module")
def lighthouse() -> Plan:
    return plan(read_archive(ARCHIVE))


def issue(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "number": number,
        "title": "t",
        "state": "OPEN",
        "author": "ann",
        "assignees": [],
        "labels": [],
        "body": "b",
        "createdAt": "2020-01-01T00:00:00Z",
        "closedAt": None,
        "comments": [],
        **fields,
    }


def plan_of(*issues: Mapping[str, Any]) -> Plan:
    return plan({"repo": "o/r", "issues": list(issues), "pulls": []})


def steps_of(made: Plan, kind: str) -> list[Step]:
    return [step for step in made.steps if step.kind == kind]


def test_all_issues_comments_and_closings_are_there_and_pulls_are_not(lighthouse: Plan) -> None:
    assert lighthouse.counts == {"issue": 5, "comment": 7, "closing": 3}
    assert lighthouse.findings.skips["pull request (not an issue)"] == [""]


def test_steps_stand_in_the_order_of_their_time(lighthouse: Plan) -> None:
    times = [step.at for step in lighthouse.steps]
    assert times == sorted(times)
    first = [step.data["body"][:5] for step in steps_of(lighthouse, "comment")][:3]
    assert first == ["First", "I hav", "Third"]


def test_what_happened_in_one_second_stays_in_the_archives_order(lighthouse: Plan) -> None:
    at = "2019-02-01T12:00:00.000Z"
    assert [step.where for step in lighthouse.steps if step.at == at] == [
        "#1, closing",
        "#3",
        "#3, comment 1",
        "#3, comment 2",
        "#3, closing",
    ]


def test_every_step_fits_the_protocol(lighthouse: Plan) -> None:
    for step in lighthouse.steps:
        MODELS[step.command].model_validate(step.data)
        Origin(author=step.author, at=step.at)


def test_texts_come_as_they_were_written(lighthouse: Plan) -> None:
    first = lighthouse.steps[0].data
    assert first["title"] == "The lamp <b>flickers</b> in the rain"
    assert first["description"].startswith('<a href="x"><img src="y"></img></a> **It flickers**')
    assert "<script>alert(1)</script>" in first["description"]
    assert (first["labels"], first["externalId"]) == (["bug", "light and lens"], "github:example/lighthouse#1")


def test_people_are_external_and_the_unnamed_are_unknown(lighthouse: Plan) -> None:
    by_place = {step.where: step for step in lighthouse.steps}
    assert by_place["#1"].author == "external:github:keeper-ann"
    assert by_place["#1"].data["assigneeIds"] == ["external:github:keeper-ann", "external:github:wick[bot]"]
    assert by_place["#3"].author == by_place["#1, comment 3"].author == by_place["#6"].author == "unknown"
    assert by_place["#1, closing"].author == "unknown"
    assert by_place["#2"].data["assigneeIds"] == ["external:github:nobody-knows-me"]
    assert lighthouse.findings.skips["assignee without a name"] == ["#2"]


def test_what_the_source_does_not_date_takes_the_creation_and_is_listed(lighthouse: Plan) -> None:
    by_place = {step.where: step for step in lighthouse.steps}
    assert by_place["#5, closing"].at == by_place["#5, comment 2"].at == by_place["#5"].at
    assert lighthouse.undated["closings without a time take the issue's time of creation"] == 1
    assert lighthouse.undated["labels of issues take the issue's time of creation"] == 3
    changed = lighthouse.findings.changes
    assert changed["comment is older than its issue: takes the issue's creation"] == ["#5, comment 2"]


def test_what_does_not_fit_is_cleaned_and_said(lighthouse: Plan) -> None:
    changed, skipped = lighthouse.findings.changes, lighthouse.findings.skips
    assert changed["control characters were removed"] == ["#5"]
    assert changed["title is missing: set to (no title)"] == ["#6"]
    assert changed["line breaks or tabs became blanks"] == ["#6, label"]
    assert skipped["comment without text"] == ["#5, comment 1"]
    assert skipped["label without a name"] == ["#6"]
    assert skipped["closing of an issue that is open again"] == ["#6"]


def test_the_same_archive_gives_the_same_ids_each_of_them_once(lighthouse: Plan) -> None:
    again = plan(read_archive(ARCHIVE))
    assert [step.id for step in again.steps] == [step.id for step in lighthouse.steps]
    assert len({step.id for step in again.steps}) == len(again.steps)
    assert again.steps == lighthouse.steps


def test_a_comment_keeps_its_id_when_an_earlier_one_is_gone() -> None:
    def comment(hour: int) -> dict[str, Any]:
        return {"author": "ann", "body": f"at {hour}", "createdAt": f"2020-01-02T{hour:02}:00:00Z"}

    both = steps_of(plan_of(issue(comments=[comment(1), comment(2)])), "comment")
    later = steps_of(plan_of(issue(comments=[comment(2)])), "comment")
    assert later[0].id == both[1].id


def test_a_comment_is_told_by_its_time_and_text_and_not_by_its_author() -> None:
    def ids(*comments: tuple[str | None, str]) -> list[tuple[str, Any]]:
        listed = [{"author": author, "body": body, "createdAt": "2020-01-02T00:00:00Z"} for author, body in comments]
        return [(step.id, step.data["commentId"]) for step in steps_of(plan_of(issue(comments=listed)), "comment")]

    one, two = ids(("ann", "+1"), ("bo", "+1"))
    assert one != two
    assert ids((None, "+1"), ("bo-renamed", "+1")) == [one, two]
    assert ids(("bo", "First"), ("ann", "+1"))[1] == one
    assert ids(("ann", "+2")) != [one]


def test_a_renamed_author_is_no_part_of_the_id_of_an_issue_and_its_closing() -> None:
    was, now = (
        [step.id for step in plan_of(issue(author=author, state="CLOSED", closedAt="2020-01-02T00:00:00Z")).steps]
        for author in ("ann", None)
    )
    assert was == now
    assert len(was) == 2


def test_the_number_of_open_issues_at_a_time_is_told_by_the_steps(lighthouse: Plan) -> None:
    assert [
        open_at(lighthouse.steps, at)
        for at in ("2019-01-09T00:00:00Z", "2019-01-10T08:00:00Z", "2019-02-01T12:00:00Z", "2020-01-01T00:00:00Z")
    ] == [0, 2, 1, 2]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"{", "not JSON"),
        (b"[]", "no list of issues"),
        (b'{"issues": []}', "which repository"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_archive_is_refused_with_the_reason(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "archive.json"
    path.write_bytes(content)
    with pytest.raises(ArchiveUnreadable, match=f"{word}.*what is wanted is the archive.json"):
        read_archive(path)


def test_issues_of_another_form_are_refused_rather_than_imported_as_nothing() -> None:
    rest = {"number": 1, "title": "t", "user": {"login": "ann"}, "created_at": "2020-01-01T00:00:00Z"}
    with pytest.raises(ArchiveUnreadable, match="none of the 2 issues has a number and a createdAt"):
        plan_of(rest, rest)


@pytest.mark.parametrize("name", ["comments", "labels", "assignees"])
@pytest.mark.parametrize("value", [3, "x", {"totalCount": 3}])
def test_a_list_that_is_none_is_left_out_and_said(name: str, value: Any) -> None:
    made = plan_of(issue(**{name: value}))
    assert made.counts == {"issue": 1}
    assert made.findings.skips["list that is none"] == ["#1"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnreadable, match="No such file"):
        read_archive(tmp_path / "none.json")


def test_an_issue_that_cannot_be_dated_or_told_apart_is_left_out() -> None:
    made = plan_of(issue(1, createdAt="yesterday"), issue(2), issue(2), {"title": "no number"})
    assert made.counts == {"issue": 1}
    assert {why: len(where) for why, where in made.findings.skips.items()} == {
        "issue without a readable time of creation": 1,
        "issue that is there twice": 1,
        "issue without a number": 1,
    }


@given(st.text() | st.none() | st.integers())
def test_any_text_becomes_one_that_fits(text: Any) -> None:
    findings = Findings()
    command = CreateTask(title=title(findings, text, "#1"), description=markdown(findings, text, "#1"))
    if isinstance(text, str) and command.description != text:
        assert findings.changes


@given(st.text(min_size=1))
def test_a_title_that_is_not_what_the_source_has_is_said(text: str) -> None:
    findings = Findings()
    if title(findings, text, "#1") != text:
        assert findings.changes
    trimmed = Findings()
    assert title(trimmed, " Fog signal ", "#1") == "Fog signal"
    assert trimmed.changes == {"blanks at the ends were cut": ["#1, title"]}


def test_long_texts_are_cut_by_characters_and_by_bytes() -> None:
    findings = Findings()
    assert len(markdown(findings, "x" * 150_000, "#1")) == 100_000
    assert len(markdown(findings, "雨" * 100_000, "#2").encode()) <= 240 * 1024
    assert len(findings.changes["text was too long: cut"]) == 2
