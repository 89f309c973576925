"""Why a database is refused at start-up. Each message says what to do about it.

DatabaseRefused
├── ServerTooOld          older than Postgres 15
├── DatabaseTooNew        a newer build has migrated it
├── MigrationChanged      an applied migration file is not what it was
├── MigrationsPending     the tables are older than this build
├── UnsafeDurability      the server's settings would let acknowledged entries vanish
└── WrongEncoding         it cannot hold every text

What goes wrong later, in statements, is one of `protocol.faults`.
"""

from __future__ import annotations


class DatabaseRefused(Exception):
    """Base of the refusals."""


class ServerTooOld(DatabaseRefused):
    """The server is older than what the statements need."""


class DatabaseTooNew(DatabaseRefused):
    """The database has migrations that this build does not know."""


class MigrationChanged(DatabaseRefused):
    """The checksum or the name of an applied migration differs from the file's."""


class MigrationsPending(DatabaseRefused):
    """The database lacks migrations of this build."""


class UnsafeDurability(DatabaseRefused):
    """`fsync`, `full_page_writes` or `synchronous_commit` is off."""


class WrongEncoding(DatabaseRefused):
    """The database's encoding is not UTF8."""
