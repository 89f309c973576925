"""The folder of the unix socket. Access to it is access to the database, so it is closed to all others."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from storage.embedded.account import Account
from storage.embedded.data_file import file_unusable
from storage.embedded.errors import DataFolderUnusable
from storage.embedded.reach import can_enter

# `sun_path` holds 108 bytes with its NUL on Linux, 104 on macOS and the BSDs.
SOCKET_PATH_BYTES_MAX = 107 if os.uname().sysname == "Linux" else 103
SOCKET_NAME = ".s.PGSQL.5432"
# Other characters mean something to a DSN or to `unix_socket_directories`.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


def socket_folder(data_dir: Path, account: Account, bases: Sequence[Path] | None = None) -> Path:
    """Make and give the folder of the socket, 0700 and owned by `account`.

    It is `<data_dir>/run` if the socket's path is short and plain enough and `account` can reach it. Else it
    is a short folder whose name follows from the data folder, so that a restart finds the same one. A folder
    of that name that belongs to another user is refused, never used. Raises `DataFolderUnusable`.
    """
    inside = data_dir / "run"
    if fits_a_socket(inside) and can_enter(data_dir, account):
        return _private(inside, account)
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    for base in _short_bases() if bases is None else bases:
        folder = base / f"pantherahive-{account.uid}-{name}"
        if base.is_dir() and os.access(base, os.W_OK) and fits_a_socket(folder) and can_enter(base, account):
            return _private(folder, account)
    raise DataFolderUnusable(
        f"The path of the socket under {inside} is too long or has unusual characters, and there is no other "
        "place for it. Choose a shorter data folder with PANTHERAHIVE_DATA_DIR."
    )


def fits_a_socket(folder: Path) -> bool:
    """Whether Postgres can listen in the folder and a DSN can name it."""
    path = os.fsencode(folder / SOCKET_NAME)
    return len(path) <= SOCKET_PATH_BYTES_MAX and _PLAIN_PATH.fullmatch(str(folder)) is not None


def _short_bases() -> Iterator[Path]:
    """Root has `/run`, where nobody can take a name before it; a user has its runtime folder; then `/tmp`."""
    if os.geteuid() == 0:
        yield Path("/run")
    elif runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime)
    yield Path("/tmp")  # noqa: S108 - its folders are closed and their owner is checked


def _private(folder: Path, account: Account) -> Path:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise _taken(folder) from error
    except OSError as error:
        raise file_unusable(folder, error) from error
    try:
        # By descriptor: what is checked is what is changed, even if someone swaps the name meanwhile.
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise _taken(folder) from error
    try:
        if os.fstat(fd).st_uid not in (account.uid, os.geteuid()):
            raise _taken(folder)
        if account.dropped:
            os.fchown(fd, account.uid, account.gid)
        os.fchmod(fd, 0o700)
    finally:
        os.close(fd)
    return folder


def remove_stale_sockets(folder: Path) -> None:
    """Remove what a killed server left; to be called when none runs on the data folder.

    Postgres would take the lock file beside the socket for a living server's if its pid was given again.
    """
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (folder / name).unlink(missing_ok=True)


def _taken(folder: Path) -> DataFolderUnusable:
    return DataFolderUnusable(
        f"The socket's folder {folder} belongs to another user or is no folder. Remove it, or choose another "
        "data folder with PANTHERAHIVE_DATA_DIR."
    )
