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

import os
import stat
from pathlib import Path

from storage.embedded.errors import DataFolderUnusable

LOG_BYTES_MAX = 10 * 1024 * 1024


def make_data_folder(data_dir: Path) -> None:
    """Make the folder with mode 0700, or check that an existing one is not open to everybody.

    The mode of an existing folder is never changed: it may be somebody's `/tmp`. Raises `DataFolderUnusable`.
    """
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o700, exist_ok=True)
        mode = data_dir.stat().st_mode
    except OSError as error:
        raise unusable(data_dir, error) from error
    if mode & stat.S_IWOTH:
        raise DataFolderUnusable(
            f"Everybody may write in the data folder {data_dir}. Close it (chmod o-w) or choose a folder of "
            "its own with PANTHERAHIVE_DATA_DIR."
        )


def unusable(data_dir: Path, error: OSError) -> DataFolderUnusable:
    """The error for a folder that the operating system refused."""
    return DataFolderUnusable(
        f"The data folder {data_dir} cannot be used ({error.strerror}). Give it to the user that runs the "
        "application, or choose another folder with PANTHERAHIVE_DATA_DIR."
    )


def open_log(data_dir: Path) -> int:
    """Open `postgres.log` to append, 0600; a file past `LOG_BYTES_MAX` first becomes the older generation."""
    path = data_dir / "postgres.log"
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_name("postgres.log.1"))
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
