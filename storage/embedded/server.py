"""The embedded Postgres: a server of our own that lives and dies with the application.

The order of a start: lock the data folder, choose the account, find the programs, make or check the cluster,
end what an earlier run left, start, wait until it takes connections (crash recovery included).
"""

import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from storage.embedded import child
from storage.embedded.account import Account, choose_account
from storage.embedded.binaries import Binaries, find_binaries
from storage.embedded.cluster import DATABASE, USER, ensure_cluster
from storage.embedded.errors import NotMainThread, StartFailed
from storage.embedded.folder import open_log
from storage.embedded.lock import DataFolderLock
from storage.embedded.postmaster import (
    IMMEDIATE_STOP_TIMEOUT_S,
    POLL_INTERVAL_S,
    PostmasterFile,
    end_leftover,
    works_on,
)
from storage.embedded.reach import reached
from storage.embedded.socket_folder import remove_stale_sockets, socket_folder

PORT = "5432"
LOG_TAIL_BYTES_MAX = 4096
DEFAULT_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "shared_buffers": "128MB",
        "max_connections": "100",
        "max_wal_size": "1GB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "cluster_name": "pantherahive",
        # Refused statements are answered to the application, and a unique violation is an ordinary answer
        # there. The log keeps what concerns the server, so that it stays small and holds nobody's data.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
    }
)
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
# A killed server's children need a moment to notice; until then Postgres refuses to start beside them.
_CHILDREN_ARE_ABOUT = "pre-existing shared memory block"


class EmbeddedPostgres:
    """One Postgres on one data folder, reachable over a unix socket only, by the own user only.

    `settings` go over `DEFAULT_SETTINGS`; socket, port and listening addresses are not negotiable.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        binaries_dir: Path | None = None,
        start_timeout_s: float = 30,
        stop_timeout_s: float = 10,
        settings: Mapping[str, str] = NO_SETTINGS,
    ) -> None:
        # Absolute, because the programs run in another working directory.
        self._data_dir = data_dir.resolve()
        self._cluster = self._data_dir / "postgres"
        self._binaries_dir = binaries_dir
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._settings = {**DEFAULT_SETTINGS, **settings}
        # Held from before anything is touched until the server is gone.
        self._lock = DataFolderLock(self._data_dir)
        # The server; None before the first start and after a stop.
        self._process: subprocess.Popen[bytes] | None = None
        # The socket's folder, removed at the stop; None while there is none of ours.
        self._sockets: Path | None = None

    @property
    def pid(self) -> int | None:
        """The postmaster's pid, or None if it does not run (also when it ended by itself)."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self) -> str:
        """Start the server and give its DSN; a first start makes the cluster (about a second).

        Call it from the main thread, before the event loop. Calling it while the server runs gives the DSN
        again; calling it after the server was killed starts it again, with recovery.
        Raises the errors of `storage.embedded.errors`; then nothing runs and nothing is locked.
        """
        if threading.current_thread() is not threading.main_thread():
            raise NotMainThread(
                "The embedded Postgres ends with the thread that started it: start it from the main thread."
            )
        self._lock.acquire()
        try:
            account = choose_account(self._cluster)
            sockets = self._sockets = socket_folder(self._data_dir, account)
            if self.pid is None:
                binaries = find_binaries(account, self._binaries_dir)
                ensure_cluster(self._cluster, account, binaries)
                end_leftover(self._cluster, self._stop_timeout_s)
                remove_stale_sockets(sockets)
                self._start_server(account, binaries, sockets)
        except BaseException:
            self.stop()
            raise
        return dsn(sockets)

    def stop(self) -> None:
        """Stop the server (fast shutdown, then immediate), unlock the folder; nothing to do when stopped."""
        process, self._process = self._process, None
        sockets, self._sockets = self._sockets, None
        try:
            if process is not None:
                _end(process, self._stop_timeout_s)
            if sockets is not None:
                _remove_if_empty(sockets)
        finally:
            self._lock.release()

    def _start_server(self, account: Account, binaries: Binaries, sockets: Path) -> None:
        deadline = time.monotonic() + self._start_timeout_s
        log = open_log(self._data_dir)
        try:
            while not self._attempt(account, binaries, sockets, log, deadline):
                time.sleep(POLL_INTERVAL_S)
        finally:
            os.close(log)

    def _attempt(self, account: Account, binaries: Binaries, sockets: Path, log: int, deadline: float) -> bool:
        """Start once. True when ready, False when it is worth another attempt; raises `StartFailed`."""
        said_from = os.fstat(log).st_size
        with reached(self._cluster, account) as (path, fds):
            argv = [binaries.program("postgres"), "-D", path, *self._options(sockets)]
            process = self._process = child.spawn(argv, account, pass_fds=fds, output=log)
        while process.poll() is None:
            state = PostmasterFile.read(self._cluster)
            if state is not None and state.pid == process.pid and state.status == "ready":
                return True
            if time.monotonic() >= deadline:
                raise StartFailed(
                    f"Postgres was not ready within {self._start_timeout_s:g} s; after a crash a longer "
                    f"start timeout may help. Its log says:\n{_tail(log, said_from)}"
                )
            time.sleep(POLL_INTERVAL_S)
        said = _tail(log, said_from)
        if _CHILDREN_ARE_ABOUT in said and time.monotonic() < deadline:
            return False
        raise StartFailed(f"Postgres ended at once (exit code {process.returncode}). Its log says:\n{said}")

    def _options(self, sockets: Path) -> list[str]:
        fixed = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "logging_collector": "off",
        }
        return [word for name, value in {**self._settings, **fixed}.items() for word in ("-c", f"{name}={value}")]


def dsn(sockets: Path, database: str = DATABASE) -> str:
    """The address of a database for asyncpg and libpq. The port is named, or PGPORT would change it."""
    return f"postgresql://{USER}@/{database}?host={quote(str(sockets))}&port={PORT}"


def running_dsn(data_dir: Path) -> str | None:
    """The DSN of the server that another process runs on the data folder, or None if none is ready.

    Raises `PermissionError` if it runs under an account that we may not look into.
    """
    cluster = data_dir.resolve() / "postgres"
    state = PostmasterFile.read(cluster)
    if state is None or state.status != "ready" or not works_on(state.pid, cluster):
        return None
    return dsn(Path(state.socket_dir))


def _end(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    for number, wait_s in ((signal.SIGINT, timeout_s), (signal.SIGQUIT, IMMEDIATE_STOP_TIMEOUT_S)):
        process.send_signal(number)
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            continue
        return
    # Its children end by themselves; the log replays at the next start.
    process.kill()
    process.wait()


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        # A killed server leaves its socket there, which the next start takes over.
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
            raise


def _tail(log: int, start: int) -> str:
    end = os.fstat(log).st_size
    start = max(start, end - LOG_TAIL_BYTES_MAX)
    return os.pread(log, end - start, start).decode(errors="replace").strip()
