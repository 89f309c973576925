"""What can go wrong with the embedded Postgres. Each message says what to do about it.

EmbeddedPostgresError
├── AccountMissing        no account of this machine that Postgres could run as
├── BinariesMissing       no usable Postgres programs
├── DataFolderInUse       another process holds the data folder
├── DataFolderUnusable    wrong owner, open to everybody, out of reach, full, or a file in it is not what it has to be
├── WrongMajorVersion     the data was made by another major version of Postgres
├── LeftoverServer        a Postgres of an earlier run does not end
├── NotMainThread         started from a thread whose end would stop Postgres
└── StartFailed           initdb or the server itself failed; the message ends with its log
"""


class EmbeddedPostgresError(Exception):
    """Base of everything that this package raises on purpose."""


class AccountMissing(EmbeddedPostgresError):
    """Root has no account to drop to, or the own user id has no entry in the user database."""


class BinariesMissing(EmbeddedPostgresError):
    """No Postgres programs were found, or the account cannot run them."""


class DataFolderInUse(EmbeddedPostgresError):
    """Another process holds the lock of the data folder."""


class DataFolderUnusable(EmbeddedPostgresError):
    """The folder or a file in it belongs to someone else, is open to everybody, damaged, or cannot be reached."""


class WrongMajorVersion(EmbeddedPostgresError):
    """The cluster was made by another major version than the programs that were found."""


class LeftoverServer(EmbeddedPostgresError):
    """A Postgres of an earlier run still uses the cluster and does not end."""


class NotMainThread(EmbeddedPostgresError):
    """`start` was called outside the main thread."""


class StartFailed(EmbeddedPostgresError):
    """A Postgres program failed or was not ready in time."""
