"""What the tests of the embedded Postgres are given: SQL in a line, and an application to be killed."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from storage.embedded.account import choose_account

CHECKOUT = Path(__file__).parents[3]
ANSWER_TIMEOUT_S = 30.0

needs_root = pytest.mark.only_if(os.geteuid() == 0)


def sql(dsn: str, *statements: str) -> object:
    """Run statements on one connection; give the first value of the last one's answer."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            value: object = None
            for statement in statements:
                value = await connection.fetchval(statement)
            return value
        finally:
            await connection.close()

    return asyncio.run(run())


def give_to_postgres(cluster: Path) -> None:
    """Make the folder that of the account which Postgres would run as, where that is another one."""
    account = choose_account(cluster)
    os.chown(cluster, account.uid, account.gid)


@dataclass(frozen=True)
class Application:
    """A process that runs the server, and what it said after the start."""

    process: subprocess.Popen[str]
    said: dict[str, str]

    @property
    def dsn(self) -> str:
        return self.said["dsn"]

    @property
    def postmaster(self) -> int:
        return int(self.said["postmaster"])

    def kill(self) -> None:
        """End it as a power cut would, as far as a process can tell."""
        self.process.kill()
        self.process.wait()


@contextmanager
def application(*arguments: Path | str) -> Iterator[Application]:
    """Run `tests.storage.embedded.application` and wait for what it says; it is ended at the exit."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.embedded.application", *map(str, arguments)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield Application(process, json.loads(process.stdout.readline()))
        finally:
            if process.stdin is not None and process.poll() is None:
                process.stdin.close()
                process.wait(ANSWER_TIMEOUT_S)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not collected yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
