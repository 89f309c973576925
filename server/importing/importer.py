"""Bringing the history of a GitHub repository in: a client of the running server, like any other."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TextIO
from urllib.parse import urlsplit

from pantherahive_client import (
    Client,
    Forbidden,
    HiveError,
    OpIdReused,
    Settings,
    TokenExpired,
    Unauthenticated,
    Unreachable,
)
from server.clock import SystemClock
from server.ids import SystemIds
from server.importing.checking import check
from server.importing.failure import ImportFailed
from server.importing.github_archive import ArchiveUnreadable, Plan, Step, plan, read_archive
from server.importing.matching import Matching
from server.importing.options import ImportOptions
from server.importing.rehearsing import Rehearsal
from server.importing.report import Outcome, foretold, reading, rehearsal, result, unused_name
from server.importing.sending import GO_ON, Sender, Sent, Stopped
from server.importing.target import Search, Target, key_of, name_of, owners_of, subject_of
from server.progress import Progress
from server.visiting import TokenUnreadable, read_token

DRY_RUN_PATIENCE_S = 3.0
"""A dry run does not wait for a server that is away: it says what it could not check."""

LISTENS_WITHIN_S = 2.0
"""After this it is said that the server is waited for."""

DONE, NOT_DONE = 0, 1
"""Exit codes: everything is in; some steps were refused, or it could not be begun or finished."""


async def run_import(options: ImportOptions, out: TextIO, progress: TextIO | None = None) -> int:
    """Runs it. The report goes to `out`, progress and trouble to `progress` (stderr). Returns an exit code."""
    trouble = progress if progress is not None else sys.stderr
    steps = read(options, out, trouble)
    return await send(options, steps, out, trouble) if steps is not None else NOT_DONE


def read(options: ImportOptions, out: TextIO, trouble: TextIO) -> Plan | None:
    """What is to be sent, reported; None when the options or the file are refused, which has been said."""
    try:
        check(options)
        steps = plan(read_archive(options.file))
    except (ImportFailed, ArchiveUnreadable) as error:
        _print(trouble, [f"Not imported: {error}"])
        return None
    _print(out, reading(steps))
    return steps


async def send(options: ImportOptions, steps: Plan, out: TextIO, trouble: TextIO) -> int:
    """Sends it, or with `dry_run` only looks whether that would go well. Returns an exit code."""
    try:
        if options.dry_run:
            return await _rehearse(options, steps, out, trouble)
        return await _send(options, steps, out, trouble)
    except ImportFailed as error:
        _print(trouble, [f"{_refused(options)}: {error}"])
    except HiveError as error:
        _print(trouble, [f"{_refused(options)}: {_explained(error, options)}"])
    return NOT_DONE


def _refused(options: ImportOptions) -> str:
    return "It would be refused" if options.dry_run else "Not imported"


def _explained(error: HiveError, options: ImportOptions) -> str:
    match error:
        case Unreachable():
            return (
                f"{error}. Is a PantheraHive server running at {options.server}? "
                "Start it with `pantherahive serve`, or say where it listens with --server URL"
            )
        case Forbidden():
            return f"{error}. Importing needs the admin token, or an owner or admin of the project"
        case Unauthenticated() | TokenExpired():
            return (
                f"{error}. The token in {options.token_file} is not good for {options.server}: the admin token lies in "
                "that server's data folder; name it with --token-file PATH"
            )
        case _ if error.details.get("what") == "projectKey":
            return f"{error}. Choose another --key, or leave it out"
    return str(error)


class NoToken(ImportFailed):
    """There is no token to come with."""


async def _rehearse(options: ImportOptions, steps: Plan, out: TextIO, trouble: TextIO) -> int:
    """What is known without writing. A server that cannot be asked is no refusal."""
    brief = replace(options, patience_s=min(options.patience_s, DRY_RUN_PATIENCE_S))
    try:
        token = _token(options)
        async with _client(brief, token) as client:
            target = await Search(client, brief, subject_of(token), steps).find()
    except asyncio.CancelledError:
        _print(trouble, ["Interrupted: nothing was sent."])
        raise
    except (Unreachable, NoToken) as error:
        reason = _explained(error, options) if isinstance(error, HiveError) else str(error)
        _print(out, [f"Dry run: nothing was sent. Owner, project and key were not checked: {reason}."])
        return _foretell(steps, None, None, out)
    _print(out, rehearsal(steps, options, _seen(target, steps) if target is not None else None))
    _say_unused_name(options, target, out)
    return _foretell(steps, target, subject_of(token), out)


def _foretell(steps: Plan, target: Target | None, subject: str | None, out: TextIO) -> int:
    """Judges the steps by what is known of the project, and says which would be refused."""
    judging = Rehearsal(target.state if target is not None else None, subject, SystemClock().now(), SystemIds().new_id)
    there = Matching(steps.steps, target.state) if target is not None else None
    sent = judging.judge(steps.steps, lambda step: there is not None and there.is_there(step))
    _print(out, foretold(steps, sent))
    return NOT_DONE if sent.refused else DONE


def _client(options: ImportOptions, token: str) -> Client:
    patience_s = options.patience_s
    limits = Settings(deadline_s=patience_s, connect_patience_s=patience_s, in_flight_max=options.in_flight)
    return Client(options.server, token=token, settings=limits)


async def _say_if_away(options: ImportOptions, trouble: TextIO) -> None:
    """A server that does not listen is waited for, and nobody should have to guess that."""
    address = urlsplit(options.server)
    port = address.port if address.port is not None else 443 if address.scheme == "https" else 80
    try:
        async with asyncio.timeout(min(options.patience_s, LISTENS_WITHIN_S)):
            _, writer = await asyncio.open_connection(address.hostname, port)
    except (OSError, TimeoutError):
        _print(trouble, [f"Waiting for {options.server}, up to {options.patience_s:g} s."])
    else:
        writer.close()


def _say_unused_name(options: ImportOptions, target: Target | None, out: TextIO) -> None:
    if target is not None and options.name is not None and options.name.strip() != name_of(target.state):
        _print(out, [unused_name(options.name, target.state)])


async def _send(options: ImportOptions, steps: Plan, out: TextIO, trouble: TextIO) -> int:
    token = _token(options)
    show, sent = Progress(len(steps.steps), trouble), Sent()
    try:
        await _say_if_away(options, trouble)
        async with _client(options, token) as client:
            into = await Search(client, options, subject_of(token), steps).find_or_make()
            _say_unused_name(options, into, out)
            sender = Sender(
                client,
                into.project_id,
                head_seq=into.seq_before,
                in_flight_max=options.in_flight,
                patience_s=options.patience_s,
                progress=show,
                sent=sent,
            )
            there = Matching(steps.steps, into.state)
            to_send = there.to_send()
            sent.known = steps.counts - Counter[str](step.kind for step in to_send)
            sent.settled = sent.known.total()
            await sender.run(to_send)
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
        raise NoToken("say where the admin token is: --token-file PATH")
    try:
        return read_token(options.token_file)
    except TokenUnreadable as error:
        raise NoToken(str(error)) from error


def _seen(target: Target, steps: Plan) -> Outcome:
    """The project as it was found, with what of the archive is in it."""
    there = Matching(steps.steps, target.state)
    return _beside(target, steps, there, there.differing(is_over=False))


def _beside(target: Target, steps: Plan, there: Matching, differing: Counter[str]) -> Outcome:
    state, seq = target.state, target.seq_before
    found = Counter[str](step.kind for step in steps.steps if there.is_there(step))
    return Outcome(target.project_id, key_of(state), owners_of(state), seq, seq, found, differing)


async def _outcome(client: Client, into: Target, steps: Plan, sent: Sent) -> Outcome:
    """What of the archive is in the project now, by looking; refusals of what is there are taken back."""
    async with client.project(into.project_id) as project:
        now = Target(into.project_id, project.seq, project.confirmed)
        there = Matching(steps.steps, now.state)
        sent.reconcile(lambda step, error: there.is_there(step) or _was_closed(step, error, now))
        outcome = _beside(now, steps, there, there.differing(is_over=True))
        return replace(outcome, seq_before=into.seq_before)


def _was_closed(step: Step, error: HiveError, now: Target) -> bool:
    """Another import has closed it (so the opId is taken), at another time or before people have opened it again."""
    return step.kind == "closing" and isinstance(error, OpIdReused) and step.data["taskId"] in now.state.tasks


def _print(out: TextIO, lines: Iterable[str]) -> None:
    out.writelines(f"{line}\n" for line in lines)
    out.flush()
