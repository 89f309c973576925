"""The commands that visit the running server, as `import` does: their flags, and which file does them.

They come with the admin token of the data folder (or the one of `--token-file`) to the address of the settings.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from config.secrets import ADMIN_TOKEN_FILE
from config.settings import Settings
from server.visiting import server_address

NAMES: Final = frozenset({"export", "user", "token", "project", "tail"})

NewCommand = Callable[[Any, str, str], argparse.ArgumentParser]
"""(subparsers, name, what it does) → a parser that knows the settings."""


def add_commands(commands: Any, new: NewCommand) -> None:
    """All of them."""
    _add_export(new(commands, "export", "write everything of a project, or of a user, as NDJSON"))
    user = _family(commands, "user", "accounts of people")
    _add_user_create(new(user, "create", "make an account"))
    token = _family(commands, "token", "API tokens of bots")
    _add_token_create(new(token, "create", "make a token for a person's bot, and the bot if it is not there"))
    project = _family(commands, "project", "projects")
    _add_project_list(new(project, "list", "list all projects with their keys and ids"))
    _add_tail(new(commands, "tail", "show what happens in a project while it happens, one line per event"))


def _family(commands: Any, name: str, what: str) -> Any:
    parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", allow_abbrev=False)
    return parser.add_subparsers(dest="action", required=True, metavar="ACTION")


def _add_door(group: Any, *, else_with: str = "the admin token") -> None:
    """`else_with` is what it comes with where no token is named."""
    group.add_argument("--server", metavar="URL", help="the running server; by the settings if absent")
    group.add_argument("--token-file", type=Path, metavar="PATH", help=f"the token to come with; {else_with} if absent")


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", nargs="?", metavar="PROJECT", help="a project's key, such as APOLLO, or its id")
    group = parser.add_argument_group("export")
    group.add_argument("--user", metavar="USER", help="a user's name or id: their own data instead of a project")
    group.add_argument("--out", type=Path, metavar="FILE", help="where to write it; printed if absent")
    group.add_argument("--as-of", metavar="SEQ|TIME", help="the project as it was then, such as 2026-01-31 or 120")
    _add_door(group)


def _add_user_create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="3 to 30 letters, digits, dots and underscores")
    group = parser.add_argument_group("user create")
    group.add_argument("--email", metavar="ADDRESS", help="an e-mail address")
    group.add_argument("--first-name", metavar="TEXT", help="shown on the profile")
    group.add_argument("--last-name", metavar="TEXT", help="shown on the profile")
    group.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="holds the password; if absent it is asked for on a terminal, and read from stdin elsewhere",
    )
    _add_door(group, else_with="none")


def _add_token_create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bot", metavar="BOT", help="the bot's name; it is made when its owner has none of that name")
    group = parser.add_argument_group("token create")
    group.add_argument("--owner", metavar="USER", help="whose bot it is: a user's name or id")
    group.add_argument(
        "--scope",
        action="append",
        choices=("read", "write"),
        help="what the token may do; may be repeated [read]",
    )
    group.add_argument(
        "--project", action="append", metavar="PROJECT", help="only this project, by key or id; may be repeated"
    )
    group.add_argument("--role", metavar="ROLE", help="make the bot a member of these projects, in this role")
    group.add_argument("--label", metavar="TEXT", default="command line", help="what the token is for [%(default)s]")
    group.add_argument(
        "--expires", metavar="TIME|DAYSd", help="when the token ends, such as 2027-01-31 or 90d; never if absent"
    )
    _add_door(group)


def _add_project_list(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("project list")
    group.add_argument("--json", action="store_true", help="one JSON object per line, with all fields")
    _add_door(group)


def _add_tail(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help="a project's key, such as APOLLO, or its id")
    group = parser.add_argument_group("tail")
    group.add_argument(
        "--since", metavar="CURSOR|TIME", help="begin after this entry (12.7 or 12) or time; now if absent, 0 for all"
    )
    group.add_argument("--json", action="store_true", help="one JSON object per entry, as it is in the log")
    group.add_argument("--no-follow", action="store_true", help="print what there is, and end")
    _add_door(group)


def run_client(given: argparse.Namespace, settings: Settings) -> int:
    """The exit code. From the main thread. Raises Refusal with what to do."""
    from server.commands.calls import Door

    door = Door(server_address(given.server, settings), given.token_file or settings.data_dir / ADMIN_TOKEN_FILE)
    match given.command:
        case "export":
            from server.commands.export import export

            return export(door, given.project, given.user, given.out, given.as_of)
        case "user":
            from server.commands.user_create import NewUser, create_user

            user = NewUser(given.name, given.email, given.first_name, given.last_name)
            return create_user(door, user, given.password_file, with_token=given.token_file is not None)
        case "token":
            from server.commands.token_create import NewToken, create_token

            token = NewToken(
                given.bot,
                given.owner,
                tuple(dict.fromkeys(given.scope or ("read",))),
                tuple(given.project or ()),
                given.role,
                given.label,
                given.expires,
            )
            return create_token(door, token)
        case "project":
            from server.commands.project_list import list_projects

            return list_projects(door, as_json=given.json)
        case "tail":
            from server.commands.tail import tail

            return tail(door, given.project, given.since, as_json=given.json, follow=not given.no_follow)
        case _:
            raise AssertionError(given.command)
