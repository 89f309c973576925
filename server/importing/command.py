"""`pantherahive import github-archive FILE`: its flags, and where this installation listens and keeps its token."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from config.secrets import ADMIN_TOKEN_FILE
from config.settings import Settings
from server.exits import Exit
from server.importing.options import IN_FLIGHT_DEFAULT, PATIENCE_DEFAULT_S, ImportOptions

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - addresses to listen on, turned into ones to call
SIGNALLED = (signal.SIGTERM, signal.SIGINT)
"""They end an import with `Exit.TERMINATED` and `Exit.INTERRUPTED`: 128 and their number."""
AT_ONCE = b"Interrupted at once; run the same command again to go on: what is there already is not doubled.\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags beside the settings."""
    parser.add_argument("source", choices=["github-archive"], help="the archive.json of a GitHub repository")
    parser.add_argument("file", type=Path, metavar="FILE", help="where it is")
    group = parser.add_argument_group("import")
    group.add_argument("--owner", metavar="USER", help="whose project it is: a user's id or name")
    group.add_argument("--project", metavar="ID", help="an existing project instead of the repository's own")
    group.add_argument("--key", help="the project's key, such as HTTP; made from the name if absent and new")
    group.add_argument("--name", help="a new project's name; the repository's if absent")
    group.add_argument("--server", metavar="URL", help="the running server; by the settings if absent")
    group.add_argument("--token-file", type=Path, metavar="PATH", help="the admin token; in the data folder if absent")
    group.add_argument(
        "--dry-run", action="store_true", help="read and report everything, look what would be refused, send nothing"
    )
    group.add_argument(
        "--in-flight", type=int, default=IN_FLIGHT_DEFAULT, metavar="N", help="steps under way [%(default)s]"
    )
    group.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_DEFAULT_S,
        metavar="SECONDS",
        help="how long to wait for a server that is away [%(default)s]",
    )


def import_archive(given: argparse.Namespace, settings: Settings) -> int:
    """The exit code; the report goes to stdout, progress and trouble to stderr. From the main thread.

    While it reads, signals are left as they are: nothing was sent, so they may end the process at once.
    """
    from server.importing import importer

    options = options_of(given, settings)
    steps = importer.read(options, sys.stdout, sys.stderr)
    if steps is None:
        return Exit.FAILED
    before = {number: signal.getsignal(number) for number in SIGNALLED}
    # The signals so far.
    came: list[int] = []
    try:
        return asyncio.run(_until_signalled(importer.send(options, steps, sys.stdout, sys.stderr), came))
    finally:
        for number, handler in before.items():
            # What is left to do after a signal takes no time, and nobody has to press twice.
            signal.signal(number, signal.SIG_IGN if came else handler)


async def _until_signalled(sending: Coroutine[Any, Any, int], came: list[int]) -> int:
    """SIGTERM and Ctrl-C end it with a word about how to go on; the second one ends the process at once.

    Not by the loop's own handlers: when it closes, these give Ctrl-C back as an exception, in the middle of anything.
    """
    importing, loop = asyncio.create_task(sending), asyncio.get_running_loop()

    def told(number: int, _: object) -> None:
        if came:
            os.write(sys.stderr.fileno(), AT_ONCE)
            os._exit(128 + number)
        came.append(number)
        if not loop.is_closed():
            loop.call_soon_threadsafe(importing.cancel)

    for number in SIGNALLED:
        signal.signal(number, told)
    await asyncio.wait([importing])
    # Only a signal cancels it, and it has said so.
    return 128 + came[0] if importing.cancelled() else importing.result()


def options_of(given: argparse.Namespace, settings: Settings) -> ImportOptions:
    """What was said, and what the settings say where nothing was."""
    return ImportOptions(
        file=given.file,
        owner=given.owner,
        project=given.project,
        key=given.key,
        name=given.name,
        server=given.server if given.server is not None else _own_address(settings),
        token_file=given.token_file or settings.data_dir / ADMIN_TOKEN_FILE,
        dry_run=given.dry_run,
        in_flight=given.in_flight,
        patience_s=given.patience,
    )


def _own_address(settings: Settings) -> str:
    host = EVERYWHERE.get(settings.host, f"[{settings.host}]" if ":" in settings.host else settings.host)
    return f"http://{host}:{settings.port}"
