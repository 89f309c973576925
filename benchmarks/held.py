"""Connections that are held open by the generator in a process of their own, and a probe that pings without pause."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.generator import Generator, RunFailed

_READY_S = 180.0
_END_S = 30.0


@dataclass(slots=True)
class Held:
    """A generator that said that its connections are ready."""

    process: asyncio.subprocess.Process
    ready: Mapping[str, Any]

    async def kill(self) -> None:
        """All of its connections end at once, as when a network is gone."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def said(self, within_s: float) -> dict[str, Any]:
        """What it says at its end. Raises RunFailed."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(within_s):
                line = await self.process.stdout.readline()
        except TimeoutError:
            raise RunFailed(f"the generator did not end within {within_s:.0f} s") from None
        if not line:
            raise RunFailed("the generator ended without a word")
        found: dict[str, Any] = json.loads(line)
        return found


@contextlib.asynccontextmanager
async def held(generator: Generator, mode: str, flags: Mapping[str, object]) -> AsyncIterator[Held]:
    """`hold` or `probe`, ready; gone afterwards. Raises RunFailed."""
    process = await asyncio.create_subprocess_exec(
        *generator.command(mode, flags),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_READY_S):
            line = await process.stdout.readline()
        if not line:
            raise RunFailed((await process.stderr.read()).decode(errors="replace").strip())
        yield Held(process, json.loads(line))
    except TimeoutError:
        raise RunFailed(f"the connections were not ready within {_READY_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            async with asyncio.timeout(_END_S):
                await process.wait()
