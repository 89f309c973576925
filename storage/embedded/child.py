"""Starting a Postgres program as its account, so that it ends when the application does.

On Linux the kernel is asked to send SIGINT (Postgres: fast, clean shutdown) when the parent dies, in whatever
way. Changing the user id clears that request, so it is made *after* dropping root. Elsewhere there is no such
request, and the next start ends what was left over.

The kernel means the parent *thread*: a program started from a worker thread would be stopped at the end of
that thread. See prctl(2), PR_SET_PDEATHSIG.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import IO

from storage.embedded.account import Account

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child between fork and exec should not load libraries.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    argv: Sequence[str],
    account: Account,
    *,
    pass_fds: Sequence[int] = (),
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: int | IO[bytes] = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a program as `account` in `/`, in a session of its own (a Ctrl-C at the terminal spares it)."""
    return subprocess.Popen(
        argv,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
        start_new_session=True,
        pass_fds=pass_fds,
        # Safe here: the server is started from the main thread before other threads exist.
        preexec_fn=_before_exec(account, os.getpid()),  # noqa: PLW1509
    )


def run(
    argv: Sequence[str],
    account: Account,
    *,
    timeout_s: float,
    pass_fds: Sequence[int] = (),
    feed: bytes | None = None,
) -> tuple[int, str]:
    """Run a program to its end; give its exit code and its output (both streams).

    Raises `OSError` if it cannot be executed and `subprocess.TimeoutExpired` (after killing it).
    """
    stdin = subprocess.DEVNULL if feed is None else subprocess.PIPE
    with spawn(argv, account, pass_fds=pass_fds, stdin=stdin) as process:
        try:
            output, _ = process.communicate(feed, timeout=timeout_s)
        except BaseException:
            process.kill()
            raise
    return process.returncode, output.decode(errors="replace")


def _before_exec(account: Account, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        account.become()
        os.umask(0o077)
        if _libc is not None and _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        # The parent may have died before the request was made; then nobody would ever tell us.
        if os.getppid() != parent:
            os._exit(1)

    return prepare
