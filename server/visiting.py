"""What commands share that visit the running server: where it listens, with which token, and how Ctrl-C ends them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from config.settings import Settings
from server.exits import Exit, Refusal

EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - addresses to listen on, turned into ones to call
ADDRESS_WANTED: Final = "the address of a server, such as http://127.0.0.1:8080 (no path)"
SIGNALLED: Final = (signal.SIGTERM, signal.SIGINT)
"""They end a visit with `Exit.TERMINATED` and `Exit.INTERRUPTED`: 128 and their number."""


def own_address(settings: Settings) -> str:
    """Where the server of this installation is to be called."""
    host = EVERYWHERE.get(settings.host, f"[{settings.host}]" if ":" in settings.host else settings.host)
    return f"http://{host}:{settings.port}"


def server_address(said: str | None, settings: Settings) -> str:
    """Where to call: what `--server` says, without a `/` at its end, or else the own address.

    Raises Refusal for what is no address. One with an `@` may hold a password, so it is not repeated.
    """
    if said is None:
        return own_address(settings)
    if "@" in said:
        raise Refusal(f"--server takes no user and no password, only {ADDRESS_WANTED}.", Exit.WRONG_USE)
    try:
        return _root(said)
    except ValueError as error:
        raise Refusal(f"--server {said!r} is not {ADDRESS_WANTED}.", Exit.WRONG_USE) from error


def _root(address: str) -> str:
    """Scheme, host and port. Raises ValueError where they are wrong, or something comes behind them."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port
    host.encode("idna")  # as it will be looked up: it is a ValueError that a label is empty or too long
    is_called = parts.scheme in ("http", "https") and host != "" and port != 0
    if not (is_called and address.isprintable() and parts.path in ("", "/") and not parts.query + parts.fragment):
        raise ValueError("no root of a server")
    return f"{parts.scheme}://{parts.netloc}"


class TokenUnreadable(Exception):
    """There is no token to come with. The text is meant for a person."""


def read_token(path: Path) -> str:
    """The token in a file, such as the operator's in the data folder. Raises TokenUnreadable."""
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise TokenUnreadable(
            f"the token file {path} cannot be read: {reason}; a server makes it when it first starts, "
            "in its data folder: name that with --data-dir, or the file with --token-file"
        ) from error
    if not token.isascii() or not token.isprintable() or not token:
        raise TokenUnreadable(f"the token file {path} holds no token")
    return token


def run_until_signalled(visit: Coroutine[Any, Any, int], at_once: bytes) -> int:
    """The visit's exit code. From the main thread. A signal cancels it, which it may say something about.

    The second one ends the process at once, with `at_once` on stderr.
    """
    before = {number: signal.getsignal(number) for number in SIGNALLED}
    # The signals so far.
    came: list[int] = []
    try:
        return asyncio.run(_until_signalled(visit, came, at_once))
    finally:
        for number, handler in before.items():
            # What is left to do after a signal takes no time, and nobody has to press twice.
            signal.signal(number, signal.SIG_IGN if came else handler)


async def _until_signalled(visit: Coroutine[Any, Any, int], came: list[int], at_once: bytes) -> int:
    """Not by the loop's own handlers: when it closes, these give Ctrl-C back as an exception, in the middle of
    anything."""
    visiting, loop = asyncio.create_task(visit), asyncio.get_running_loop()

    def told(number: int, _: object) -> None:
        if came:
            os.write(sys.stderr.fileno(), at_once)
            os._exit(128 + number)
        came.append(number)
        if not loop.is_closed():
            loop.call_soon_threadsafe(visiting.cancel)

    for number in SIGNALLED:
        signal.signal(number, told)
    await asyncio.wait([visiting])
    # Only a signal cancels it.
    return Exit(128 + came[0]) if visiting.cancelled() else visiting.result()
