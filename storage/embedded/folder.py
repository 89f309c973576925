"""The data folder and what lies in it.

    <data_dir>/lock              flock; names the process that holds it (`storage.embedded.lock`)
    <data_dir>/postgres          the cluster, 0700, owned by the account that Postgres runs as
    <data_dir>/postgres.new      a cluster in the making; removed if it was never finished
    <data_dir>/postgres.log      what Postgres says; `postgres.log.1` is the older part
    <data_dir>/run               the socket, if its path is fit for one (`storage.embedded.socket_folder`)

The data folder itself is made 0700 and stays with whoever runs the application, also when that is root and
Postgres runs as another account: secrets live there. How that account still gets at the cluster is told in
`storage.embedded.reach`.
"""

import errno
import os
import shlex
import stat
from pathlib import Path

from storage.embedded.data_file import file_unusable, open_file
from storage.embedded.errors import DataFolderUnusable

LOCK_FILE = "lock"
LOG_FILE = "postgres.log"
LOG_BYTES_MAX = 10 * 1024 * 1024


def make_data_folder(data_dir: Path) -> None:
    """Make the folder with mode 0700, or check that an existing one is not open to everybody.

    The mode of an existing folder is never changed: it may be somebody's `/tmp`. Raises `DataFolderUnusable`.
    """
    mode = folder_mode(data_dir)
    if mode is None:
        try:
            data_dir.parent.mkdir(parents=True, exist_ok=True)
            data_dir.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise unusable(data_dir, error) from error
        mode = folder_mode(data_dir)
    if mode is not None and mode & stat.S_IWOTH:
        raise DataFolderUnusable(
            f"Everybody may write in the data folder {data_dir}. Close it (chmod o-w) or choose a folder of "
            "its own with PANTHERAHIVE_DATA_DIR."
        )


def folder_mode(data_dir: Path) -> int | None:
    """The permission bits; None if it is not there yet. Raises `DataFolderUnusable` when it is no folder for us."""
    try:
        mode = data_dir.stat().st_mode
        if not stat.S_ISDIR(mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except FileNotFoundError as error:
        if data_dir.is_symlink():
            raise link_to_nothing(data_dir) from error
        return None
    except OSError as error:
        raise unusable(data_dir, error) from error
    return stat.S_IMODE(mode)


def advice_on_mode(data_dir: Path) -> str | None:
    """What to do about a folder that others may look into; None if it is closed, or not there yet.

    Raises `DataFolderUnusable`.
    """
    mode = folder_mode(data_dir)
    if mode is None or not mode & 0o077:
        return None
    return f"others may look into it: chmod 700 {shlex.quote(str(data_dir))}"


def link_to_nothing(path: Path) -> DataFolderUnusable:
    """The error for a dangling link: starting empty behind it would hide the data that are only away."""
    return DataFolderUnusable(f"{path} is a link to what is not there; is the volume mounted?")


def unusable(data_dir: Path, error: OSError) -> DataFolderUnusable:
    """The error for a folder that the operating system refused."""
    return DataFolderUnusable(
        f"The data folder {data_dir} cannot be used ({error.strerror}). Give it to the user that runs the "
        "application, or choose another folder with PANTHERAHIVE_DATA_DIR."
    )


def open_log(data_dir: Path) -> int:
    """Open `postgres.log` to append, 0600; a file past `LOG_BYTES_MAX` first becomes the older generation.

    Raises `DataFolderUnusable`.
    """
    path = data_dir / LOG_FILE
    fd = open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    if os.fstat(fd).st_size <= LOG_BYTES_MAX:
        return fd
    os.close(fd)
    older = path.with_name(f"{LOG_FILE}.1")
    try:
        path.replace(older)
    except OSError as error:
        raise file_unusable(older, error) from error
    return open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
