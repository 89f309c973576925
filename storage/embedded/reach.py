"""How an account gets at a folder below parents that it cannot pass.

Root's folders are often closed: `/root` is 0700, so is pytest's `tmp_path`, and so is our data folder. The
account that root drops to cannot walk such a path. Opening the parents to everybody would give away what they
protect, and keeping the cluster elsewhere (a folder in `/tmp`, say) would separate the data from its folder:
backups would miss it, a cleaner of temporary files could delete it.

So the cluster stays where it belongs, and root hands it over **open**: the program inherits a descriptor of
the folder and is given `/proc/self/fd/N` as its path. The kernel resolves that link to the folder itself
without walking the parents, and each process of Postgres has inherited the descriptor, so every path it forms
works. See proc(5). Where there is no such `/proc` (macOS), a closed folder is refused with a message.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.embedded import child
from storage.embedded.account import Account
from storage.embedded.data_file import file_unusable
from storage.embedded.errors import DataFolderUnusable

PROBE_TIMEOUT_S = 10.0


def can_enter(folder: Path, account: Account) -> bool:
    """Whether `account` can walk the path and pass through the folder; asked of the kernel, so ACLs count."""
    if not account.dropped:
        return os.access(folder, os.X_OK)
    argv = ("/bin/sh", "-c", 'test -d "$1" && test -x "$1"', "sh", str(folder))
    try:
        return child.run(argv, account, timeout_s=PROBE_TIMEOUT_S)[0] == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def reached(folder: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Give a path by which a program of `account` gets at `folder`, and the descriptors it must inherit.

    The program must be started inside the context. Raises `DataFolderUnusable`.
    """
    if can_enter(folder, account):
        yield str(folder), ()
        return
    if not (account.dropped and sys.platform == "linux" and Path("/proc/self/fd").is_dir()):
        raise DataFolderUnusable(
            f"Postgres runs as {account.name}, who cannot enter {folder}. Choose a data folder that this "
            "account can reach with PANTHERAHIVE_DATA_DIR, or start as a normal user."
        )
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise file_unusable(folder, error) from error
    try:
        yield f"/proc/self/fd/{fd}", (fd,)
    finally:
        os.close(fd)
