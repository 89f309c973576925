"""The command line of a bot: `bot_parser` for its flags, `run_command` to run it or to rehearse it.

given = bot_parser("greeter", "Greets new members.").parse_args()
sys.exit(run_command(given, Greeter()))
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from pantherahive_client.bot_runs import run_bot
from pantherahive_client.bots import Bot, Handler
from pantherahive_client.client import Client
from pantherahive_client.cursor_stores import FileCursors, check_name, default_folder
from pantherahive_client.durable_events import NOW
from pantherahive_client.errors import HiveError
from pantherahive_client.rehearsal import rehearse

FAILED: Final = 1


def bot_parser(name: str, description: str) -> argparse.ArgumentParser:
    """The flags that every bot has; a bot adds its own. `name` is its cursor's, unless `--name` says otherwise."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("project", metavar="PROJECT", help="the project's id, or its key if the token is not limited")
    parser.add_argument("--server", default="http://127.0.0.1:8080", metavar="URL", help="[%(default)s]")
    parser.add_argument("--token-file", type=Path, required=True, metavar="FILE", help="holds the bot's API token")
    parser.add_argument("--name", default=name, help="its cursor's name, one for each bot of a project [%(default)s]")
    parser.add_argument(
        "--cursors", type=Path, default=default_folder(), metavar="FOLDER", help="where cursors are kept [%(default)s]"
    )
    parser.add_argument(
        "--start", default=NOW, metavar="CURSOR", help="where it begins the first time; 0.0: with all there ever was"
    )
    group = parser.add_argument_group("rehearsal: print what it would have done, and send nothing")
    group.add_argument("--rehearse", action="store_true", help="instead of running")
    group.add_argument("--after", default="0", metavar="SEQ|TIME", help="from there on [%(default)s]")
    group.add_argument("--until", metavar="SEQ|TIME", help="up to there; to the end of the log if absent")
    return parser


def run_command(given: argparse.Namespace, bot: Bot | Handler) -> int:
    """The exit code: 130 after Ctrl-C, 143 after SIGTERM, 1 after a refusal, which is printed. From the main thread."""
    try:
        return asyncio.run(_until_signalled(given, bot))
    except (HiveError, OSError, ValueError) as error:
        sys.stderr.write(f"{given.name}: {error}\n")
        return FAILED


async def _until_signalled(given: argparse.Namespace, bot: Bot | Handler) -> int:
    # The signal that ended it.
    came: list[int] = []
    running = asyncio.create_task(_rehearse(given, bot) if given.rehearse else _run(given, bot))

    def told(number: int) -> None:
        came.append(number)
        running.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told, number)
    await asyncio.wait([running])
    if came:
        return 128 + came[0]
    running.result()
    return 0


async def _run(given: argparse.Namespace, bot: Bot | Handler) -> None:
    async with Client(given.server, token=_token(given)) as hive:
        project_id = await _project_id(hive, given.project)
        sys.stderr.write(f"{given.name}: follows {project_id}; its cursor is kept in {given.cursors}\n")
        await run_bot(
            hive, project_id, bot, check_name(given.name), cursors=FileCursors(given.cursors), start=given.start
        )


async def _rehearse(given: argparse.Namespace, bot: Bot | Handler) -> None:
    async with Client(given.server, token=_token(given)) as hive:
        project_id = await _project_id(hive, given.project)
        after, until = point_of(given.after), point_of(given.until) if given.until is not None else None
        found = await rehearse(hive, project_id, bot, check_name(given.name), after=after, until=until)
        sys.stdout.writelines(f"{line}\n" for line in found.lines())


def _token(given: argparse.Namespace) -> str:
    token: str = given.token_file.read_text("utf-8").strip()
    return token


async def _project_id(hive: Client, project: str) -> str:
    try:
        return str(UUID(project))
    except ValueError:
        return (await hive.resolve_link(project))["projectId"]


def point_of(text: str) -> int | datetime:
    """A seq, or a time; a day is its first moment in UTC. Raises ValueError."""
    if text.isascii() and text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
