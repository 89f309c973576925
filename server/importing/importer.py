"""Bringing the history of a GitHub repository in: a client of the running server, like any other."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any, TextIO

from pantherahive_client import UNSET, Client, Forbidden, HiveError, NotFound, ProjectState, Settings, Unreachable
from server.importing.github_archive import (
    ArchiveUnreadable,
    Plan,
    Step,
    op_id_of,
    plan,
    project_id_of,
    read_archive,
)
from server.importing.options import ImportOptions
from server.importing.progress import Progress
from server.importing.report import Outcome, reading, result
from server.importing.sending import Sender, Sent, Stopped

IN_FLIGHT_MAX = 64
NAME_CHARACTERS_MAX = 200

DONE, NOT_DONE = 0, 1
"""Exit codes: everything is in; some steps were refused, or it could not be begun or finished."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ImportFailed(Exception):
    """It could not be begun or ended. The text is meant for a person."""


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
    if options.project is not None and _UUID.fullmatch(options.project.lower()) is None:
        raise ImportFailed("--project is a project's id, such as 0190c42e-0000-7000-8000-000000000000")


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
    async with Client(options.server, token=_token(options), settings=limits) as client:
        project_id = options.project.lower() if options.project is not None else project_id_of(steps.repo)
        seq_before = await _seq_of(client, project_id)
        if seq_before is None:
            seq_before = await _create(client, project_id, options, steps)
        show = Progress(len(steps.steps), trouble)
        sender = Sender(
            client,
            project_id,
            head_seq=seq_before,
            in_flight_max=options.in_flight,
            patience_s=options.patience_s,
            progress=show,
        )
        try:
            await sender.run(steps.steps)
        except Stopped as error:
            show.interrupted()
            _print(out, result(steps, sender.sent, None))
            _print(trouble, [f"Stopped: {error}", _how_to_go_on(sender.sent, steps)])
            return NOT_DONE
        except asyncio.CancelledError:
            show.interrupted()
            _print(trouble, ["Interrupted.", _how_to_go_on(sender.sent, steps)])
            raise
        outcome = await _outcome(client, project_id, steps, sender.sent, seq_before)
        _print(out, result(steps, sender.sent, outcome))
    return NOT_DONE if sender.sent.refused else DONE


def _how_to_go_on(sent: Sent, steps: Plan) -> str:
    return (
        f"{sent.settled} of {len(steps.steps)} steps are settled. Run the same command again to go on: "
        "what is there already is not doubled."
    )


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


async def _seq_of(client: Client, project_id: str) -> int | None:
    """The project's newest entry, None where there is no such project."""
    try:
        async with client.project(project_id) as project:
            return project.seq
    except NotFound:
        return None


async def _create(client: Client, project_id: str, options: ImportOptions, steps: Plan) -> int:
    """Makes the project and returns its newest entry."""
    if options.project is not None:
        raise ImportFailed(f"there is no project {options.project}")
    if options.owner is None:
        raise ImportFailed("the project is new: say whose it becomes with --owner USER")
    await client.create_project(
        (options.name if options.name is not None else steps.repo)[:NAME_CHARACTERS_MAX],
        project_id=project_id,
        key=options.key if options.key is not None else UNSET,
        description=f"Imported from github:{steps.repo}",
        owner_id=await _user_id(client, options.owner),
        op_id=op_id_of(steps.repo, "project"),
    )
    return await _seq_of(client, project_id) or 0


async def _user_id(client: Client, owner: str) -> str:
    if _UUID.fullmatch(owner.lower()) is not None:
        return owner.lower()
    try:
        users: Any = await client.get("/v1/users", {"username": owner})
    except HiveError as error:
        raise ImportFailed(
            f"this server does not look up users by name ({error}); give --owner the user's id"
        ) from error
    found = (
        [user["userId"] for user in users if str(user.get("username")).lower() == owner.lower()]
        if isinstance(users, list)
        else []
    )
    if len(found) != 1:
        raise ImportFailed(f"there is no user {owner!r}")
    return str(found[0])


async def _outcome(client: Client, project_id: str, steps: Plan, sent: Sent, seq_before: int) -> Outcome:
    """What of the archive is in the project now, by looking; refusals of what is there are taken back."""
    async with client.project(project_id) as project:
        state = project.state
        sent.reconcile(lambda step: _is_there(step, state))
        there = Counter[str](step.kind for step in steps.steps if _is_there(step, state))
        key = state.project["key"] if state.project is not None else "?"
        return Outcome(project_id, key, seq_before, project.seq, there)


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
