"""Kills the application and its Postgres in the middle of an import, again and again, and looks what has become of it.

    .venv/bin/python -m tests.chaos.kill_everything --kills 20 --postgres-kills 3 [FILE]

After each of these kills Postgres alone is killed some times more: amid the look for opIds that the new process does
not know, whose commands fail then while those behind them would not.

FILE is a GitHub issue archive. Three followers watch the whole time: the Python SDK, the JavaScript client (where
there is Node), and a lean one whose every message is judged by the checker.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from config.secrets import ADMIN_TOKEN_FILE
from pantherahive_client import Client, Project
from protocol.cursors import Cursor
from storage.embedded import running_dsn
from storage.embedded.postmaster import PostmasterFile, works_on
from tests.acceptance.javascript import JsFollower, js_follower, node
from tests.acceptance.product import CHECKOUT, Product, launch, ready
from tests.chaos.checker import check
from tests.chaos.client import Account, until
from tests.chaos.endpoint import Endpoint
from tests.chaos.follower import Follower
from tests.chaos.history import History
from tests.chaos.imported import Counts, Result, count_archive, count_project
from tests.chaos.port import free_port
from tests.chaos.reading import read_log

PATIENCE_S: Final = 300.0
IMPORT_TIMEOUT_S: Final = 1800.0
CAUGHT_UP_WITHIN_S: Final = 60.0
IMPORTS_MAX: Final = 5
"""How often an import that gave up is repeated."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done."""

    archive: Path
    kills: int
    seed: int
    in_flight: int = 32
    # Kills of Postgres alone after each kill of everything.
    postgres_kills: int = 0


class Run:
    """One run: a server that is killed, an import, and three followers."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._data_dir = folder / "data"
        # The same at every start: clients come back to where they were.
        self._port = free_port()
        self._endpoint = Endpoint()
        self._history = History()
        self._random = random.Random(plan.seed)
        self._product: Product | None = None
        self._ready_after_s: list[float] = []
        self._killed_at_seq: list[int] = []
        self._postgres_kills = 0
        # Kills that came when the import was over already.
        self._missed_kills = 0
        self._exit_codes: list[int] = []

    async def run(self) -> Result:
        """The whole run."""
        await self._start()
        try:
            return await self._run()
        finally:
            if self._product is not None and self._product.process.poll() is None:
                await self._product.stop()

    async def _run(self) -> Result:
        token = (self._data_dir / ADMIN_TOKEN_FILE).read_text().strip()
        url = self._endpoint_url
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(Client(url, token=token))
            owner = await self._require().register("ada")
            project_id = await client.create_project("Imported", owner_id=owner.id)
            project = await stack.enter_async_context(client.project(project_id))
            seqs = await stack.enter_async_context(_reading(project))
            js = await stack.enter_async_context(js_follower(url, token, project_id)) if node() else None
            http = await stack.enter_async_context(aiohttp.ClientSession())
            lean = self._lean(project_id, Account("system", token), http)
            watching = asyncio.create_task(lean.run())
            try:
                began_s = time.monotonic()
                await self._import_under_kills(project_id, project, lean)
                import_s = time.monotonic() - began_s
                result = await self._judge(project_id, project, lean, js, seqs, token)
                result.import_s = import_s
                return result
            finally:
                watching.cancel()
                await asyncio.wait([watching])

    @property
    def _endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _require(self) -> Product:
        assert self._product is not None
        return self._product

    def _lean(self, project_id: str, account: Account, http: aiohttp.ClientSession) -> Follower:
        stream = f"project/{project_id}"
        return Follower("lean", stream, account, http, self._endpoint, self._history, random.Random(self._plan.seed))

    async def _start(self) -> None:
        self._product = launch(self._data_dir, port=self._port, log_level="warning")
        await ready(self._product)
        self._endpoint.up(self._product.url)

    # — importing and killing ————————————————————————————————————————————————————————————————————————

    async def _import_under_kills(self, project_id: str, project: Project, lean: Follower) -> None:
        """Imports until it is done; kills fall at random places of the history that is imported."""
        total = count_archive(self._plan.archive).entries
        # Not at the very end: the import has to be under way still when the kill falls.
        places = sorted(self._random.sample(range(1, total * 9 // 10), self._plan.kills))
        importing = asyncio.create_task(self._import_all(project_id))
        try:
            for place in places:
                # Also beyond the last kill, so that the import goes on between two kills.
                await self._until_beyond(max(place, *self._killed_at_seq, 0), project, lean, importing)
                # The moment itself is random too, not only the place.
                await asyncio.sleep(self._random.uniform(0.0, 0.02))
                self._missed_kills += importing.done()
                await self._kill_everything(_furthest(project, lean))
                for _ in range(self._plan.postgres_kills):
                    await self._until_beyond(_furthest(project, lean), project, lean, importing)
                    await asyncio.sleep(self._random.uniform(0.0, 0.1))
                    await self._kill_postgres()
            await asyncio.wait_for(importing, IMPORT_TIMEOUT_S)
        finally:
            importing.cancel()

    async def _until_beyond(self, place: int, project: Project, lean: Follower, importing: asyncio.Task[None]) -> None:
        """Some follower has seen the import beyond this place."""
        await until(
            lambda: _furthest(project, lean) > place or importing.done(),
            IMPORT_TIMEOUT_S,
            lambda: f"the import stands at {_furthest(project, lean)}",
        )

    async def _import_all(self, project_id: str) -> None:
        for _ in range(IMPORTS_MAX):
            self._exit_codes.append(await self._import(project_id))
            if self._exit_codes[-1] == 0:
                return

    async def _import(self, project_id: str) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "server", "import", "github-archive", str(self._plan.archive)),
            *("--project", project_id, "--server", self._endpoint_url, "--patience", str(PATIENCE_S)),
            *("--in-flight", str(self._plan.in_flight), "--data-dir", str(self._data_dir)),
            cwd=CHECKOUT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _kill_everything(self, seq: int) -> None:
        """SIGKILL to the application, the postmaster and all its children, before any of them can notice."""
        product = self._require()
        victims = self._postgres()
        assert victims, "there is no Postgres to be killed"
        _kill([product.process.pid, *(victim.pid for victim in victims)])
        self._endpoint.down()
        product.process.wait()
        await asyncio.to_thread(psutil.wait_procs, victims, 10)
        began_s = time.monotonic()
        await self._start()
        self._ready_after_s.append(time.monotonic() - began_s)
        self._killed_at_seq.append(seq)

    async def _kill_postgres(self) -> None:
        """SIGKILL to the postmaster and all its children, unless the application is about to start another one."""
        if victims := self._postgres():
            _kill([victim.pid for victim in victims])
            await asyncio.to_thread(psutil.wait_procs, victims, 10)
            self._postgres_kills += 1

    def _postgres(self) -> list[psutil.Process]:
        """Its processes, the postmaster first; nothing where it does not run."""
        cluster = self._data_dir.resolve() / "postgres"
        postmaster = PostmasterFile.read(cluster)
        if postmaster is None or not works_on(postmaster.pid, cluster):
            return []
        try:
            first = psutil.Process(postmaster.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    # — judging ——————————————————————————————————————————————————————————————————————————————————————

    async def _judge(
        self, project_id: str, project: Project, lean: Follower, js: JsFollower | None, seqs: list[int], token: str
    ) -> Result:
        source = count_archive(self._plan.archive)
        last = 1 + source.entries
        self._exit_codes.append(await self._import(project_id))
        await until(
            lambda: project.seq >= last and lean.cursor is not None and lean.cursor.seq >= last and seqs[-1:] == [last],
            CAUGHT_UP_WITHIN_S,
            lambda: f"of {last} entries the SDK has {project.seq}, its reader {seqs[-1:]}, the lean one {lean.cursor}",
        )
        result = await self._judge_log(f"project/{project_id}", source, count_project(project))
        async with Client(self._endpoint_url, token=token) as client, client.project(project_id) as fresh:
            server_state, server_cursor = fresh.confirmed.as_json(), fresh.cursor
        result.expect(project.confirmed.as_json() == server_state, "the SDK's replica is not the server's snapshot")
        result.expect(project.cursor == server_cursor, f"the SDK stands at {project.cursor}, not {server_cursor}")
        result.expect(seqs == list(range(2, last + 1)), "the SDK's reader did not get every entry once, in order")
        result.joins = "lean: " + _joins([following.mode for following in self._history.followings])
        if js is not None:
            await self._judge_js(result, js, last, server_state)
        return result

    async def _judge_log(self, stream: str, source: Counts, found: Counts) -> Result:
        dsn = running_dsn(self._data_dir)
        assert dsn is not None, "the embedded Postgres does not run"
        log = await read_log(dsn)
        entries = sum(entry.stream == stream for entry in log.entries)
        violations = check(self._history, log)
        result = Result(source, found, entries, violations, self._ready_after_s, self._killed_at_seq)
        result.exit_codes = self._exit_codes
        result.postgres_kills = self._postgres_kills
        result.expect(entries == 1 + source.entries, f"{entries} entries, {1 + source.entries} expected")
        result.expect(found == source, "the project does not hold what the archive holds")
        result.expect(not self._missed_kills, f"{self._missed_kills} kills came after the import")
        result.expect(self._exit_codes[-2:] == [0, 0], f"imports ended with {self._exit_codes}")
        return result

    async def _judge_js(self, result: Result, js: JsFollower, last: int, server_state: dict[str, Any]) -> None:
        await js.caught_up(last)
        said = await js.state()
        result.expect(said["state"] == server_state, "the JavaScript replica is not the server's snapshot")
        result.expect(Cursor.parse(said["cursor"]).seq == last, f"the JavaScript follower is at {said['cursor']}")
        gaps = [line for line in js.lines if line["type"] == "gap"]
        result.expect(not gaps, f"the JavaScript follower saw gaps: {gaps[:3]}")
        modes = [line["mode"] for line in js.lines if line["type"] == "joined"]
        result.expect(set(modes[1:]) <= {"resume"}, f"the JavaScript follower did not resume: {modes}")
        result.joins += f"; JavaScript: {_joins(modes)}"


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # a child that ended by itself


def _joins(modes: Sequence[str]) -> str:
    return f"{modes.count('resume')} resumed, {len(modes) - modes.count('resume')} with state"


def _furthest(project: Project, lean: Follower) -> int:
    """How much of the log has been seen: who has to reconnect may be far behind the other."""
    return max(project.seq, lean.cursor.seq if lean.cursor is not None else 0)


@asynccontextmanager
async def _reading(project: Project) -> AsyncIterator[list[int]]:
    """The seqs of all entries that a reader of `events()` gets."""
    seqs: list[int] = []
    events = project.events()

    async def read() -> None:
        async for event in events:
            seqs.extend([event.seq] if event.last else [])

    task = asyncio.create_task(read())
    try:
        yield seqs
    finally:
        task.cancel()
        await asyncio.wait([task])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, nargs="?", default=default_archive(), metavar="FILE")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--postgres-kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    # A few only: with the usual 32 the whole archive is in before the followers have come back from a kill.
    parser.add_argument("--in-flight", type=int, default=2, help="steps of the import on their way at a time")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="pantherahive-everything-"))
    try:
        plan = Plan(given.archive, given.kills, given.seed, given.in_flight, postgres_kills=given.postgres_kills)
        result = asyncio.run(Run(plan, folder).run())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(result.lines()))
    return 0 if result.is_good else 1


def default_archive() -> Path:
    """The real archive beside the checkout where it is, else the small one of the tests."""
    real = CHECKOUT.parent / "shared" / "data" / "github-issues.json"
    return real if real.exists() else CHECKOUT / "tests" / "data" / "github-archive.json"


if __name__ == "__main__":
    sys.exit(main())
