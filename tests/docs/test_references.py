"""What the pages name is there: links, files, commands, settings, limits, decisions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.settings import KIB, MIB, Settings
from protocol.errors import ErrorCode, Rejection
from protocol.poison import NODES_MAX
from tests.architecture.sources import ROOT, tracked
from tests.docs.pages import (
    PAGES,
    exists,
    links_in,
    make_targets_in,
    makefile_targets,
    name_of,
    paths_in,
    settings_in,
    table_rows,
)

README = (ROOT / "README.md").read_text("utf-8")
LIFE_CYCLE = (ROOT / "docs/request-life-cycle.md").read_text("utf-8")
FEATURE = (ROOT / "docs/adding-a-feature.md").read_text("utf-8")
DECISIONS = ROOT / "docs/adr"
TOLD_IN_WORDS = {"see above", "the embedded one", "the server's own"}
"""Defaults of the README's table for which there is no value to print."""

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = [target for target in links_in(page.read_text("utf-8")) if not (page.parent / target).exists()]
    assert missing == []


@every_page
def test_every_path_that_is_named_exists(page: Path) -> None:
    missing = [path for path in paths_in(page.read_text("utf-8")) if not exists(path, page)]
    assert missing == []


@every_page
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    assert set(make_targets_in(page.read_text("utf-8"))) - makefile_targets() == set()


@every_page
def test_every_variable_that_is_named_is_a_setting(page: Path) -> None:
    assert set(settings_in(page.read_text("utf-8"))) - set(Settings.model_fields) == set()


def test_the_pages_are_really_read() -> None:
    assert "storage/postgres/lane.py" in paths_in(LIFE_CYCLE)
    assert "actors/project/<feature>.py" in paths_in(LIFE_CYCLE)
    assert "tests/data/github-archive.json" in paths_in(README)
    assert "docs/adr/gaps.md" in links_in(README)
    assert {"run", "test"} <= set(make_targets_in(README))
    assert "port" in settings_in(README)
    assert not exists("actors/runtime/nobody.py", ROOT / "README.md")


def test_the_table_of_settings_tells_the_defaults() -> None:
    told: list[str] = []
    for cells in table_rows(README):
        names, defaults = settings_in(cells[0]), cells[-1].replace("`", "").split(", ")
        if not names:
            continue
        told += names
        for name, default in zip(names, defaults, strict=True):
            really = Settings.model_fields[name].default
            if default in TOLD_IN_WORDS:
                assert really in (None, ()) or isinstance(really, Path), name
            else:
                assert default == str(really), name
    assert len(told) >= 5


def test_the_limits_that_are_told_are_those_of_the_settings() -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert f"is at most {defaults['packet_bytes_max'] // KIB - 4} KiB of JSON" in README
    assert f"{defaults['json_depth_max']} levels deep, with {NODES_MAX:,} values" in README
    assert f"{defaults['project_tasks_max']:,} tasks and {defaults['project_comments_max']:,} comments" in README
    assert f"live {defaults['access_token_lifetime_s'] // 60} minutes" in README
    assert f"{defaults['mailbox_messages_max']:,} wait at most" in LIFE_CYCLE
    mib = defaults["unsettled_bytes_max"] // MIB
    assert f"at most {defaults['unsettled_entries_max']} entries or {mib} MiB" in LIFE_CYCLE
    assert (defaults["crashes_before_quarantine"], defaults["crash_window_s"]) == (5, 60)
    assert "five times in a minute: quarantine" in LIFE_CYCLE
    assert defaults["rejection_memory_s"] == 60
    assert "remembers it for a minute" in LIFE_CYCLE


def test_the_codes_that_may_be_retried_are_those_of_the_protocol() -> None:
    sentence = re.search(r"^(`.*) are retryable:", LIFE_CYCLE, re.MULTILINE)
    assert sentence is not None
    assert set(re.findall(r"`(\w+)`", sentence[1])) == {
        code.value for code in ErrorCode if Rejection(code, "").retryable
    }


def test_the_slice_of_comments_is_the_whole_slice() -> None:
    told = {path for cells in table_rows(FEATURE) for path in paths_in(cells[1])}
    assert told == {path for path in tracked() if "comments" in path}


def test_what_the_steps_of_a_feature_name_is_in_the_code() -> None:
    named = set(re.findall(r"`(UPCASTERS|Rejection|absent|assert_never|decide_|evolve_)", FEATURE))
    assert named == {"UPCASTERS", "Rejection", "absent", "assert_never", "decide_", "evolve_"}
    sources = "".join(
        (ROOT / path).read_text("utf-8") for path in tracked() if path.startswith(("protocol/", "actors/"))
    )
    for text in (
        "\nUPCASTERS",
        "\nclass Rejection",
        "\ndef absent(",
        "assert_never(",
        "\ndef decide_",
        "\ndef evolve_",
    ):
        assert text in sources


def test_every_decision_is_listed_with_its_title() -> None:
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    rows = {cells[0]: cells[1] for cells in table_rows((DECISIONS / "README.md").read_text("utf-8")) if cells[0]}
    assert list(rows) == [f"[{page.name[:3]}]({page.name})" for page in pages]
    for number, (page, title) in enumerate(zip(pages, rows.values(), strict=True), 1):
        text = page.read_text("utf-8")
        heading = text.splitlines()[0]
        assert heading.startswith(f"# {number:03} ")
        assert title.startswith(heading[6:])
        for part in ("**Decided.**", "**Why.**", "**Costs.**", "**Would change it.**"):
            assert part in text, (page.name, part)
