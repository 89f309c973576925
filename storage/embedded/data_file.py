"""A file of the data folder: opened, read and made in one way, so that each trouble with one is told in one line.

Links are not followed: the folder's files may be written by root, and a link would have it write elsewhere.
"""

import errno
import os
import secrets
import stat
from pathlib import Path

from storage.embedded.errors import DataFolderUnusable

SMALL_FILE_BYTES_MAX = 4096
_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


def open_file(path: Path, flags: int, mode: int = 0o600) -> int:
    """A descriptor of a regular file. Raises `FileNotFoundError` (without O_CREAT) and `DataFolderUnusable`."""
    try:
        # Without O_NONBLOCK a pipe in the file's place would keep us waiting; for a file it means nothing.
        fd = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, mode)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise file_unusable(path, error) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _no_file(path)
    return fd


def read_small_file(path: Path) -> bytes:
    """The first `SMALL_FILE_BYTES_MAX` bytes. Changes nothing. Raises `FileNotFoundError`, `DataFolderUnusable`."""
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        try:
            return file.read(SMALL_FILE_BYTES_MAX)
        except OSError as error:
            raise file_unusable(path, error) from error


def make_small_file(path: Path, content: bytes) -> None:
    """Make it, 0600, complete and durable or not at all. Under the folder's lock. Raises `DataFolderUnusable`."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(fd)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise file_unusable(path, error) from error


def sync_folder(folder: Path) -> None:
    """Make the folder's names durable. Raises `OSError`."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def file_unusable(path: Path, error: OSError) -> DataFolderUnusable:
    """The error for a file or folder below the data folder that the operating system refused."""
    if error.errno == errno.ELOOP:
        return DataFolderUnusable(f"{path} is a link, and links are not followed here. Remove it.")
    if error.errno == errno.EISDIR:
        return _no_file(path)
    if error.errno in _IS_FULL:
        advice = "Make room, then start again."
    elif error.errno in (errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY):
        advice = "Move away what lies there: what belongs there is made anew."
    else:
        advice = "It has to belong to the user that starts the server."
    return DataFolderUnusable(f"{path} cannot be used: {error.strerror}. {advice}")


def _no_file(path: Path) -> DataFolderUnusable:
    return DataFolderUnusable(f"{path} is no file. Move it away: what belongs there is made anew.")
