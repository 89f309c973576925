"""The JavaScript client renews its token on the live connection, and comes back after the server's end alone."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.javascript import installed, node
from tests.server.gateway.hive import Hive, eventually

SCRIPTS = Path(__file__).parent / "js"
STREAM = "project/018f0000-0000-7000-8000-00000000000a"


class Script:
    """The running script."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def heard(self) -> Any:
        """Its next line."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return json.loads(await self._process.stdout.readline() or await self._process.stderr.read())

    async def ask(self, line: str) -> Any:
        """What it answers to a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        return await self.heard()


@asynccontextmanager
async def running(name: str, url: str, token: str) -> AsyncIterator[tuple[Script, asyncio.subprocess.Process]]:
    """The script, beside the packages that it needs."""
    folder = await asyncio.to_thread(installed)
    process = await asyncio.create_subprocess_exec(
        node() or "node",
        shutil.copy(SCRIPTS / name, folder / name),
        url,
        token,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(20):
            yield Script(process), process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.only_if(node() is not None)
async def test_the_javascript_client_renews_its_token(hive: Hive) -> None:
    ada, _ = await hive.user("ada")
    _, strange = await hive.user("eve")
    first, second = await hive.login(ada), await hive.login(ada)
    async with running("renew.mjs", hive.url, hive.token(ada, first)) as (script, process):
        assert await script.heard() == {"connected": True}
        assert (await script.ask(f"auth {strange}"))["error"]["code"] == "forbidden"
        assert set(await script.ask(f"auth {hive.token(ada, second)}")) == {"expiresAt"}
        await hive.storage.logins.end(ada, hive.clock.now(), only=first)
        await eventually(lambda: hive.gateway.authenticator.ended.refusal(first) is not None)
        assert (await script.ask(f"join {STREAM}"))["error"]["code"] == "not_found"
        hive.clock.now_s += 0.75
        await script.ask(f"auth {hive.token(ada, second, ends_in_s=0.25)}")
        assert await script.heard() == {"closed": "expired"}
        assert await process.wait() == 0


@pytest.mark.only_if(node() is not None)
@pytest.mark.parametrize(("reason", "comes_back"), [("shutdown", True), ("ended", False)])
async def test_it_comes_back_by_itself_unless_it_is_not_wanted(hive: Hive, reason: str, comes_back: bool) -> None:
    ada, _ = await hive.user("ada")
    login = await hive.login(ada)
    async with running("leave.mjs", hive.url, hive.token(ada, login)) as (script, process):
        assert await script.heard() == {"connected": True}
        if reason == "shutdown":
            await hive.gateway.stop()
        else:
            await hive.storage.logins.end(ada, hive.clock.now(), only=login)
        assert await script.heard() == {"closed": reason}
        assert await script.heard() == {"comesBack": comes_back}
        assert await process.wait() == 0
