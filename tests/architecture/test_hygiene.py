"""What no file of the checkout contains, and how long one may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import MADE, ROOT, text_of, tracked

CODE = (".py", ".sql", ".mjs")
PROSE = (".md",)
LINES_MANY, LINES_MAX = 400, 500
MADE_BY_SCRIPTS = {"client-sdk/python/pantherahive_client/models.py", "docs/configuration.md", "docs/metrics.md"}
"""As long as what they are made from."""

REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "yarn" + "pkg.com")
FOREIGN_PAGES = re.compile(r"\b(SPEC|DESIGN|STYLE|DOMAIN|GATEWAY|DEPENDENCIES|ROADMAP|BRIEF)\b(\.md|:? ?§|'s table)")
"""Papers that are not in the checkout: a reader cannot follow them."""

WORKSHOP = re.compile(
    r"/tmp/h" + r"ive|\bissues" + r" show\b|\bsub-?ag" + r"ents?\b|\b(A" + r"I|LL" + r"M)\b", re.ASCII
)
"""How this came to be is told nowhere; what it is, everywhere."""

UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + r"X)\b")

WAITING = {
    "tests/acceptance/product.py": "asks a process again until a deadline",
    "tests/acceptance/test_readiness.py": "watches what is answered over a stretch of time",
    "tests/client/waiting.py": "looks again until a deadline",
    "tests/server/gateway/hive.py": "looks again until a deadline",
    "tests/storage/postgres/sessions.py": "looks again until a deadline",
    "tests/server/rest/test_accounts.py": "looks again until a deadline",
    "tests/server/test_app.py": "asks a socket again until a deadline",
    "tests/server/gateway/test_conflation.py": "a client that reads slowly on purpose",
    "tests/server/gateway/sleepers.py": "a client that reads slowly on purpose",
    "tests/server/gateway/test_let_go.py": "clients go at their own pace while they read nothing",
    "tests/server/test_telemetry.py": "blocks the loop on purpose: the lag is what is measured",
    "tests/chaos/client.py": "backs off between retries, as clients do",
    "tests/chaos/follower.py": "backs off between connections, as clients do",
    "tests/chaos/interleaving.py": "random moments are what is tried",
    "tests/chaos/kill_application.py": "random moments are what is tried",
    "tests/chaos/kill_everything.py": "random moments are what is tried",
    "tests/chaos/notifications.py": "random moments are what is tried",
    "tests/chaos/takeover.py": "random moments are what is tried",
}
"""Who waits in real time, and why. A test that waits for the result of its own act waits for a condition."""

ONLY_SOMEWHERE = {
    "tests/acceptance/test_asyncapi_document.py": "Node",
    "tests/acceptance/test_javascript_follower.py": "Node",
    "tests/server/test_tcp.py": "Linux",
    "tests/server/test_unread.py": "Linux",
    "tests/server/gateway/test_conflation.py": "Node",
    "tests/server/gateway/test_javascript_renewal.py": "Node",
    "tests/server/gateway/test_slow.py": "Linux",
    "tests/server/gateway/test_slow_joiners.py": "Linux",
    "tests/storage/embedded/given.py": "root",
    "tests/storage/embedded/test_account.py": "not root",
    "tests/storage/embedded/test_crash.py": "Linux",
    "tests/storage/embedded/test_server.py": "a Postgres of the system",
    "tests/storage/postgres/test_folding.py": "a Postgres of the system that has ICU",
}
"""Tests that need something of the machine: what. Nothing else is ever left out."""


def files(*endings: str) -> list[str]:
    return [path for path in tracked() if path.endswith(endings or ("",))]


def holding(pattern: re.Pattern[str], paths: list[str]) -> list[str]:
    """`path:line` of every line in which the pattern is found."""
    return [
        f"{path}:{number}"
        for path in paths
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_registry() -> None:
    assert holding(re.compile("|".join(map(re.escape, REGISTRIES))), files()) == []


def test_what_running_things_makes_is_no_file_of_the_checkout_wherever_it_lies() -> None:
    assert {f"{folder}/" for folder in MADE} <= set(text_of(".gitignore").splitlines())


def test_no_file_knows_where_this_checkout_lies() -> None:
    assert len(ROOT.parts) < 3 or holding(re.compile(re.escape(str(ROOT)) + r"\b"), files()) == []


def test_no_file_points_to_a_paper_that_is_not_here() -> None:
    assert holding(FOREIGN_PAGES, files()) == []


def test_no_file_tells_how_the_work_was_done() -> None:
    assert holding(WORKSHOP, files(*CODE, *PROSE, ".toml", ".in", "Makefile")) == []


def test_nothing_is_left_for_later() -> None:
    assert holding(UNFINISHED, files(*CODE, *PROSE)) == []


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a dotted name: (the name, the call)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def sleeps(source: str) -> bool:
    """Whether it sleeps longer than until the others had their turn."""
    return any(
        name in ("time.sleep", "asyncio.sleep") and not (call.args and ast.unparse(call.args[0]) == "0")
        for name, call in calls(source)
    )


def leaves_out(source: str) -> set[str]:
    """How it leaves tests out: `skip`, `skipif`, `xfail`, `importorskip`."""
    attributes = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return attributes & {"skip", "skipif", "xfail", "importorskip", "SkipTest"}


def test_tests_do_not_sleep() -> None:
    sleeping = {path for path in files(".py") if path.startswith("tests/") and sleeps(text_of(path))}
    assert sleeping - set(WAITING) == set()
    assert [path for path in WAITING if path not in tracked()] == []


def test_nothing_is_left_out() -> None:
    ways = {path: leaves_out(text_of(path)) for path in files(".py") if path.startswith("tests/")}
    assert {path: way for path, way in ways.items() if way} == {}
    limited = {path for path in ways if path != "tests/conftest.py" and "only_if(" in text_of(path)}
    assert limited - {"tests/architecture/test_hygiene.py"} == set(ONLY_SOMEWHERE)


def test_these_checks_see_what_they_look_for() -> None:
    assert sleeps("import time\ntime.sleep(0.1)")
    assert sleeps("async def f() -> None:\n    await asyncio.sleep(PAUSE_S)")
    assert not sleeps("async def f() -> None:\n    await asyncio.sleep(0)")
    assert leaves_out("pytest.skip('no')") == {"skip"}
    assert leaves_out("@pytest.mark.xfail\ndef f(): ...") == {"xfail"}
    assert UNFINISHED.search("# TO" + "DO: later")
    assert FOREIGN_PAGES.search("as in DESIGN" + " §4")


def test_files_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = {path: len(text_of(path).splitlines()) for path in files(*CODE) if path not in MADE_BY_SCRIPTS}
    with capsys.disabled():
        for path, lines in sorted(lengths.items()):
            if lines > LINES_MANY:
                print(f"\n{path}: {lines} lines, more than {LINES_MANY}: does it want to be two?", end="")
    assert {path: lines for path, lines in lengths.items() if lines > LINES_MAX} == {}
