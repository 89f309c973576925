"""The JavaScript client renews its token on the live connection."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.javascript import installed, node
from tests.server.gateway.hive import Hive, eventually

SCRIPT = Path(__file__).parent / "js" / "renew.mjs"
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


@pytest.mark.only_if(node() is not None)
async def test_the_javascript_client_renews_its_token(hive: Hive) -> None:
    folder = await asyncio.to_thread(installed)
    script = shutil.copy(SCRIPT, folder / SCRIPT.name)
    ada, _ = await hive.user("ada")
    _, strange = await hive.user("eve")
    first, second = await hive.login(ada), await hive.login(ada)
    process = await asyncio.create_subprocess_exec(
        node() or "node",
        script,
        hive.url,
        hive.token(ada, first),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    script_of_ada = Script(process)
    try:
        async with asyncio.timeout(20):
            assert await script_of_ada.heard() == {"connected": True}
            assert (await script_of_ada.ask(f"auth {strange}"))["error"]["code"] == "forbidden"
            assert set(await script_of_ada.ask(f"auth {hive.token(ada, second)}")) == {"expiresAt"}
            await hive.storage.logins.end(ada, hive.clock.now(), only=first)
            await eventually(lambda: hive.gateway.authenticator.ended.refusal(first) is not None)
            assert (await script_of_ada.ask(f"join {STREAM}"))["error"]["code"] == "not_found"
            hive.clock.now_s += 0.75
            await script_of_ada.ask(f"auth {hive.token(ada, second, ends_in_s=0.25)}")
            assert await script_of_ada.heard() == {"closed": "expired"}
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
