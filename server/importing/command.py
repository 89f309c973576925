"""`pantherahive import github-archive FILE`: its flags, and where this installation listens and keeps its token."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from config.secrets import ADMIN_TOKEN_FILE
from config.settings import Settings
from server.exits import Exit
from server.importing.options import IN_FLIGHT_DEFAULT, PATIENCE_DEFAULT_S, ImportOptions
from server.visiting import run_until_signalled, server_address

AT_ONCE = (
    b"Interrupted at once; run the same command again to go on, before anybody works in the project: "
    b"what is there already is not doubled.\n"
)


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
    """The exit code; the report goes to stdout, progress and trouble to stderr. From the main thread. Raises Refusal.

    While it reads, signals are left as they are: nothing was sent, so they may end the process at once.
    """
    from server.importing import importer

    options = options_of(given, settings)
    steps = importer.read(options, sys.stdout, sys.stderr)
    if steps is None:
        return Exit.FAILED
    return run_until_signalled(importer.send(options, steps, sys.stdout, sys.stderr), AT_ONCE)


def options_of(given: argparse.Namespace, settings: Settings) -> ImportOptions:
    """What was said, and what the settings say where nothing was. Raises Refusal for a wrong `--server`."""
    return ImportOptions(
        file=given.file,
        owner=given.owner,
        project=given.project,
        key=given.key,
        name=given.name,
        server=server_address(given.server, settings),
        token_file=given.token_file or settings.data_dir / ADMIN_TOKEN_FILE,
        dry_run=given.dry_run,
        in_flight=given.in_flight,
        patience_s=given.patience,
    )
