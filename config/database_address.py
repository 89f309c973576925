"""What an address of Postgres may be, judged before anything connects: the driver's own words may quote the password.

An address is `postgresql://user:password@host:port/name?parameter=value` (PostgreSQL manual, 34.1.1.2), with several
hosts by commas, or with none for a socket. A `#`, `/`, `@` or `?` that stands in a password as it is ends a part of the
address too early, so each of them is looked for where it does not belong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

SCHEMES: Final = ("postgresql://", "postgres://")
SHAPE: Final = "it is postgresql://user:password@host:port/name"
HINT: Final = "in the password, # is written as %23, / as %2F, @ as %40, : as %3A, ? as %3F and % as %25"

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
}
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+(%\w+)?\]|[^\[\]:]+)(:(?P<port>[^:]*))?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_PORT_MAX: Final = 65_535


def postgres_address(text: str) -> str:
    """The address as it is. Raises ValueError, whose text quotes nothing of it."""
    if not text.startswith(SCHEMES):
        raise _wrong("an address of Postgres starts with postgresql://")
    if any(sign < " " for sign in text) or "\0" in unquote(text):
        raise _wrong("there is a control character in it")
    if "#" in text:
        raise _wrong("there is a # in it")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _wrong("its host cannot be read") from None
    _check_authority(parts.netloc)
    if "@" in parts.path:
        raise _wrong("there is an @ behind the host")
    _check_parameters(parts.query)
    return text


def _check_authority(authority: str) -> None:
    login, _, hosts = authority.rpartition("@")
    if "@" in login:
        raise _wrong("there is more than one @ in it")
    if hosts:
        _check_hosts(hosts)


def _check_hosts(hosts: str) -> None:
    for one in hosts.split(","):
        match = _HOST.fullmatch(one)
        if match is None:
            raise _wrong("its host cannot be read")
        if match["port"]:
            _check_port(match["port"])


def _check_port(port: str) -> None:
    if _PORT.fullmatch(port) is None or not 1 <= int(port) <= _PORT_MAX:
        raise _wrong(f"its port is not a whole number from 1 to {_PORT_MAX}")


def _check_parameters(query: str) -> None:
    if not query:
        return
    try:
        parameters = parse_qs(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise _wrong("what follows the ? is not parameter=value") from None
    for name, values in parameters.items():
        choices = _CHOICES.get(name)
        if choices is not None and values[-1].replace("_", "-") not in choices:
            raise _wrong(f"{name} is one of {', '.join(choices)}")
    for port in parameters.get("port", [""])[-1].split(","):
        if port:
            _check_port(port)


def _wrong(what: str) -> ValueError:
    return ValueError(f"{what}; {SHAPE}, and {HINT}")
