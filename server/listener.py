"""The socket that the server listens on. It is bound before anything else is started, and listens last."""

from __future__ import annotations

import errno
import resource
import socket
from typing import Final

from server.exits import Refusal

BACKLOG_MAX: Final = 1024
_LOOPBACKS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 compared with, not bound
"""Who listens everywhere also listens here."""


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket; port 0 takes a free one. Nobody can connect before it listens. Raises Refusal."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Refusal(f"The host {host} is not known ({error.strerror}). Choose another with --host.") from error
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setblocking(False)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise Refusal(_told(host, port, error)) from error
    return bound


def _told(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"Port {port} on {host} is in use by another program. "
                "Stop that one, or choose another port with --port (0 takes a free one)."
            )
        case errno.EACCES:
            return f"Port {port} may not be taken by this user. Choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"This machine does not have the address {host}. Choose another with --host."
        case _:
            return f"Cannot listen on {host}, port {port}: {error.strerror}."


def url_of(bound: socket.socket, host: str) -> str:
    """Where a browser on this machine, or on others when it listens everywhere, reaches the socket."""
    return _url(bound, socket.gethostname() if host in _LOOPBACKS else host)


def local_url_of(bound: socket.socket, host: str) -> str:
    """Where this machine reaches the socket, also where its name does not resolve."""
    return _url(bound, _LOOPBACKS.get(host, host))


def _url(bound: socket.socket, name: str) -> str:
    port = bound.getsockname()[1]
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def allow_many_connections() -> None:
    """Raises the soft limit of open files to the hard one: each connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            # macOS names an unlimited hard limit that it does not take; the soft one still serves.
            pass
