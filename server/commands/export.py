"""`pantherahive export`: everything of a project, or of a user, as NDJSON. Whole, or not at all under its name."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from pantherahive_client import NotFound
from server.commands.calls import Calls, Door, calling, no_project, project_id_of, user_id_of
from server.exits import Exit, Refusal
from server.progress import Progress
from server.visiting import run_until_signalled

INTERRUPTED: Final = b"Interrupted.\n"


def export(door: Door, project: str | None, user: str | None, out: Path | None, as_of: str | None) -> int:
    """The exit code. From the main thread. Raises Refusal."""
    if (project is None) == (user is None):
        raise Refusal("Say what to export: PROJECT (a key such as APOLLO, or an id), or --user USER.", Exit.WRONG_USE)
    if user is not None and as_of is not None:
        raise Refusal("--as-of is for projects: a user's data are exported as they are.", Exit.WRONG_USE)
    if out is not None and out.exists() and not out.is_file():
        # A file takes the place of what has its name, and that would end a device for everybody.
        raise Refusal(f"{out} cannot be written: there is something of that name that is no file.")
    if out is None and sys.stdout is None:
        raise Refusal("The output is closed; say where to write it with --out FILE.")
    return run_until_signalled(_export(door, project, user, out, as_of), INTERRUPTED)


async def _export(door: Door, project: str | None, user: str | None, out: Path | None, as_of: str | None) -> int:
    reading = Reading(sys.stderr if out is not None or not sys.stdout.isatty() else None)
    try:
        async with calling(door) as calls:
            path, last = await _what(calls, project, user)
            with _written(out) as write:
                await _copy(calls, path, {"asOf": as_of} if as_of is not None else {}, reading, write)
                if reading.ended != last:
                    raise Refusal("The export was cut off before its end; run it again.")
    except NotFound as error:
        raise _missing(project, as_of, error) from error
    except asyncio.CancelledError:
        reading.leave()
        print(f"Interrupted{f': {out} was not written' if out is not None else ''}.", file=sys.stderr)
        raise
    print(f"Exported {reading.summary()}{f' to {out}' if out is not None else ''}.", file=sys.stderr)
    return Exit.OK


async def _copy(
    calls: Calls, path: str, query: Mapping[str, str], reading: Reading, write: Callable[[bytes], object]
) -> None:
    try:
        async with calls.stream(path, query) as pieces:
            await reading.copy(pieces, write)
    except Refusal:
        reading.leave()
        raise


async def _what(calls: Calls, project: str | None, user: str | None) -> tuple[str, str]:
    """The address, and the stream whose end is the end of all."""
    if project is not None:
        project_id = await project_id_of(calls, project)
        return f"/v1/projects/{project_id}/export", f"project/{project_id}"
    user_id = await user_id_of(calls, user or "")
    return f"/v1/users/{user_id}/export", f"profile/{user_id}"


def _missing(project: str | None, as_of: str | None, error: NotFound) -> Refusal:
    if project is None:
        return Refusal("There is no such user.")
    return (
        no_project(project) if as_of is None else Refusal(f"{error.message[0].upper()}{error.message[1:]}: {project}.")
    )


@contextmanager
def _written(out: Path | None) -> Iterator[Callable[[bytes], object]]:
    """Where it goes. A file appears under its name when everything is in it and on the disk, readable for its owner."""
    if out is None:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with _opened(part) as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        raise Refusal(f"{out} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


@dataclass(slots=True)
class Reading:
    """What has come of an export so far."""

    # Where to show how far it is; None: nowhere.
    shown_on: TextIO | None
    objects: int = 0
    entries: int = 0
    # Streams that were begun, with the cursor as of which they are.
    begun: list[tuple[str, str]] = field(default_factory=list)
    # The stream that was ended last.
    ended: str | None = None
    # Of the stream under way, and how many entries there were before it.
    progress: Progress | None = None
    before: int = 0

    async def copy(self, pieces: AsyncIterator[bytes], write: Callable[[bytes], object]) -> None:
        """Writes everything, line by line: a line that is cut off is not written."""
        rest = bytearray()
        async for piece in pieces:
            rest += piece
            end = rest.rfind(b"\n") + 1
            if not end:
                continue
            lines = bytes(rest[:end])
            del rest[:end]
            for line in lines.splitlines():
                self._note(line)
            write(lines)

    def _note(self, line: bytes) -> None:
        """Lines are told apart by their first name; records and entries need not be understood."""
        if line.startswith(b'{"entry"'):
            self.entries += 1
            if self.progress is not None:
                self.progress(self.entries - self.before)
        elif line.startswith(b'{"object"'):
            self.objects += 1
        elif line.startswith(b'{"export"'):
            head = json.loads(line)
            self.begun.append((head["export"], head["cursor"]))
            self.before = self.entries
            if self.shown_on is not None:
                self.progress = Progress(int(head["cursor"].partition(".")[0]), self.shown_on)
        elif line.startswith(b'{"end"'):
            self.ended = json.loads(line)["end"]

    def leave(self) -> None:
        """Leaves the line that shows how far it is, in the middle of something."""
        if self.progress is not None:
            self.progress.interrupted()

    def summary(self) -> str:
        """What is in it, for a person."""
        streams = ", ".join(f"{stream} as of {cursor}" for stream, cursor in self.begun)
        return f"{streams}: {self.objects} records, {self.entries} entries"
