"""Kills the application again and again under a mixed load, and lets the checker judge what is left.

    .venv/bin/python -m tests.chaos.kill_application --kills 200 --clients 50 --projects 20

The product runs as a real process on its embedded Postgres and a real data folder. A kill is SIGKILL at a random
moment; the embedded Postgres ends with the application. Clients send again what was not answered, followers resume.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from protocol.base import datetime_of
from storage.embedded import running_dsn
from tests.acceptance.product import Product, launch, ready
from tests.chaos.checker import Violation, check
from tests.chaos.client import until
from tests.chaos.endpoint import Endpoint
from tests.chaos.history import Accepted, History, Log, Rejected
from tests.chaos.load import Load, Size, unacknowledged
from tests.chaos.reading import read_log

UNDER_LOAD_S: Final = (0.05, 0.8)
"""A kill falls this long after the load flows again."""
FLOWS_AGAIN_S: Final = 60.0
TOKEN_LIFETIME_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done."""

    kills: int
    size: Size
    seed: int


@dataclass(slots=True)
class Kill:
    """One kill, and how long the next process took to be ready."""

    generation: int
    # Wall-clock time, comparable with the log's `recorded_at`.
    killed_at_s: float
    ready_after_s: float = 0.0


@dataclass(slots=True)
class Result:
    """What happened and what is wrong with it."""

    kills: list[Kill]
    history: History
    log: Log
    violations: list[Violation] = field(default_factory=list)
    # Followers that did not get everything that was acknowledged.
    behind: list[str] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether everything was as promised, and the kills fell where they hurt."""
        return not self.violations and not self.behind and 2 * self.in_flight >= len(self.kills)

    @property
    def in_flight(self) -> int:
        """Kills that fell between an append and its ack: the log has an entry of the killed process whose ack never
        left it. (Appends that were cut off before their commit are not counted: nobody can tell afterwards.)"""
        recorded = {(e.stream, e.op_id): datetime_of(e.wire["recordedAt"]).timestamp() for e in self.log.entries}
        return sum(any(self._appended(kill, recorded)) for kill in self.kills)

    def _appended(self, kill: Kill, recorded: dict[tuple[str, str], float]) -> list[bool]:
        """The killed process stamped the entry before it died; its successor could only do so later."""
        return [
            recorded.get((operation.stream, operation.op_id), float("inf")) <= kill.killed_at_s
            for operation in unacknowledged(self.history.operations, kill.generation)
            if operation.attempts[0].generation == kill.generation
        ]

    def lines(self) -> list[str]:
        """The figures, for people."""
        outcomes = Counter(type(operation.outcome) for operation in self.history.operations)
        modes = Counter(following.mode for following in self.history.followings)
        ready = [kill.ready_after_s for kill in self.kills] or [0.0]
        kinds = Counter(violation.kind.name for violation in self.violations)
        seen = sum(len(following.seen) for following in self.history.followings)
        return [
            f"kills                    {len(self.kills)}",
            f"  between append and ack {self.in_flight}",
            f"commands acknowledged    {outcomes[Accepted]}",
            f"  refused                {outcomes[Rejected]}",
            f"  outcome unknown        {outcomes[type(None)]}",
            f"  sent more than once    {sum(len(one.attempts) > 1 for one in self.history.operations)}",
            f"entries in the log       {len(self.log.entries)}",
            f"followers' joins         {sum(modes.values())} {dict(modes)}",
            f"entries they received    {seen}",
            f"ready after a kill       median {statistics.median(ready):.2f} s, longest {max(ready):.2f} s",
            f"took                     {self.took_s:.0f} s",
            f"violations               {len(self.violations)} {dict(kinds)}",
            *(f"  {violation}" for violation in self.violations[:20]),
            *(f"followers behind         {one}" for one in self.behind),
        ]


async def run(plan: Plan, folder: Path, tell: Callable[[str], None] = lambda line: None) -> Result:
    """The whole run in `folder`, which has to be empty. `tell` hears how far it is."""
    began_s = time.monotonic()
    random_ = random.Random(plan.seed)
    data_dir = folder / "data"
    endpoint = Endpoint()
    product = await _start(data_dir, endpoint)
    kills: list[Kill] = []
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            load = Load(plan.size, plan.seed, http, endpoint)
            await load.prepare()
            try:
                async with asyncio.TaskGroup() as tasks:
                    followers = load.start(tasks)
                    for number in range(1, plan.kills + 1):
                        await under_load(load, random_)
                        product, kill = await _kill(product, endpoint)
                        kills.append(kill)
                        tell(f"kill {number}: {load.answered} commands answered, ready in {kill.ready_after_s:.1f} s")
                    behind = await load.settle()
                    for follower in followers:
                        follower.cancel()
            finally:
                await load.close()
        dsn = running_dsn(data_dir)
        assert dsn is not None, "the embedded Postgres does not run"
        log = await read_log(dsn)
        assert await product.stop() == 0, product.log
    finally:
        if product.process.poll() is None:
            product.kill()
    return Result(kills, load.history, log, check(load.history, log), behind, time.monotonic() - began_s)


async def _start(data_dir: Path, endpoint: Endpoint) -> Product:
    product = launch(data_dir, access_token_lifetime_s=TOKEN_LIFETIME_S, log_level="warning")
    try:
        await ready(product)
    except BaseException:
        product.process.kill()
        raise
    endpoint.up(product.url)
    return product


async def under_load(load: Load, random_: random.Random) -> None:
    """A random moment after commands are answered again."""
    answered = load.answered
    await until(lambda: load.answered > answered, FLOWS_AGAIN_S, lambda: "no command is answered any more")
    await asyncio.sleep(random_.uniform(*UNDER_LOAD_S))


async def _kill(product: Product, endpoint: Endpoint) -> tuple[Product, Kill]:
    kill = Kill(endpoint.generation, 0.0)
    product.process.kill()
    kill.killed_at_s = time.time()
    endpoint.down()
    product.process.wait()
    began_s = time.monotonic()
    successor = await _start(product.data_dir, endpoint)
    kill.ready_after_s = time.monotonic() - began_s
    return successor, kill


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--projects", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to make the data folder; kept, and temporary if absent")
    given = parser.parse_args(arguments)
    plan = Plan(given.kills, Size(given.clients, given.projects), given.seed)
    if given.folder is not None:
        result = asyncio.run(run(plan, given.folder, _tell))
    else:
        with tempfile.TemporaryDirectory(prefix="pantherahive-kills-") as folder:
            result = asyncio.run(run(plan, Path(folder), _tell))
    print("\n".join(result.lines()))
    return 0 if result.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
