"""A server that is not ours, as a process on the server's core."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from benchmarks.cores import on_core

_START_S = 20.0
_END_S = 5.0
_POLL_S = 0.02
_LOG_CHARACTERS_MAX = 1000


class ProgramFailed(Exception):
    """It ended or never listened; the text has the end of its log."""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline_s = asyncio.get_running_loop().time() + _START_S
    while not _listens(port):
        over = asyncio.get_running_loop().time() > deadline_s
        if process.poll() is not None or over:
            said = log.read_text(errors="replace")[-_LOG_CHARACTERS_MAX:]
            raise ProgramFailed("it did not listen in time" if over else f"it ended with {process.returncode}: {said}")
        await asyncio.sleep(_POLL_S)


@contextlib.asynccontextmanager
async def running_program(
    command: list[str], core: int, port: int, folder: Path, log: Path, environment: Mapping[str, str]
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The process, listening; it is gone afterwards. Raises ProgramFailed."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            on_core(core, command),
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        await _until_it_listens(process, port, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
