"""`postmaster.pid`: what a server writes about itself, and ending a server that an earlier run left."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage.embedded.data_file import file_unusable, open_file, read_small_file
from storage.embedded.errors import LeftoverServer

PID_FILE = "postmaster.pid"
IMMEDIATE_STOP_TIMEOUT_S = 5.0
POLL_INTERVAL_S = 0.01
# Above every system's largest pid, and still an int for Postgres.
_NO_PROCESS = 2**31 - 1
_PID = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class PostmasterFile:
    """The lines of `postmaster.pid` that we use. A server is `ready` once it takes connections."""

    pid: int
    port: str
    socket_dir: str
    status: str

    @classmethod
    def read(cls, cluster: Path) -> "PostmasterFile | None":
        """The file as it is now; None if there is none or its first line names no process (yet, or by damage).

        Raises `DataFolderUnusable`.
        """
        try:
            lines = read_small_file(cluster / PID_FILE).decode(errors="replace").splitlines()
        except FileNotFoundError:
            return None
        if not lines or _PID.fullmatch(lines[0].strip()) is None:
            return None
        lines += [""] * (8 - len(lines))
        return cls(int(lines[0]), lines[3].strip(), lines[4].strip(), lines[7].strip())


def end_leftover(cluster: Path, timeout_s: float) -> None:
    """See to it that no server of an earlier run works on the cluster. To be called under the folder's lock.

    Such a server is on its way out already where the kernel told it of its parent's death; it is asked again
    anyway, because elsewhere it was not told. First fast, then immediate shutdown; never SIGKILL, which would
    leave its children behind. Raises `LeftoverServer`, `DataFolderUnusable`.
    """
    left = PostmasterFile.read(cluster)
    if left is None:
        _remove_damaged(cluster, timeout_s)
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


def _remove_damaged(cluster: Path, timeout_s: float) -> None:
    """Remove a file that names no process; Postgres would take it for another start's, which the lock excludes.

    Such a file is left by a full disk or a power cut. Never while a Postgres lives on the cluster, a child of a killed
    one included: the file is what keeps a second one away from it.
    """
    path = cluster / PID_FILE
    if not os.path.lexists(path):
        return
    if not wait_until(lambda: not servers_on(cluster), timeout_s) and (living := servers_on(cluster)):
        raise LeftoverServer(
            f"{path} names no process, but Postgres still works on that folder. "
            f"End it, then start again: kill -QUIT {' '.join(map(str, living))}"
        )
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise file_unusable(path, error) from error


def servers_on(cluster: Path) -> list[int]:
    """The living processes of Postgres on this cluster, parents and children, whoever started them."""
    if sys.platform != "linux":
        listed = subprocess.run(
            ["/bin/ps", "-axo", "pid=,command="], capture_output=True, text=True, errors="replace", check=False
        ).stdout.splitlines()
        return [int(line.split()[0]) for line in listed if "postgres" in line and str(cluster) in line]
    named = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal() and _is_postgres(entry)]
    # Whoever may not be looked into and is the owner's counts: better refused than two servers on one cluster.
    return [pid for pid in named if _works_inside(pid, cluster) is not False and _is_of_owner(pid, cluster)]


def _is_postgres(process: Path) -> bool:
    """By the program's name: a shell whose user looks around in the cluster is none."""
    try:
        return (process / "comm").read_bytes().strip() == b"postgres"
    except (FileNotFoundError, ProcessLookupError):
        return False


def works_on(pid: int, cluster: Path) -> bool:
    """Whether the process is a living server on this cluster, and not another one that got its pid."""
    if sys.platform != "linux":
        command = subprocess.run(
            ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
        ).stdout
        return "postgres" in command and str(cluster) in command
    inside = _works_inside(pid, cluster)
    return _looks_like_postgres(pid, cluster) if inside is None else inside


def _works_inside(pid: int, cluster: Path) -> bool | None:
    """Postgres works inside its cluster. None when the process may not be looked into."""
    try:
        return os.path.samestat(Path(f"/proc/{pid}/cwd").stat(), cluster.stat())
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return None


def _looks_like_postgres(pid: int, cluster: Path) -> bool:
    """For root without the right to look into other users' processes, as in containers."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return words[0].rpartition(b"/")[2] == b"postgres" and _is_of_owner(pid, cluster)


def _is_of_owner(pid: int, cluster: Path) -> bool:
    try:
        return Path(f"/proc/{pid}").stat().st_uid == cluster.stat().st_uid
    except (FileNotFoundError, ProcessLookupError):
        return False


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
    path = cluster / PID_FILE
    try:
        with os.fdopen(open_file(path, os.O_RDWR), "r+b") as file:
            rest = file.read().partition(b"\n")[2]
            file.seek(0)
            file.write(b"%d\n%b" % (_NO_PROCESS, rest))
            file.truncate()
    except FileNotFoundError:
        return
    except OSError as error:
        raise file_unusable(path, error) from error
