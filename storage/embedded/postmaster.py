"""`postmaster.pid`: what a server writes about itself, and ending a server that an earlier run left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage.embedded.errors import LeftoverServer

IMMEDIATE_STOP_TIMEOUT_S = 5.0
POLL_INTERVAL_S = 0.01
# Above every system's largest pid, and still an int for Postgres.
_NO_PROCESS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PostmasterFile:
    """The lines of `postmaster.pid` that we use. A server is `ready` once it takes connections."""

    pid: int
    port: str
    socket_dir: str
    status: str

    @classmethod
    def read(cls, cluster: Path) -> "PostmasterFile | None":
        """The file as it is now; None if there is none or its first line is not written yet."""
        try:
            lines = (cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if not lines or not lines[0].strip().isdigit():
            return None
        lines += [""] * (8 - len(lines))
        return cls(int(lines[0]), lines[3].strip(), lines[4].strip(), lines[7].strip())


def end_leftover(cluster: Path, timeout_s: float) -> None:
    """See to it that no server of an earlier run works on the cluster. To be called under the folder's lock.

    Such a server is on its way out already where the kernel told it of its parent's death; it is asked again
    anyway, because elsewhere it was not told. First fast, then immediate shutdown; never SIGKILL, which would
    leave its children behind. Raises `LeftoverServer`.
    """
    left = PostmasterFile.read(cluster)
    if left is None:
        return
    for number, wait_s in ((signal.SIGINT, timeout_s), (signal.SIGQUIT, IMMEDIATE_STOP_TIMEOUT_S)):
        if not works_on(left.pid, cluster):
            break
        _signal(left.pid, number, cluster)
        if wait_until(lambda: not works_on(left.pid, cluster), wait_s):
            break
    else:
        raise LeftoverServer(_still_there(left.pid, cluster))
    _name_no_process(cluster)


def works_on(pid: int, cluster: Path) -> bool:
    """Whether the process is a living server on this cluster, and not another one that got its pid."""
    if sys.platform != "linux":
        command = subprocess.run(
            ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
        ).stdout
        return "postgres" in command and str(cluster) in command
    try:
        # Postgres works inside its cluster.
        return os.path.samestat(Path(f"/proc/{pid}/cwd").stat(), cluster.stat())
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return _looks_like_postgres(pid, cluster)


def _looks_like_postgres(pid: int, cluster: Path) -> bool:
    """For root without the right to look into other users' processes, as in containers."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        same_owner = Path(f"/proc/{pid}").stat().st_uid == cluster.stat().st_uid
    except (FileNotFoundError, ProcessLookupError):
        return False
    return same_owner and words[0].rpartition(b"/")[2] == b"postgres"


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Wait for a condition; give whether it came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_INTERVAL_S)
    return True


def _signal(pid: int, number: signal.Signals, cluster: Path) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise LeftoverServer(_still_there(pid, cluster)) from None


def _still_there(pid: int, cluster: Path) -> str:
    return f"A Postgres of an earlier run (process {pid}) still works on {cluster}. End it: kill -QUIT {pid}"


def _name_no_process(cluster: Path) -> None:
    """Let a file that a killed server left name no living process.

    Postgres refuses to start when the pid in it belongs to any process of its user, as happens after the
    restart of a container, where small pids come again. The file itself stays: its shared-memory line is how
    Postgres finds out whether children of the killed server are still about.
    """
    path = cluster / "postmaster.pid"
    try:
        with path.open("r+") as file:
            rest = file.read().partition("\n")[2]
            file.seek(0)
            file.write(f"{_NO_PROCESS}\n{rest}")
            file.truncate()
    except FileNotFoundError:
        return
