"""What a run needs beside the checkout: the C programs, and the peers from npm and from Python's registry.

Everything is made in `build/benchmarks`, once per version of its sources. What cannot be made is named in `missing`,
and the run goes on without it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).resolve().parent
PEERS = _HERE / "peers"
_LOAD = _HERE / "load"
BUILD = _HERE.parent / "build" / "benchmarks"
_TIMEOUT_S = 300
_ERROR_CHARACTERS_MAX = 2000


class ToolMissing(Exception):
    """Something is not there or cannot be made; the text says what and what to do."""


@dataclass(slots=True)
class Toolbox:
    """Paths of what was made. `missing` says what was not, and why."""

    load: Path
    limit: Path
    node: Path | None = None
    node_folder: Path | None = None
    python_peers: Path | None = None
    missing: list[str] = field(default_factory=list)


class AnotherRun(Exception):
    """Somebody measures in this checkout already."""


@contextmanager
def only_run(folder: Path = BUILD) -> Iterator[None]:
    """Nobody else builds in the folder or takes the cores meanwhile. Raises AnotherRun."""
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AnotherRun("another run measures in this checkout, and would be measured: wait for it") from None
    else:
        yield
    finally:
        os.close(held)


def make_toolbox() -> Toolbox:
    """Builds and installs. Raises ToolMissing where there is no C compiler: without a generator nothing is measured."""
    toolbox = Toolbox(_compiled("load", sorted(_LOAD.glob("*.[ch]"))), _compiled("limit", [PEERS / "limit.c"]))
    try:
        toolbox.node, toolbox.node_folder = _program("node", "Node"), _npm_packages()
    except ToolMissing as missing:
        toolbox.node = None
        toolbox.missing.append(f"{missing}: left out is everything on Node")
    try:
        toolbox.python_peers = _python_packages()
    except ToolMissing as missing:
        toolbox.missing.append(f"{missing}: left out are stock python-socketio and websockets")
    return toolbox


def _program(name: str, what: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(f"{what} ({name}) is not installed")
    return Path(found)


def _digest(files: Iterable[Path], more: str = "") -> str:
    content = b"".join(path.read_bytes() for path in files) + more.encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise ToolMissing(f"{' '.join(command)} took more than {_TIMEOUT_S} s") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-_ERROR_CHARACTERS_MAX:]
        raise ToolMissing(f"{' '.join(command)} failed: {said}")


def _compiled(name: str, sources: list[Path]) -> Path:
    program = BUILD / f"{name}-{_digest(sources)}"
    if not program.exists():
        compiler = _program("cc", "a C compiler")
        BUILD.mkdir(parents=True, exist_ok=True)
        draft = program.with_suffix(".new")
        files = [str(path) for path in sources if path.suffix == ".c"]
        _run([str(compiler), "-O2", "-Wall", "-Wextra", "-o", str(draft), *files], _HERE)
        draft.replace(program)
    return program


def _npm_packages() -> Path:
    """A folder with the servers and their node_modules."""
    listed = [PEERS / name for name in ("package.json", "package-lock.json", ".npmrc")]
    servers = sorted(PEERS.glob("*.mjs"))
    folder = BUILD / f"node-{_digest(listed)}"
    if not (folder / "complete").exists():
        npm = _program("npm", "Node's package manager")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in listed:
            shutil.copy(path, folder)
        _run([str(npm), "ci", "--ignore-scripts"], folder)
        (folder / "complete").touch()
    for path in servers:
        shutil.copy(path, folder)
    return folder


def _python_packages() -> Path:
    """The interpreter of an environment of their own: stock versions, nothing of ours on the path."""
    listed = PEERS / "requirements.txt"
    folder = BUILD / f"python-{_digest([listed], sys.version)}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)], _HERE)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "-r", str(listed)], _HERE)
        (folder / "complete").touch()
    return folder / "bin" / "python"
