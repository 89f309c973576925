"""The embedded Postgres: a server of our own that lives and dies with the application.

The order of a start: lock the data folder, choose the account, find the programs, make or check the cluster,
end what an earlier run left, start, wait until it takes connections (crash recovery included).
"""

import asyncio
import errno
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from storage.embedded import child
from storage.embedded.account import Account, choose_account
from storage.embedded.binaries import Binaries, find_binaries
from storage.embedded.cluster import DATABASE, USER, ensure_cluster
from storage.embedded.errors import EmbeddedPostgresError, NotMainThread, StartFailed
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

log = logging.getLogger("pantherahive.postgres")

PORT = "5432"
PROGRESS_INTERVAL_S = 5.0
RESTART_POLL_INTERVAL_S = 0.05
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
        # By the name that was given: a link to what is not there is to be seen as one.
        self._lock = DataFolderLock(data_dir.absolute())
        # The programs, known from the first start on: looking for them again would stop the event loop.
        self._binaries: Binaries | None = None
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
        _refuse_other_threads()
        self._lock.acquire()
        try:
            account = choose_account(self._cluster)
            sockets = self._sockets = socket_folder(self._data_dir, account)
            if self.pid is None:
                self._binaries = find_binaries(account, self._binaries_dir)
                ensure_cluster(self._cluster, account, self._binaries)
                for _ in self._starting(account, self._binaries, sockets, self._start_timeout_s):
                    time.sleep(POLL_INTERVAL_S)
        except BaseException:
            self.stop()
            raise
        return dsn(sockets)

    async def restart(self, timeout_s: float) -> None:
        """Start a server again that was killed; the event loop lives on while it recovers.

        On the main thread, after `start`. The folder stays locked, whatever happens. Raises the errors of
        `storage.embedded.errors`; then nothing runs, and it may be tried again. When cancelled, what was started
        stays for `stop`.
        """
        _refuse_other_threads()
        if self._binaries is None or not self._lock.held:
            raise StartFailed("Only a Postgres that was started before can be started again.")
        if self.pid is not None:
            return
        # The cluster is not made anew: an empty one in the place of a lost one would hide the loss.
        account = choose_account(self._cluster)
        sockets = self._sockets = socket_folder(self._data_dir, account)
        try:
            for _ in self._starting(account, self._binaries, sockets, timeout_s):
                await asyncio.sleep(RESTART_POLL_INTERVAL_S)
        except EmbeddedPostgresError:
            if self._process is not None:
                for _ in _ending(self._process, self._stop_timeout_s):
                    await asyncio.sleep(RESTART_POLL_INTERVAL_S)
            raise

    def stop(self) -> None:
        """Stop the server (fast shutdown, then immediate), unlock the folder; nothing to do when stopped."""
        process, self._process = self._process, None
        sockets, self._sockets = self._sockets, None
        try:
            if process is not None:
                for _ in _ending(process, self._stop_timeout_s):
                    time.sleep(POLL_INTERVAL_S)
            if sockets is not None:
                _remove_if_empty(sockets)
        finally:
            self._lock.release()

    def _starting(
        self, account: Account, binaries: Binaries, sockets: Path, timeout_s: float
    ) -> Generator[None, None, None]:
        """Start the server; each step is a moment to wait, which is the caller's to do. Raises `StartFailed`."""
        end_leftover(self._cluster, self._stop_timeout_s)
        remove_stale_sockets(sockets)
        patience = Patience(time.monotonic(), timeout_s)
        output = open_log(self._data_dir)
        try:
            while not (yield from self._attempt(account, binaries, sockets, output, patience)):
                yield
        finally:
            os.close(output)

    def _attempt(
        self, account: Account, binaries: Binaries, sockets: Path, output: int, patience: "Patience"
    ) -> Generator[None, None, bool]:
        """Start once. True when ready, False when it is worth another attempt; raises `StartFailed`."""
        said_from = os.fstat(output).st_size
        with reached(self._cluster, account) as (path, fds):
            argv = [binaries.program("postgres"), "-D", path, *self._options(sockets)]
            process = self._process = child.spawn(argv, account, pass_fds=fds, output=output)
        while process.poll() is None:
            state = PostmasterFile.read(self._cluster)
            if state is not None and state.pid == process.pid and state.status == "ready":
                return True
            if patience.is_over:
                raise StartFailed(
                    f"Postgres was not ready within {patience.timeout_s:g} s; after a crash a longer "
                    f"start timeout (PANTHERAHIVE_POSTGRES_START_TIMEOUT_S) may help. "
                    f"Its log says:\n{_tail(output, said_from)}"
                )
            patience.tell_progress()
            yield
        said = _tail(output, said_from)
        if _CHILDREN_ARE_ABOUT in said and not patience.is_over:
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

    Raises `DataFolderUnusable` if it runs under an account that we may not look into.
    """
    cluster = data_dir.resolve() / "postgres"
    state = PostmasterFile.read(cluster)
    if state is None or state.status != "ready" or not works_on(state.pid, cluster):
        return None
    return dsn(Path(state.socket_dir))


class Patience:
    """How long a start may still take, and a word about it every few seconds. Seconds on `time.monotonic`."""

    def __init__(self, began_s: float, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._began_s = began_s
        # When the next word is due.
        self._word_at_s = began_s + PROGRESS_INTERVAL_S

    @property
    def is_over(self) -> bool:
        """Whether the time has passed."""
        return time.monotonic() >= self._began_s + self.timeout_s

    def tell_progress(self) -> None:
        """Logs how long it has taken, if that is due."""
        now_s = time.monotonic()
        if now_s >= self._word_at_s:
            self._word_at_s = now_s + PROGRESS_INTERVAL_S
            waited_s = now_s - self._began_s
            log.info("waiting for Postgres to recover: %.0f s of at most %g s", waited_s, self.timeout_s)


def _refuse_other_threads() -> None:
    if threading.current_thread() is not threading.main_thread():
        raise NotMainThread(
            "The embedded Postgres ends with the thread that started it: start it from the main thread."
        )


def _ending(process: subprocess.Popen[bytes], timeout_s: float) -> Generator[None, None, None]:
    """Ends the server; each step is a moment to wait, which is the caller's to do."""
    for number, wait_s in ((signal.SIGINT, timeout_s), (signal.SIGQUIT, IMMEDIATE_STOP_TIMEOUT_S)):
        process.send_signal(number)
        deadline = time.monotonic() + wait_s
        while process.poll() is None and time.monotonic() < deadline:
            yield
        if process.poll() is not None:
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


def _tail(output: int, start: int) -> str:
    end = os.fstat(output).st_size
    start = max(start, end - LOG_TAIL_BYTES_MAX)
    return os.pread(output, end - start, start).decode(errors="replace").strip()
