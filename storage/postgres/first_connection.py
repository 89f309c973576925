"""The first connection of a program to its database: here it turns out whether the address is one at all.

`config.database_address` has judged its form; what is left is what only the driver knows (environment variables, the
files of certificates), and its own words may quote what they do not understand.
"""

from __future__ import annotations

import configparser
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

import asyncpg

from protocol.faults import NotApplied
from storage.postgres.errors import AddressWrong
from storage.postgres.faults import fault_of

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

_FILES: Final = ("sslcert", "sslkey", "sslrootcert", "sslcrl")
_ABOUT_FILES: Final = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ssl.SSLError)
"""What a file may be at fault for; so may a socket, and then all files are there."""
_LIBRARIES_OF_FILES: Final = frozenset({"PEM", "X509", "ASN1"})
"""The parts of OpenSSL that read files; what the other side of a connection does is told by others."""
_WRONG: Final = "The address of the database (database_url, or a PG… variable of the environment) is wrong"


async def first_connection(dsn: str, timeout_s: float, settings: Mapping[str, str]) -> _Connection:
    """Connects, with these settings of the server's. Raises AddressWrong, and NotApplied when nobody answers there."""
    try:
        return await asyncpg.connect(dsn, timeout=timeout_s, server_settings=dict(settings))
    except asyncpg.ClientConfigurationError as error:
        raise AddressWrong(f"{_WRONG}: {error.args[0]}.") from None
    except OSError as error:
        wrong = "; ".join(_unreadable_files(dsn)) if isinstance(error, _ABOUT_FILES) else ""
        if wrong:
            raise AddressWrong(f"{_WRONG}: {wrong}.") from error
        if isinstance(error, ssl.SSLError) and error.library in _LIBRARIES_OF_FILES:
            raise AddressWrong(f"{_WRONG}: a file of {', '.join(_FILES)} holds no certificate or key.") from error
        raise NotApplied(f"it cannot be reached ({str(error) or 'no answer in time'})") from error
    except (ValueError, OverflowError):  # such as a port in PGPORT that is none, or too large
        raise AddressWrong(f"{_WRONG}: its host or its port cannot be read.") from None
    except configparser.Error:
        raise AddressWrong(f"{_WRONG}: the file of services cannot be read.") from None
    except asyncpg.PostgresError as error:
        raise NotApplied(str(fault_of(error) or error)) from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise NotApplied(f"it cannot be reached ({error})") from error


def _unreadable_files(dsn: str) -> Iterator[str]:
    """Asked only after a failure: the driver passes over files that its sslmode has no use for."""
    parameters = parse_qs(urlsplit(dsn).query)
    for name in _FILES:
        path = parameters.get(name, [os.environ.get(f"PG{name.upper()}", "")])[-1]
        if path and not (Path(path).is_file() and os.access(path, os.R_OK)):
            yield f"{name} names the file {path}, which is not there or cannot be read"
