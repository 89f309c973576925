"""Why a database is refused at start-up. Each message says what to do about it.

DatabaseRefused
├── AddressWrong          nobody can be asked there
├── ServerTooOld          older than Postgres 15
├── ReadOnly              it takes no writes, as a standby does not
├── RightMissing          the login may not do what is needed
├── TablesOfOthers        another application's tables are where ours belong
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


class AddressWrong(DatabaseRefused):
    """The address, or a file or variable that belongs to it, cannot be used."""


class ReadOnly(DatabaseRefused):
    """Transactions write nothing by default: a standby, or `default_transaction_read_only`."""


class RightMissing(DatabaseRefused):
    """The login lacks a right; the message has the GRANT."""


class TablesOfOthers(DatabaseRefused):
    """Tables have the names of ours and are not ours."""


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
