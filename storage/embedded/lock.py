"""The lock of the data folder."""

import fcntl
import os
import weakref
from pathlib import Path

from storage.embedded.data_file import file_unusable, open_file
from storage.embedded.errors import DataFolderInUse
from storage.embedded.folder import LOCK_FILE, make_data_folder
from storage.embedded.postmaster import wait_until

# A process killed while it was starting another leaves a copy of the lock to that one for a moment.
GRACE_S = 0.5

# Locks held by this process; a forked child lets go of its copies, or it would keep them after our death.
_held: "weakref.WeakSet[DataFolderLock]" = weakref.WeakSet()


class DataFolderLock:
    """At most one process works on a data folder. The kernel lets go of the lock when its holder dies."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_FILE
        # The open file that carries the lock; None while it is not held.
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def acquire(self) -> None:
        """Take the lock, or do nothing if this object has it. Makes the data folder if there is none.

        Raises `DataFolderInUse` with the holder's pid, and `DataFolderUnusable`.
        """
        if self._fd is not None:
            return
        make_data_folder(self._path.parent)
        fd = open_file(self._path, os.O_RDWR | os.O_CREAT)
        if not wait_until(lambda: _try_lock(fd), GRACE_S):
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise DataFolderInUse(
                f"The data folder {self._path.parent} is in use by process {holder}. "
                "Stop that process first, or choose another folder with PANTHERAHIVE_DATA_DIR."
            )
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(fd)
            raise file_unusable(self._path, error) from error
        self._fd = fd
        _held.add(self)

    def release(self) -> None:
        """Let go of the lock; does nothing if it is not held. The file stays: removing it would race."""
        if self._fd is not None:
            _held.discard(self)
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> "DataFolderLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _release_copies_in_child() -> None:
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_release_copies_in_child)
