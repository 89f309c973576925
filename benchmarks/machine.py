"""Where a run took place: the machine and the versions, for the page."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks.cores import Cores
from benchmarks.toolbox import PEERS, Toolbox

_OURS = ("aiohttp", "python-socketio", "python-engineio", "uvloop", "asyncpg", "orjson", "pydantic")


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine(cores: Cores) -> str:
    """One line."""
    where = f"the server on core {cores.server}, generator and Postgres on core {cores.generator}"
    if cores.server == cores.generator:
        where = "server, generator and Postgres share the only core, so the ratios say little"
    return (
        f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()} {platform.machine()}; {where}"
    )


def versions(tools: Toolbox) -> str:
    """One line: Python with our packages, Node with its own, the compiler."""
    ours = ", ".join(f"{name} {version(name)}" for name in _OURS)
    parts = [f"Python {platform.python_version()}", ours]
    if tools.node is not None:
        packages = json.loads((PEERS / "package.json").read_text())["dependencies"]
        parts.append(f"Node {_said([str(tools.node), '--version'])}")
        parts.append(", ".join(f"{name} {number}" for name, number in sorted(packages.items())))
    if tools.python_peers is not None:
        lines = (PEERS / "requirements.txt").read_text().splitlines()
        parts.append("peers: " + ", ".join(line.replace("==", " ") for line in lines if not line.startswith("#")))
    parts.append(_said(["cc", "--version"]))
    return "; ".join(parts)


def _said(command: list[str]) -> str:
    """The first line of what a program says of itself."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return (done.stdout.splitlines() or [""])[0].strip()
