"""The command line: `pantherahive serve | migrate | doctor | import | export | …`, with the settings as flags.

Expected faults are one clear message each, with what to do; a traceback is always a defect.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from config.loading import flag_of, is_secret
from config.secrets import SecretsUnusable
from config.settings import Settings, SettingsError, allowed, load_settings
from protocol.faults import StorageFault
from server.commands.clients import NAMES as CLIENT_COMMANDS
from server.commands.clients import add_commands as add_client_commands
from server.exits import Exit, Refusal
from server.output import OutputUnwritable, let_go, whole_output

MAIN_SETTINGS = (
    "host",
    "port",
    "data_dir",
    "database_url",
    "postgres_binaries_dir",
    "unsafe_durability",
    "log_format",
    "log_level",
    "allowed_origins",
)
_CONFIG = "config_file"
_AGAIN_AFTER_S = 0.01


def run(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Runs a command; returns its exit code. From the main thread. Raises KeyboardInterrupt after Ctrl-C."""
    try:
        with whole_output():
            given = parser().parse_args(arguments)  # help texts are made when somebody asks for them: they cost 0.4 s
            return _run(given, dict(os.environ if environ is None else environ))
    except SettingsError as error:
        return _say(str(error), Exit.WRONG_USE)
    except OutputUnwritable as error:
        let_go()
        return _say(str(error), error.code)
    except Refusal as refusal:
        return _say(str(refusal), refusal.code)
    except SecretsUnusable as error:
        return _say(str(error), Exit.FAILED)
    except StorageFault as fault:
        return _say(f"The database cannot be used: {fault}.{_question(fault)}", Exit.FAILED)
    except BrokenPipeError:
        let_go()
        return Exit.UNREAD
    except Exception as error:
        # Imported late: a command that needs no database should not wait for its libraries.
        from storage.embedded import EmbeddedPostgresError
        from storage.postgres.errors import AddressWrong, DatabaseRefused

        if isinstance(error, AddressWrong):
            return _say(str(error), Exit.WRONG_USE)
        if isinstance(error, EmbeddedPostgresError | DatabaseRefused):
            return _say(str(error), Exit.FAILED)
        raise


def _question(fault: StorageFault) -> str:
    from storage.postgres.faults import is_said_by_server

    return "" if is_said_by_server(fault) else " Is it running, and does its address fit?"


def _run(given: argparse.Namespace, environ: dict[str, str]) -> int:
    match given.command:
        case "serve":
            from server.commands.serve import serve

            return _unwinding(lambda: serve(_settings(given, environ)))
        case "migrate":
            from server.commands.migrate import migrate_database

            return _unwinding(lambda: migrate_database(_settings(given, environ), check=given.check))
        case "doctor":
            from server.commands.doctor import doctor

            return _unwinding(lambda: doctor(_settings(given, environ), _flags(given), environ))
        case "import":
            from server.importing.command import import_archive

            return import_archive(given, _settings(given, environ))
        case name if name in CLIENT_COMMANDS:
            from server.commands.clients import run_client

            return _unwinding(lambda: run_client(given, _settings(given, environ)))
        case _:
            raise AssertionError(given.command)


def _unwinding(command: Callable[[], int]) -> int:
    """From here on Ctrl-C is an exception, so that what the command has started (a Postgres) is ended in order."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before, sys.unraisablehook = sys.unraisablehook, _interrupt_again
    try:
        return command()
    finally:
        sys.unraisablehook = before


def _interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """An exception in a hook of the interpreter (before a fork, say) is dropped: a lost Ctrl-C comes again, outside."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_AFTER_S)


def _settings(given: argparse.Namespace, environ: dict[str, str]) -> Settings:
    return load_settings(_flags(given), environ)


def _flags(given: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(given, name, None) for name in Settings.model_fields}


def _say(text: str, code: Exit) -> Exit:
    print(text, file=sys.stderr)
    return code


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="pantherahive", description="Live project collaboration: nothing acknowledged is lost.", allow_abbrev=False
    )
    root.add_argument("--version", action=_Version, nargs=0, help="say the version and end")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _command(commands, "serve", "start the server in the foreground", with_limits=True)
    migrate = _command(commands, "migrate", "bring the database's tables up to this build")
    migrate.add_argument("--check", action="store_true", help="only say what is missing; fails when something is")
    _command(commands, "doctor", "look whether everything is in order, and say what to do")
    _add_import(commands)
    add_client_commands(commands, _command)
    return root


def _command(commands: Any, name: str, says: str, *, with_limits: bool = False) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=says,
        description=f"{says[0].upper()}{says[1:]}.",
        allow_abbrev=False,
        formatter_class=_SettingsHelp,
    )
    add_settings(command, with_limits=with_limits)
    return command


def _add_import(commands: Any) -> None:
    from server.importing.command import add_arguments

    add_arguments(_command(commands, "import", "bring the history of a project in, through the running server"))


def add_settings(command: argparse.ArgumentParser, *, with_limits: bool) -> None:
    """Flags for the main settings, or for all. Values are judged with all other sources, so here they are only text."""
    main_group = command.add_argument_group("settings (also as PANTHERAHIVE_… or in the file)")
    limits = command.add_argument_group("limits") if with_limits else None
    main_group.add_argument(flag_of(_CONFIG), dest=_CONFIG, metavar="FILE", help="a TOML file with settings")
    for name, field in Settings.model_fields.items():
        if name == _CONFIG:
            continue
        group = main_group if name in MAIN_SETTINGS else limits
        if group is None:
            continue  # a limit of the server: other commands take it from the environment or the file
        flag = flag_of(name)
        if field.annotation is bool:
            group.add_argument(flag, dest=name, metavar="VALUE", help=name, nargs="?", const="true")
        else:
            group.add_argument(flag, dest=name, metavar="VALUE", help=name)


def _explained(name: str) -> str:
    """What a setting is for, what it may be, and its default."""
    field = Settings.model_fields[name]
    default = "" if is_secret(Settings, name) or field.default in (None, ()) else f" [{field.default}]"
    return f"{field.description} {allowed(Settings, name)}{default}"


class _SettingsHelp(argparse.HelpFormatter):
    """Explains the settings from their fields, where a flag's own help is only the setting's name."""

    def _expand_help(self, action: argparse.Action) -> str:
        if action.help == action.dest and action.dest in Settings.model_fields:
            return _explained(action.dest)
        return super()._expand_help(action) or ""


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from server.version import product_version

        print(f"pantherahive {product_version()}")
        parser.exit()
