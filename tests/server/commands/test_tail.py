"""`tail` as a process of its own: it survives the server's death, loses nothing, and ends by Ctrl-C with one line."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from server.exits import Exit
from tests.acceptance.product import CHECKOUT, Product, User, running_product
from tests.chaos.port import free_port
from tests.server.commands.typed import Typed

pytestmark = pytest.mark.xdist_group("command line")
WITHIN_S = 30.0


async def tailing(product: Product, *words: str) -> Process:
    """`pantherahive tail` with these words."""
    door = ("--server", product.url, "--data-dir", str(product.data_dir))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "tail", *words, *door), cwd=CHECKOUT, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )


async def line_of(stream: asyncio.StreamReader | None) -> str:
    """The next line."""
    assert stream is not None
    return (await asyncio.wait_for(stream.readline(), WITHIN_S)).decode()


async def create_task(product: Product, user: User, project: Any, title: str) -> None:
    answer = await product.ask("POST", f"/v1/projects/{project['id']}/tasks", user, {"title": title})
    assert answer.status == 201, answer


def task_line(line: str) -> list[str]:
    """Who, which task and what, without the time."""
    time, _, rest = line.partition("  ")
    assert len(time) == len("2026-01-31T12:00:00Z"), line
    return rest.split(maxsplit=2)


async def test_it_goes_on_behind_a_server_that_was_killed(tmp_path: Path) -> None:
    port = free_port()
    async with running_product(tmp_path / "data", port=port) as product:
        ada = await product.register("ada")
        project = await product.create_project(ada)
        await create_task(product, ada, project, "First")
        process = await tailing(product, "APOLLO", "--since", "1")
        try:
            assert task_line(await line_of(process.stdout)) == ["ada", "APOLLO-1", "created “First” in Backlog\n"]
            product.kill()
            assert "away" in await line_of(process.stderr)
            async with running_product(tmp_path / "data", port=port) as again:
                ada = await again.login("ada")
                await create_task(again, ada, project, "Second")
                assert task_line(await line_of(process.stdout)) == ["ada", "APOLLO-2", "created “Second” in Backlog\n"]
                assert await line_of(process.stderr) == "Connected again.\n"
                process.send_signal(signal.SIGINT)
                out, said = await asyncio.wait_for(process.communicate(), WITHIN_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert (process.returncode, out, said) == (Exit.INTERRUPTED, b"", b"Interrupted.\n")


def test_what_happened_before_is_told_from_where_it_was_asked(typed: Typed) -> None:
    typed.good("user", "create", "tess", stdin="battery staple")
    archive = Path(__file__).parents[2] / "data" / "github-archive.json"
    typed.good("import", "github-archive", str(archive), "--owner", "tess", "--key", "TOWER")
    everything = typed.good("tail", "TOWER", "--since", "0", "--no-follow").splitlines()
    assert len(everything) == 17
    assert task_line(everything[0])[1:] == ["created", "the project “example/lighthouse”"]
    assert everything[1].endswith("added tess as owner")
    assert task_line(everything[2])[:2] == ["keeper-ann", "TOWER-1"]
    for since, count in (("1", 15), ("2019-02-01T12:00:00Z", 5), ("1999-01-01", 17), ("16", 0)):
        assert len(typed.good("tail", "TOWER", "--since", since, "--no-follow").splitlines()) == count, since
    assert typed.good("tail", "TOWER", "--no-follow") == ""
    printed = typed.good("tail", "TOWER", "--since", "0", "--no-follow", "--json")
    entries = [json.loads(line) for line in printed.splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, 17))
    assert [len(entry["events"]) for entry in entries] == [2] + [1] * 15
    after_third = typed.good("tail", "TOWER", "--since", entries[2]["cursor"], "--no-follow", "--json")
    assert json.loads(after_third.splitlines()[0])["seq"] == 4


async def test_it_ends_with_the_project(typed: Typed) -> None:
    """The operator is the one who could follow it for ever."""
    ask, user = typed.product.ask, await typed.product.register("digger")
    made = (await ask("POST", "/v1/projects", user, {"name": "Mine", "key": "MINE"})).body
    path = f"/v1/projects/{made['id']}"
    process = await tailing(typed.product, made["id"], "--since", "0")
    try:
        assert "created the project “Mine”" in await line_of(process.stdout)
        assert (await ask("DELETE", path, user)).status == 200
        assert (await ask("POST", f"{path}/purge", user)).status == 204
        out, said = await asyncio.wait_for(process.communicate(), WITHIN_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    over = b"Nothing more comes: the project was purged, and nothing of it is left.\n"
    assert (process.returncode, said) == (Exit.FAILED, over)
    assert out.endswith(b"project purged\n")
    for since in ((), ("--since", "0")):
        process = await tailing(typed.product, made["id"], *since)
        _, said = await asyncio.wait_for(process.communicate(), WITHIN_S)
        assert (process.returncode, said) == (Exit.FAILED, over)


def test_the_key_of_a_deleted_project_is_said_to_be_one(typed: Typed) -> None:
    ask = typed.product.ask
    user = asyncio.run(typed.product.register("miner"))
    made = asyncio.run(ask("POST", "/v1/projects", user, {"name": "Shaft", "key": "SHAFT"})).body
    assert asyncio.run(ask("DELETE", f"/v1/projects/{made['id']}", user)).status == 200
    for command in ("tail", "export"):
        ended = typed(command, "shaft")
        assert (ended.code, ended.out) == (Exit.FAILED, "")
        assert f"The project SHAFT is deleted. Its id still leads to it: {made['id']}." in ended.err
    assert made["id"] in typed.good("export", made["id"])
    assert "Shaft" in typed.good("tail", made["id"], "--since", "0", "--no-follow")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("NOPE",), "There is no project NOPE. `pantherahive project list` shows them"),
        (("018f0000-0000-7000-8000-00000000000a", "--since", "0"), "There is no project 018f"),
        (("018f0000-0000-7000-8000-00000000000a", "--since", "2026-01-01"), "There is no project 018f"),
        (("CELLAR", "--since", "99"), "The project has not come to entry 99 yet"),
        (("CELLAR", "--since", "yesterday"), "asOf: give a seq, or a time"),
        (("CELLAR", "--since", "1.999999"), "has another history than the cursor 1.999999 (epoch)"),
        (("CELLAR", "--since", "1.999999", "--no-follow"), "has another history than the cursor 1.999999 (epoch)"),
        (("CELLAR", "--since", "99999.1"), "has another history than the cursor 99999.1 (ahead)"),
        (("CELLAR", "--since", "99999.1", "--no-follow"), "has another history than the cursor 99999.1 (ahead)"),
    ],
)
def test_what_cannot_be_followed_is_told(typed: Typed, words: tuple[str, ...], said: str) -> None:
    if "CELLAR" not in typed.good("project", "list"):
        user = asyncio.run(typed.product.register("cellist"))
        asyncio.run(typed.product.ask("POST", "/v1/projects", user, {"name": "Cellar", "key": "CELLAR"}))
    ended = typed("tail", *words)
    assert (ended.code, ended.out) == (Exit.FAILED, "")
    assert said in ended.err
