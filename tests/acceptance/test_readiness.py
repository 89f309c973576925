"""`/readyz` tells the truth about the database, `/healthz` that the process lives, and lists are never old."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import asyncpg

from storage.embedded import running_dsn
from tests.acceptance.product import Answer, Product, User, running_product
from tests.chaos.interleaving import command
from tests.chaos.listener import Listener

WITHIN_S = 10.0
FROZEN_S = 4.0
RETURNED = "the embedded Postgres is back"


def backends(data_dir: Path) -> list[int]:
    """The embedded Postgres and all its processes, the postmaster first."""
    postmaster = int((data_dir / "postgres/postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue  # a backend that ended by itself


async def readyz(product: Product, is_awaited: Callable[[Answer], bool]) -> float:
    """Seconds until /readyz answers as awaited; /healthz has to be well all the time."""
    began_s = time.monotonic()
    while True:
        answer = await product.ask("GET", "/readyz")
        assert (await product.ask("GET", "/healthz")).status == 200
        if is_awaited(answer):
            return time.monotonic() - began_s
        assert time.monotonic() - began_s < WITHIN_S, (answer, product.log[-3000:])


def is_ready(answer: Answer) -> bool:
    return answer.status == 200 and answer.body == {"ready": True, "reasons": {}}


def names_the_database(answer: Answer) -> bool:
    return answer.status == 503 and answer.body["reasons"].get("database") == "the database does not answer"


def names_the_log(answer: Answer) -> bool:
    return answer.status == 503 and answer.body["reasons"].get("log", "").startswith("the log takes no entries: ")


async def test_a_frozen_database_is_told_and_so_is_its_return(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data", ready_check_timeout_s=1) as product:
        ada = await product.register("ada")
        frozen = backends(product.data_dir)
        send(frozen, signal.SIGSTOP)
        try:
            assert await readyz(product, names_the_database) < 5
        finally:
            send(frozen, signal.SIGCONT)
        await readyz(product, is_ready)
        await product.create_project(ada)


async def test_a_log_that_takes_no_entries_is_told_though_the_database_answers(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data", append_stalled_after_s=0.3) as product:
        ada = await product.register("ada")
        dsn = running_dsn(product.data_dir)
        assert dsn is not None
        database = await asyncpg.connect(dsn)
        try:
            async with database.transaction():
                await database.execute("LOCK TABLE entries IN EXCLUSIVE MODE")
                making = asyncio.create_task(product.create_project(ada))
                await readyz(product, names_the_log)
            await making
        finally:
            await database.close()
        await readyz(product, is_ready)


async def test_a_frozen_database_is_answered_in_time_and_used_at_once_when_it_goes_on(tmp_path: Path) -> None:
    """Frozen for longer than the lease lives: the first request after that has to find everything in order."""
    limits = {"lease_s": 1, "beat_interval_s": 0.3, "database_read_deadline_s": 1.5}
    async with running_product(tmp_path / "data", **limits) as product:
        ada = await product.register("ada")
        await product.create_project(ada)
        frozen = backends(product.data_dir)
        send(frozen, signal.SIGSTOP)
        try:
            for path in ("/v1/projects", "/v1/tasks", "/v1/users?username=ada"):
                began_s = time.monotonic()
                answer = await product.ask("GET", path, ada)
                assert (answer.status, answer.body["code"]) == (503, "unavailable"), answer
                assert "Retry-After" in answer.headers
                assert time.monotonic() - began_s < 5
        finally:
            send(frozen, signal.SIGCONT)
        await product.create_project(ada, "Gemini")
        answer = await product.ask("GET", "/v1/projects", ada)
        assert [one["name"] for one in answer.body] == ["Gemini", "Apollo"]


async def test_ready_after_a_restart_means_that_the_first_request_works(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        ada = await product.register("ada")
        for number in range(3):
            returned = product.log.count(RETURNED)
            send(backends(product.data_dir)[:1], signal.SIGKILL)
            await readyz(product, lambda answer: answer.status == 503)
            await readyz(product, is_ready)
            assert product.log.count(RETURNED) == returned + 1
            await product.create_project(ada, f"Apollo {number}")
            answer = await product.ask("PUT", f"/v1/users/{ada.id}", ada, {"email": f"ada{number}@example.org"})
            assert answer.status == 200, answer
            assert len((await product.ask("GET", "/v1/projects", ada)).body) == number + 1


async def test_a_killed_database_is_started_again(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        ada = await product.register("ada")
        send(backends(product.data_dir)[:1], signal.SIGKILL)
        deadline_s = time.monotonic() + WITHIN_S
        while (answer := await product.ask("POST", "/v1/projects", ada, {"name": "Apollo"})).status == 503:
            assert time.monotonic() < deadline_s, product.log[-3000:]
        assert answer.status == 201
        await readyz(product, is_ready)


async def test_everybody_else_goes_on_while_a_killed_database_recovers(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data", ready_check_timeout_s=1) as product:
        ada = await product.register("ada")
        killed = backends(product.data_dir)[0]
        send([killed], signal.SIGKILL)
        frozen = await another_postmaster(product, killed)
        try:
            send([frozen], signal.SIGSTOP)
            assert await readyz(product, lambda answer: answer.status == 503) < 5
            slowest_s = 0.0
            until_s = time.monotonic() + FROZEN_S
            while time.monotonic() < until_s:
                began_s = time.monotonic()
                assert (await product.ask("GET", "/healthz")).status == 200
                slowest_s = max(slowest_s, time.monotonic() - began_s)
                assert (await product.ask("GET", "/readyz")).status == 503
            assert slowest_s < 0.5
        finally:
            send([frozen], signal.SIGCONT)
        await readyz(product, is_ready)
        await product.create_project(ada)


def command_line(pid: int) -> bytes:
    """Empty for a process that has ended since it was listed."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


async def another_postmaster(product: Product, than: int) -> int:
    """The pid of the product's new postmaster, as soon as the process is there."""
    deadline_s = time.monotonic() + WITHIN_S
    children = Path(f"/proc/{product.process.pid}/task/{product.process.pid}/children")
    while True:
        for pid in map(int, children.read_text().split()):
            if pid != than and b"listen_addresses=" in command_line(pid):
                return pid
        assert time.monotonic() < deadline_s, product.log[-3000:]
        await asyncio.sleep(0.001)


async def test_lists_say_that_they_are_behind_rather_than_what_was(tmp_path: Path) -> None:
    async with running_product(tmp_path / "data") as product:
        ada, bob = await product.register("ada"), await product.register("bob")
        project = await product.create_project(ada)
        await change(product, ada, project["id"], "AddMember", userId=bob.id, role="member")
        assert [one["id"] for one in (await product.ask("GET", "/v1/projects", bob)).body] == [project["id"]]

        dsn = running_dsn(product.data_dir)
        assert dsn is not None
        connection = await asyncpg.connect(dsn)
        try:
            async with connection.transaction():
                await connection.execute("SELECT * FROM consumers WHERE name = 'projector' FOR UPDATE")
                await change(product, ada, project["id"], "RemoveMember", userId=bob.id)
                for path in ("/v1/projects", "/v1/tasks"):
                    began_s = time.monotonic()
                    answer = await product.ask("GET", path, bob)
                    assert answer.status == 503, answer
                    assert answer.body["details"]["reason"] == "behind"
                    assert 0.9 < time.monotonic() - began_s < 5
        finally:
            await connection.close()
        await listed_again(product, bob)


async def listed_again(product: Product, bob: User) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while (answer := await product.ask("GET", "/v1/projects", bob)).status == 503:
        assert time.monotonic() < deadline_s
    assert (answer.status, answer.body) == (200, [])


async def change(product: Product, user: User, project_id: str, type_: str, **data: str) -> None:
    """A command on a socket of its own."""
    socket = Listener(f"project/{project_id}")
    async with aiohttp.ClientSession() as http:
        await socket.open(http, product.url, user.token)
        answer = await command(socket, f"project/{project_id}", type_, data)
        await socket.close()
    assert "error" not in answer, answer
