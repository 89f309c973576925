"""Starts the product as a process of its own, and does to it what happens to processes.

    async with running_product(tmp_path / "data", lease_s=1) as product:
        user = await product.register("ada")
        product.kill()                                  # SIGKILL; with it the embedded Postgres
    async with running_product(tmp_path / "data") as product: ...

Settings are given by name and become `PANTHERAHIVE_…`. A product that does not do as it should shows its log.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp

CHECKOUT: Final = Path(__file__).resolve().parents[2]
START_TIMEOUT_S: Final = 60.0
END_TIMEOUT_S: Final = 30.0
POLL_INTERVAL_S: Final = 0.02
PASSWORD: Final = "correct horse battery"
CHEAP: Final = {"argon2_memory_kib": 8192, "argon2_time_cost": 1}
"""Settings that every test wants: password hashes that cost little."""

_LISTENS = re.compile(r"listens on (http://\S+)")


class User(NamedTuple):
    """Who is signed in."""

    id: str
    name: str
    token: str


class Answer(NamedTuple):
    """An HTTP answer; `body` is the decoded JSON, None when there is none."""

    status: int
    body: Any
    headers: dict[str, str]


class ProductFailed(AssertionError):
    """The product did not do as it should. The text ends with its log."""


@dataclass
class Product:
    """One process of the product. `url` is "" until it listens."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    log_path: Path
    url: str = ""

    # — what happens to processes ————————————————————————————————————————————————————————————————————

    def kill(self) -> None:
        """SIGKILL, and waits until the kernel is done with it."""
        self.process.kill()
        self.process.wait(END_TIMEOUT_S)

    def pause(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self, timeout_s: float = END_TIMEOUT_S) -> int:
        """The exit code, as soon as it has ended by itself."""
        await until(lambda: self.process.poll() is not None, timeout_s, self, "does not end")
        return int(self.process.returncode)

    @property
    def log(self) -> str:
        """Everything it has said."""
        return self.log_path.read_text(errors="replace")

    # — what users do ————————————————————————————————————————————————————————————————————————————————

    async def ask(self, method: str, path: str, user: User | None = None, json: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own. Raises aiohttp.ClientError when nobody answers."""
        if user is not None:
            headers = {**headers, "Authorization": f"Bearer {user.token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, json=json, headers=headers) as response,
        ):
            body = await response.json(content_type=None) if "json" in response.content_type else None
            return Answer(response.status, body, dict(response.headers))

    async def register(self, name: str) -> User:
        answer = await self.ask("POST", "/v1/users/register", json={"username": name, "password": PASSWORD})
        assert answer.status == 201, answer
        return User(answer.body["userId"], name, answer.body["accessToken"])

    async def login(self, name: str) -> User:
        answer = await self.ask("POST", "/v1/users/login", json={"username": name, "password": PASSWORD})
        assert answer.status == 200, answer
        return User(answer.body["userId"], name, answer.body["accessToken"])

    async def create_project(self, user: User, name: str = "Apollo", **headers: str) -> dict[str, Any]:
        answer = await self.ask("POST", "/v1/projects", user, {"name": name}, **headers)
        assert answer.status == 201, answer
        return dict(answer.body)


def launch(data_dir: Path, **settings: object) -> Product:
    """Starts a process and does not wait for anything. Whoever calls it ends it."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    log_path = data_dir.parent / f"{data_dir.name}-{time.monotonic_ns()}.log"
    given = {"port": 0, "data_dir": data_dir, **CHEAP, **settings}
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve"],
            cwd=CHECKOUT,
            env={
                **_clean_environment(),
                **{f"PANTHERAHIVE_{name.upper()}": str(value) for name, value in given.items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Product(process, data_dir, log_path)


async def ready(product: Product, timeout_s: float = START_TIMEOUT_S) -> Product:
    """Waits until `/readyz` says yes. Raises ProductFailed when the process ends instead, or it takes too long."""
    await until(lambda: _listens(product) or product.process.poll() is not None, timeout_s, product, "does not listen")
    if product.process.poll() is not None:
        raise _failed(product, f"ended with {product.process.returncode}")
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        try:
            if (await product.ask("GET", "/readyz")).status == 200:
                return product
        except aiohttp.ClientError:
            pass  # it has printed its address and does not accept yet, or it has just died
        await asyncio.sleep(POLL_INTERVAL_S)
    raise _failed(product, "is not ready")


@asynccontextmanager
async def running_product(data_dir: Path, **settings: object) -> AsyncIterator[Product]:
    """A product that is ready. At the end it is stopped in order, unless it has ended before."""
    product = launch(data_dir, **settings)
    try:
        yield await ready(product)
        if product.process.poll() is None:
            product.go_on()
            await product.stop()
    finally:
        if product.process.poll() is None:
            product.kill()


async def until(condition: Callable[[], bool], timeout_s: float, product: Product, otherwise: str) -> None:
    """Waits for a condition; raises ProductFailed after the time."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline_s:
            raise _failed(product, otherwise)
        await asyncio.sleep(POLL_INTERVAL_S)


def _listens(product: Product) -> bool:
    match = _LISTENS.search(product.log)
    if match is not None:
        product.url = match[1]
    return match is not None


def _failed(product: Product, why: str) -> ProductFailed:
    return ProductFailed(f"the product {why}; its log:\n{product.log[-8000:]}")


def _clean_environment() -> dict[str, str]:
    """Without settings."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("PANTHERAHIVE_")}
