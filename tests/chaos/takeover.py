"""Two processes on one database: the second is refused, and a frozen one that comes back never writes again.

    .venv/bin/python -m tests.chaos.takeover --trials 20

A trial: load on the process that serves; SIGSTOP at a random moment; another process takes over when the lease is
over, and the clients go on there; SIGCONT. The frozen one has to end itself with exit code 4. Its old connections stay
open all the while, so that a false ack or entry of it would be seen and judged.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import aiohttp

from config.secrets import ACCESS_KEY_FILE, ADMIN_TOKEN_FILE
from server.exits import Exit
from storage.embedded import EmbeddedPostgres
from tests.acceptance.product import Product, launch, ready
from tests.chaos.checker import Violation, check
from tests.chaos.endpoint import Endpoint
from tests.chaos.history import Accepted, Attempt, Head, History, Log, Operation
from tests.chaos.kill_application import TOKEN_LIFETIME_S, under_load
from tests.chaos.load import Load, Size
from tests.chaos.reading import read_heads, read_log

LEASE: Final[Mapping[str, Any]] = {"lease_s": 1, "beat_interval_s": 0.2}
ENDS_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done."""

    trials: int
    size: Size
    seed: int


@dataclass(slots=True)
class Trial:
    """One takeover."""

    # The generation that was frozen, and the shards as its successor had claimed them before it went on.
    generation: int
    heads: Mapping[int, Head]
    exit_code: int
    # From the freezing until the successor was ready.
    took_over_after_s: float


@dataclass(slots=True)
class Result:
    """What happened and what is wrong with it."""

    refused_with: int
    trials: list[Trial]
    history: History
    log: Log
    violations: list[Violation]
    # Followers that did not get everything that was acknowledged.
    behind: list[str]
    # Entries of a fenced epoch behind the place where its successor had begun.
    late_entries: list[str] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether everything was as promised."""
        ended = all(trial.exit_code == Exit.SESSION_LOST for trial in self.trials)
        clean = not self.violations and not self.late_entries and not self.behind
        return clean and ended and self.refused_with == Exit.ANOTHER_NODE

    @property
    def late_answers(self) -> list[Attempt]:
        """Answers of frozen processes that reached clients who had moved on; the checker has judged the acks."""
        return [attempt for operation in self.history.operations for attempt in _late(operation)]

    def lines(self) -> list[str]:
        """The figures, for people."""
        took = [trial.took_over_after_s for trial in self.trials] or [0.0]
        codes = Counter(trial.exit_code for trial in self.trials)
        late = [attempt.answer for attempt in self.late_answers]
        acked = sum(bool(operation.answers) for operation in self.history.operations)
        return [
            f"a second process was refused with exit code {self.refused_with}",
            f"takeovers                {len(self.trials)}",
            f"exit codes of the frozen {dict(codes)}",
            f"late entries             {len(self.late_entries)}",
            f"late answers             {len(late)}, of them true acks {sum(isinstance(a, Accepted) for a in late)}",
            f"commands answered        {acked} of {len(self.history.operations)}",
            f"entries in the log       {len(self.log.entries)}",
            f"taken over after         median {statistics.median(took):.2f} s, longest {max(took):.2f} s",
            f"took                     {self.took_s:.0f} s",
            f"violations               {len(self.violations)}",
            *(f"  {violation}" for violation in [*self.violations, *self.late_entries, *self.behind][:20]),
        ]


def _late(operation: Operation) -> Iterator[Attempt]:
    """Answered by an earlier process after the operation was sent to a later one."""
    for earlier, later in pairwise(operation.attempts):
        if earlier.answered_s is not None and earlier.answered_s > later.sent_s:
            yield earlier


async def run(plan: Plan, folder: Path, database_url: str) -> Result:
    """The whole run. The database has to be empty; `folder` takes the data folders."""
    began_s = time.monotonic()
    random_ = random.Random(plan.seed)
    endpoint = Endpoint()
    serving = _launch(folder / "node0", database_url)
    processes = [serving]
    trials: list[Trial] = []
    try:
        await ready(serving)
        refused_with = await _refused(folder / "refused", database_url)
        endpoint.up(serving.url)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            load = Load(plan.size, plan.seed, http, endpoint)
            await load.prepare()
            try:
                async with asyncio.TaskGroup() as tasks:
                    followers = load.start(tasks)
                    for _ in range(plan.trials):
                        await under_load(load, random_)
                        successor = _launch(_twin(serving.data_dir, folder / f"node{len(processes)}"), database_url)
                        processes.append(successor)
                        trials.append(await _take_over(serving, successor, endpoint, database_url, load, random_))
                        serving = successor
                    behind = await load.settle()
                    for follower in followers:
                        follower.cancel()
            finally:
                await load.close()
        log = await read_log(database_url)
        assert await serving.stop() == Exit.OK, serving.log
    finally:
        for process in processes:
            if process.process.poll() is None:
                process.kill()
    result = Result(refused_with, trials, load.history, log, check(load.history, log), behind)
    result.late_entries = _late_entries(log, trials)
    result.took_s = time.monotonic() - began_s
    return result


def _launch(data_dir: Path, database_url: str) -> Product:
    return launch(
        data_dir,
        database_url=database_url,
        access_token_lifetime_s=TOKEN_LIFETIME_S,
        log_level="warning",
        **LEASE,
    )


def _twin(data_dir: Path, other: Path) -> Path:
    """A data folder with the same secrets, so that tokens are good at both processes."""
    other.mkdir(mode=0o700)
    for name in (ACCESS_KEY_FILE, ADMIN_TOKEN_FILE):
        shutil.copy(data_dir / name, other / name)
    return other


async def _refused(data_dir: Path, database_url: str) -> int:
    """The exit code of a second process while the first one lives."""
    second = _launch(data_dir, database_url)
    try:
        return await second.ended()
    finally:
        second.process.kill()


async def _take_over(
    frozen: Product,
    successor: Product,
    endpoint: Endpoint,
    database_url: str,
    load: Load,
    random_: random.Random,
) -> Trial:
    """Freezes the one that serves when the other one is about to look who does."""
    await asyncio.sleep(random_.uniform(0.0, 1.0))
    generation, began_s = endpoint.generation, time.monotonic()
    frozen.pause()
    endpoint.down()
    await ready(successor)
    took_s = time.monotonic() - began_s
    heads = await read_heads(database_url)
    endpoint.up(successor.url)
    await under_load(load, random_)
    frozen.go_on()
    return Trial(generation, heads, await frozen.ended(ENDS_WITHIN_S), took_s)


def _late_entries(log: Log, trials: Sequence[Trial]) -> list[str]:
    return [
        f"{entry.stream} seq {entry.seq}, epoch {entry.epoch}, behind head {heads.head} of epoch {heads.epoch}"
        for trial in trials
        for entry in log.entries
        if entry.pos > (heads := trial.heads[entry.shard]).head and entry.epoch < heads.epoch
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--projects", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    plan = Plan(given.trials, Size(given.clients, given.projects), given.seed)
    with tempfile.TemporaryDirectory(prefix="pantherahive-takeover-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "database")
        # Before the loop: Postgres ends with the thread that starts it.
        database_url = postgres.start()
        try:
            result = asyncio.run(run(plan, Path(folder), database_url))
        finally:
            postgres.stop()
    print("\n".join(result.lines()))
    return 0 if result.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
