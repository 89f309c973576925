"""The product as a process of its own, on a data folder that is thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp
import psutil

from benchmarks.cores import Cores, family, move, on_core
from server.metrics_page import PAGE_AGE_MAX_S

_ROOT = Path(__file__).resolve().parent.parent
_PASSWORD = "correct horse battery"
_END_S = 30.0
_LAST_WORDS_CHARACTERS = 2000
_LOOKS, _LOOKING_INTERVAL_S = 8, PAGE_AGE_MAX_S + 0.05

GENEROUS = MappingProxyType(
    {
        "PANTHERAHIVE_RATE_COMMANDS_MAX": "1000000000",
        "PANTHERAHIVE_RATE_REQUESTS_MAX": "1000000000",
        "PANTHERAHIVE_RATE_LOGINS_PER_ADDRESS_MAX": "1000000000",
    }
)
"""Where one user sends what a thousand would: their quotas are not what is measured."""
AS_SHIPPED: Mapping[str, str] = MappingProxyType({})
"""Every limit as it is by default."""


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Product:
    """`start`, `kill -9`, `start` again: the port and the data stay.

    With `cores` the server is on its core, and its Postgres is moved to the generator's.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] = GENEROUS, cores: Cores | None = None) -> None:
        self.data_dir = data_dir
        self.log = data_dir.parent / "server.log"
        self._settings = settings
        self._cores = cores
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> float:
        """Seconds until it is ready."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        environment = {
            **os.environ,
            "PANTHERAHIVE_DATA_DIR": str(self.data_dir),
            "PANTHERAHIVE_PORT": str(self.port),
            **self._settings,
        }
        command = [sys.executable, "-m", "server", "serve"]
        if self._cores is not None:
            command = on_core(self._cores.server, command)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=log, stderr=log)
        async with aiohttp.ClientSession() as http:
            while not await self._is_ready(http):
                if self._process.poll() is not None:
                    raise RuntimeError(f"the product ended with {self._process.returncode}: {self.last_words()}")
                await asyncio.sleep(0.02)
        if self._cores is not None:
            for postgres in self.postgres:
                move(postgres, self._cores.generator)
        return loop.time() - began_s

    def last_words(self) -> str:
        """The end of the log."""
        return self.log.read_text(errors="replace")[-_LAST_WORDS_CHARACTERS:]

    async def _is_ready(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def pid(self) -> int:
        """The application's process. Raises RuntimeError before the first start."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    @property
    def postgres(self) -> list[int]:
        """The processes of the embedded Postgres."""
        return [pid for pid in family(self.pid)[1:] if name_of(pid) == "postgres"]

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the application's process, without Postgres."""
        return int(psutil.Process(self.pid).memory_info().rss)

    async def metrics(self) -> str:
        """All of /metrics, as it was within the last `PAGE_AGE_MAX_S`; now, where nobody has asked since."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/metrics") as answer:
            return await answer.text()

    async def figure(self, name: str) -> float:
        """One value of /metrics, those with labels added up. Raises KeyError."""
        return self.figure_in(await self.metrics(), name)

    @staticmethod
    def figure_in(metrics: str, name: str) -> float:
        """The same in a text of /metrics. Nothing with labels that has not happened yet is there: 0."""
        found = re.findall(rf"^pantherahive_{name}(?:{{.*}})? ([0-9.e+-]+)$", metrics, re.MULTILINE)
        if not found and f"# HELP pantherahive_{name} " not in metrics:
            raise KeyError(name)
        return sum(map(float, found))

    async def resting_tasks(self) -> int:
        """Tasks of the server's loop: the least of several looks, between which the server's own come and go."""
        counts = []
        for _ in range(_LOOKS):
            counts.append(int(await self.figure("tasks")))
            await asyncio.sleep(_LOOKING_INTERVAL_S)
        return min(counts)

    async def histogram(self, name: str) -> dict[float, float]:
        """Upper bound → how many were at or below it."""
        pattern = rf'^pantherahive_{name}_bucket{{le="([^"]+)"}} ([0-9.e+-]+)$'
        return {float(bound): float(count) for bound, count in re.findall(pattern, await self.metrics(), re.MULTILINE)}


def name_of(pid: int) -> str:
    """The program's name; empty when it has ended."""
    try:
        return psutil.Process(pid).name()
    except psutil.NoSuchProcess:
        return ""


@contextlib.asynccontextmanager
async def running_product() -> AsyncIterator[Product]:
    """A started product; everything of it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hive-bench-"))
    product = Product(folder / "data")
    try:
        await product.start()
        yield product
    finally:
        product.stop()
        shutil.rmtree(folder)


async def sign_up(product: Product, username: str) -> tuple[str, str]:
    """A new user: id and access token."""
    body = {"username": username, "password": _PASSWORD}
    answer = await _post(f"{product.url}/v1/users/register", body, None)
    return answer["userId"], answer["accessToken"]


async def sign_in(product: Product, username: str) -> str:
    """An access token of somebody who is registered."""
    body = {"username": username, "password": _PASSWORD}
    token: str = (await _post(f"{product.url}/v1/users/login", body, None))["accessToken"]
    return token


async def create_project(product: Product, token: str, name: str) -> str:
    """A new project of the token's user: its id."""
    project_id: str = (await _post(f"{product.url}/v1/projects", {"name": name}, token))["id"]
    return project_id


async def _post(url: str, body: dict[str, Any], token: str | None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
        if answer.status >= 300:
            raise RuntimeError(f"{url}: {answer.status} {await answer.text()}")
        content: dict[str, Any] = await answer.json()
        return content
