"""Takes people out of projects in the middle of traffic and tries every exit: nothing may reach them 1 s later.

    .venv/bin/python -m tests.chaos.revocation --interleavings 1000 --boards 16

The product runs as a real process. One interleaving: a guest follows a project on a live socket and often on one that
has stopped reading, everybody edits and comments, and at a random moment the guest is removed, leaves, or the project
is deleted (sometimes after a removal that was taken back). Time counts from the acknowledgement of that commit.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.acceptance.product import PASSWORD, running_product
from tests.chaos.client import Account
from tests.chaos.interleaving import Board, Interleaving
from tests.chaos.listener import Listener, small_buffers
from tests.chaos.verdict import Findings

GUESTS: Final = 3
SETTINGS: Final[dict[str, object]] = {
    "access_token_lifetime_s": 3600,
    "log_level": "warning",
    "heads_interval_s": 0.3,
    # A client that does not read is soon behind, and is not let go before it reads on.
    "transport_buffer_max_bytes": 64 * 1024,
    "send_buffer_bytes": 16 * 1024,
    "slow_follower_grace_s": 60,
}


class Stage:
    """A running product and its people."""

    def __init__(self, url: str, http: aiohttp.ClientSession, slow_http: aiohttp.ClientSession) -> None:
        self.url, self.http, self.slow_http = url, http, slow_http

    async def register(self, name: str) -> Account:
        wish = {"username": name, "password": PASSWORD}
        async with self.http.post(f"{self.url}/v1/users/register", json=wish) as response:
            body: Any = await response.json()
            assert response.status == 201, body
        return Account(body["userId"], body["accessToken"])

    async def board(self, number: int) -> Board:
        """A project with its owner on a socket, a task, and the guests, who have a project of their own each."""
        owner = await self.register(f"owner{number}")
        guests = [await self.register(f"guest{number}.{guest}") for guest in range(GUESTS)]
        for guest in guests:
            await self._create_project(guest)
        project_id = await self._create_project(owner)
        socket = Listener(f"project/{project_id}")
        await socket.open(self.http, self.url, owner.token)
        board = Board(self.url, self.http, self.slow_http, owner, guests, project_id, socket)
        await board.open()
        return board

    async def _create_project(self, person: Account) -> str:
        headers = {"Authorization": f"Bearer {person.token}"}
        async with self.http.post(f"{self.url}/v1/projects", json={"name": "Board"}, headers=headers) as response:
            body: Any = await response.json()
            assert response.status == 201, body
        return str(body["id"])


async def run(interleavings: int, boards: int, seed: int, folder: Path) -> Findings:
    """The whole run, with its data in `folder`."""
    findings = Findings()
    began_s = time.monotonic()
    async with (
        running_product(folder / "data", **SETTINGS) as product,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        aiohttp.ClientSession(connector=small_buffers()) as slow_http,
    ):
        stage = Stage(product.url, http, slow_http)
        numbers = iter(range(interleavings))
        made = [await stage.board(number) for number in range(boards)]
        async with asyncio.TaskGroup() as tasks:
            for board in made:
                tasks.create_task(_play(board, numbers, seed, findings))
        for board in made:
            await board.close()
        findings.log = product.log
    findings.took_s = time.monotonic() - began_s
    return findings


async def _play(board: Board, numbers: Any, seed: int, findings: Findings) -> None:
    for number in numbers:
        await Interleaving(number, board, random.Random(f"{seed}/{number}"), findings).run()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interleavings", type=int, default=1000)
    parser.add_argument("--boards", type=int, default=16, help="projects on which they are played at the same time")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pantherahive-revocation-") as folder:
        findings = asyncio.run(run(given.interleavings, given.boards, given.seed, Path(folder)))
    print("\n".join(findings.lines()))
    return 1 if findings.violations else 0


if __name__ == "__main__":
    sys.exit(main())
