"""The real JavaScript client as a process: installed once per lock file, spoken to in lines of JSON."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parent / "js"
CACHE = Path(__file__).parents[2] / ".pytest_cache" / "javascript"
FILES = ("package.json", "package-lock.json", ".npmrc")
INSTALL_TIMEOUT_S = 100
LINE_BYTES_MAX = 256 * 1024 * 1024
DEADLINE_S = 20.0


def node() -> str | None:
    """The program, None where there is no Node."""
    return shutil.which("node")


def installed() -> Path:
    """The folder with node_modules, made on the first call; tests in other processes wait for it."""
    content = b"".join((SOURCE / name).read_bytes() for name in FILES)
    folder = CACHE / hashlib.sha256(content).hexdigest()[:16]
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder)
    shutil.copy(SOURCE / "follower.mjs", folder / "follower.mjs")
    return folder


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in FILES:
        shutil.copy(SOURCE / name, folder / name)
    npm = shutil.which("npm")
    assert npm is not None, "Node is here, but npm is not"
    subprocess.run(
        [npm, "ci", "--ignore-scripts"], cwd=folder, check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S
    )
    (folder / "complete").touch()


class JsFollower:
    """A running follower. `lines` holds everything that it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[dict[str, Any]] = []
        self._heard = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(json.loads(line))
            self._heard.set()
        self._heard.set()

    def say(self, command: str) -> None:
        """`state`, `disconnect`, `reconnect`, `leave`, `token NEW`, `quit`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())

    async def until(self, told: Callable[[dict[str, Any]], bool], after: int = 0) -> dict[str, Any]:
        """The first line behind number `after` of which `told` is true. Raises TimeoutError."""
        place = after
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for line in self.lines[place:]:
                    if told(line):
                        return line
                place = len(self.lines)
                self._heard.clear()
                assert not self._reading.done(), f"the follower has ended: {self.lines[-3:]}"
                await self._heard.wait()

    async def caught_up(self, seq: int) -> None:
        """Returns when it has taken the entry `seq`."""
        await self.until(
            lambda line: (
                (line["type"] == "entries" and line["to"] >= seq)
                or (line["type"] == "joined" and int(line["cursor"].split(".")[0]) >= seq)
            )
        )

    async def state(self) -> dict[str, Any]:
        """`{cursor, state, applied, joins}` as of now."""
        heard = len(self.lines)
        self.say("state")
        return await self.until(lambda line: line["type"] == "state", after=heard)

    def send_signal(self, number: int) -> None:
        """To its process: stop and go on, for example."""
        self._process.send_signal(number)

    async def stop(self) -> None:
        """Ends the process."""
        if self._process.returncode is None:
            self.say("quit")
            try:
                async with asyncio.timeout(5):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await self._reading


@asynccontextmanager
async def js_follower(url: str, token: str, project_id: str, cursor: str | None = None) -> AsyncIterator[JsFollower]:
    """A follower of one project."""
    folder = await asyncio.to_thread(installed)
    program = node()
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        program,
        "follower.mjs",
        url,
        token,
        project_id,
        *([cursor] if cursor is not None else []),
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX,
    )
    follower = JsFollower(process)
    try:
        yield follower
    finally:
        await follower.stop()
