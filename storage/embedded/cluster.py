"""The cluster on disk: made once, as a whole, and checked for its version before each start."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from storage.embedded import child
from storage.embedded.account import Account, choose_account
from storage.embedded.binaries import Binaries
from storage.embedded.data_file import file_unusable, read_small_file, sync_folder
from storage.embedded.errors import DataFolderUnusable, StartFailed, WrongMajorVersion
from storage.embedded.folder import LOCK_FILE, LOG_FILE, folder_mode, link_to_nothing, unusable
from storage.embedded.reach import reached

USER = "pantherahive"
DATABASE = "pantherahive"
CREATE_TIMEOUT_S = 120.0
# From this version on Postgres brings C.UTF-8 itself; before it the operating system's may be missing.
_BUILTIN_LOCALE_MAJOR_MIN = 17
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)?")


def ensure_cluster(cluster: Path, account: Account, binaries: Binaries) -> None:
    """Make the cluster and its database if there is none; check owner and version of an existing one.

    It is made beside its place and renamed when complete: a crash in the middle leaves nothing half-made.
    Raises `StartFailed`, `WrongMajorVersion`, `DataFolderUnusable`.
    """
    if not _is_there(cluster):
        draft = _draft(cluster)
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            if account.dropped:
                os.chown(draft, account.uid, account.gid)
            _initdb(draft, account, binaries)
            _create_database(draft, account, binaries)
            draft.rename(cluster)
            sync_folder(cluster.parent)
        except OSError as error:
            raise file_unusable(draft, error) from error
    _check_version(cluster, check_cluster(cluster, account), binaries)


def has_cluster(data_dir: Path) -> bool:
    """Whether the embedded Postgres was ever started here, judged as a start does. Changes nothing.

    Raises `AccountMissing`, and `DataFolderUnusable` when something else lies in the place of it, of the data folder or
    of a file that the first start would make.
    """
    cluster = data_dir.resolve() / "postgres"
    try:
        if folder_mode(data_dir) is None:
            return False
        if not _is_there(cluster):
            check_files(data_dir, LOCK_FILE, LOG_FILE)
            return False
    except OSError as error:
        raise unusable(data_dir, error) from error
    check_cluster(cluster, choose_account(cluster))
    return True


def check_files(data_dir: Path, *names: str) -> None:
    """Whether those that are there are files which a start can open. Changes nothing. Raises `DataFolderUnusable`."""
    for name in names:
        try:
            read_small_file(data_dir / name)
        except FileNotFoundError:
            continue


def _is_there(cluster: Path) -> bool:
    """False means that one may be made. Raises `DataFolderUnusable` when something is in the way."""
    if cluster.exists():
        return True
    if cluster.is_symlink():
        raise link_to_nothing(cluster)
    draft = _draft(cluster)
    if draft.is_symlink() or (draft.exists() and not draft.is_dir()):
        raise DataFolderUnusable(f"{draft} is no folder. Move it away: a cluster is made there before it is complete.")
    return False


def _draft(cluster: Path) -> Path:
    return cluster.with_name(f"{cluster.name}.new")


def check_cluster(cluster: Path, account: Account) -> str:
    """The major version that made an existing cluster. Changes nothing. Raises `DataFolderUnusable`."""
    if not cluster.is_dir():
        raise _no_cluster(cluster, "it is no folder")
    _check_owner(cluster, account)
    try:
        made_by = (cluster / "PG_VERSION").read_text("utf-8", errors="replace").strip()
    except OSError as error:
        raise _no_cluster(cluster, f"PG_VERSION cannot be read ({error.strerror})") from error
    if _VERSION.fullmatch(made_by) is None:
        raise _no_cluster(cluster, "PG_VERSION names no version")
    return made_by


def _no_cluster(cluster: Path, why: str) -> DataFolderUnusable:
    return DataFolderUnusable(
        f"{cluster} is not a Postgres cluster: {why}. Move it away to start empty, or restore it from a backup."
    )


def _initdb(cluster: Path, account: Account, binaries: Binaries) -> None:
    locale = ["--no-locale"]
    if binaries.major >= _BUILTIN_LOCALE_MAJOR_MIN:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    with reached(cluster, account) as (path, fds):
        argv = [binaries.program("initdb"), "-D", path, "-U", USER, "-A", "trust", "-E", "UTF8", *locale]
        _run([*argv, "--no-instructions"], account, fds)


def _create_database(cluster: Path, account: Account, binaries: Binaries) -> None:
    """In single-user mode, before anything listens: whoever sees a server sees the database too."""
    with reached(cluster, account) as (path, fds):
        argv = [
            binaries.program("postgres"),
            "--single",
            "-j",
            "-D",
            path,
            "-c",
            "exit_on_error=on",
            "postgres",
        ]
        _run(argv, account, fds, feed=f"CREATE DATABASE {DATABASE};\n\n".encode())


def _run(argv: list[str], account: Account, fds: tuple[int, ...], feed: bytes | None = None) -> None:
    name = Path(argv[0]).name
    try:
        code, output = child.run(argv, account, timeout_s=CREATE_TIMEOUT_S, pass_fds=fds, feed=feed)
    except subprocess.TimeoutExpired:
        raise StartFailed(f"{name} did not finish the new cluster within {CREATE_TIMEOUT_S:g} s.") from None
    except OSError as error:
        raise StartFailed(f"{argv[0]} cannot be run: {error}") from error
    if code != 0:
        raise StartFailed(f"{name} failed to make the cluster (exit code {code}). It said:\n{output.strip()}")


def _check_owner(cluster: Path, account: Account) -> None:
    owner = cluster.stat().st_uid
    if owner != account.uid:
        raise DataFolderUnusable(
            f"The cluster {cluster} belongs to user id {owner}, Postgres would run as {account.name} "
            f"({account.uid}). Start as the user that made it, or give it away: "
            f"chown -R {account.name} {cluster}"
        )


def _check_version(cluster: Path, made_by: str, binaries: Binaries) -> None:
    if made_by != str(binaries.major):
        raise WrongMajorVersion(
            f"The cluster {cluster} was made by Postgres {made_by}, the programs in {binaries.folder} are "
            f"Postgres {binaries.major}. Name programs of version {made_by} in the settings, or move the "
            f"data with pg_dump of version {made_by} or pg_upgrade."
        )
