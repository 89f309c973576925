"""Bringing the history of a GitHub repository in: a client of the running server, like any other."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from typing import TextIO

from pydantic import TypeAdapter, ValidationError

from pantherahive_client import Client, Forbidden, HiveError, ProjectState, Settings, Unreachable
from protocol.projects import ProjectKey
from server.importing.github_archive import ArchiveUnreadable, Plan, Step, plan, read_archive
from server.importing.options import ImportOptions
from server.importing.progress import Progress
from server.importing.report import Outcome, reading, result
from server.importing.sending import GO_ON, Sender, Sent, Stopped
from server.importing.target import ImportFailed, Target, is_uuid, key_of, owners_of, target

IN_FLIGHT_MAX = 64

DONE, NOT_DONE = 0, 1
"""Exit codes: everything is in; some steps were refused, or it could not be begun or finished."""

_KEY: TypeAdapter[str] = TypeAdapter(ProjectKey)


async def run_import(options: ImportOptions, out: TextIO, progress: TextIO | None = None) -> int:
    """Runs it. The report goes to `out`, progress and trouble to `progress` (stderr). Returns an exit code."""
    trouble = progress if progress is not None else sys.stderr
    try:
        _check(options)
        steps = plan(read_archive(options.file))
        _print(out, reading(steps))
        if options.dry_run:
            _print(out, ["Dry run: nothing was sent."])
            return DONE
        return await _send(options, steps, out, trouble)
    except (ImportFailed, ArchiveUnreadable) as error:
        _print(trouble, [f"Not imported: {error}"])
    except HiveError as error:
        _print(trouble, [f"Not imported: {_explained(error, options)}"])
    return NOT_DONE


def _check(options: ImportOptions) -> None:
    if not 1 <= options.in_flight <= IN_FLIGHT_MAX:
        raise ImportFailed(f"--in-flight has to be between 1 and {IN_FLIGHT_MAX}")
    if not options.patience_s > 0:
        raise ImportFailed("--patience has to be more than 0 seconds")
    if options.project is not None and not is_uuid(options.project):
        raise ImportFailed("--project is a project's id, such as 0190c42e-0000-7000-8000-000000000000")
    if options.key is not None and not _is_key(options.key):
        raise ImportFailed("--key is a capital letter and one to nine more capital letters or digits, such as HTTP")


def _is_key(text: str) -> bool:
    try:
        _KEY.validate_python(text)
    except ValidationError:
        return False
    return True


def _explained(error: HiveError, options: ImportOptions) -> str:
    if isinstance(error, Unreachable):
        return f"{error}. Is the server running at {options.server}?"
    if isinstance(error, Forbidden):
        return f"{error}. Importing needs the admin token, or an owner or admin of the project."
    return str(error)


async def _send(options: ImportOptions, steps: Plan, out: TextIO, trouble: TextIO) -> int:
    limits = Settings(
        deadline_s=options.patience_s, connect_patience_s=options.patience_s, in_flight_max=options.in_flight
    )
    token = _token(options)
    show, sent = Progress(len(steps.steps), trouble), Sent()
    try:
        async with Client(options.server, token=token, settings=limits) as client:
            into = await target(client, options, token, steps)
            sender = Sender(
                client,
                into.project_id,
                head_seq=into.seq_before,
                in_flight_max=options.in_flight,
                patience_s=options.patience_s,
                progress=show,
                sent=sent,
            )
            await sender.run(steps.steps)
            _print(out, result(steps, sent, await _outcome(client, into, steps, sent)))
    except Stopped as error:
        show.interrupted()
        _print(out, result(steps, sent, None))
        _print(trouble, [f"Stopped: {error}", f"{_so_far(sent, steps)}; {error.advice}."])
        return NOT_DONE
    except asyncio.CancelledError:
        show.interrupted()
        _print(trouble, [f"Interrupted: {_so_far(sent, steps)}; {GO_ON}."])
        raise
    return NOT_DONE if sent.refused else DONE


def _so_far(sent: Sent, steps: Plan) -> str:
    return f"{sent.settled} of {len(steps.steps)} settled"


def _token(options: ImportOptions) -> str:
    if options.token_file is None:
        raise ImportFailed("say where the admin token is: --token-file PATH")
    try:
        token = options.token_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ImportFailed(f"the token file {options.token_file} cannot be read: {reason}") from error
    if not token:
        raise ImportFailed(f"the token file {options.token_file} is empty")
    return token


async def _outcome(client: Client, into: Target, steps: Plan, sent: Sent) -> Outcome:
    """What of the archive is in the project now, by looking; refusals of what is there are taken back."""
    async with client.project(into.project_id) as project:
        state = project.state
        sent.reconcile(lambda step: _is_there(step, state))
        there = Counter[str](step.kind for step in steps.steps if _is_there(step, state))
        return Outcome(into.project_id, key_of(state), owners_of(state), into.seq_before, project.seq, there)


def _is_there(step: Step, state: ProjectState) -> bool:
    match step.kind:
        case "issue":
            return step.data["taskId"] in state.tasks
        case "comment":
            return step.data["commentId"] in state.comments
        case "closing":
            task = state.tasks.get(step.data["taskId"])
            return task is not None and task["closedAt"] == step.at


def _print(out: TextIO, lines: Iterable[str]) -> None:
    out.writelines(f"{line}\n" for line in lines)
    out.flush()
