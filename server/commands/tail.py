"""`pantherahive tail PROJECT`: what happens in a project, one line per event, while it happens.

2026-01-31T12:00:05Z  ada             APOLLO-12   moved it from Todo to Done
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from pantherahive_client import (
    Client,
    HiveError,
    Invalid,
    NotFound,
    ProjectEvent,
    ProjectState,
    Settings,
    StreamClosed,
)
from pantherahive_client.cursors import START, seq_of_given
from pantherahive_client.project import Project
from server.commands.calls import Calls, Door, calling, no_project, project_id_of
from server.commands.phrases import people_in, task_of, words
from server.commands.texts import one_line
from server.exits import Exit, Refusal
from server.visiting import run_until_signalled

INTERRUPTED: Final = b"Interrupted.\n"
CONNECT_PATIENCE_S: Final = 10.0
LOOK_EVERY_S: Final = 0.5
NAME_CHARACTERS: Final = 14
KEY_CHARACTERS: Final = 10
NAMES_MAX: Final = 10_000


def tail(door: Door, project: str, since: str | None, *, as_json: bool, follow: bool) -> int:
    """Prints until it is interrupted; without `follow` it ends where the log ends now. From the main thread."""
    return run_until_signalled(_tail(door, project, since, as_json=as_json, follow=follow), INTERRUPTED)


async def _tail(door: Door, named: str, since: str | None, *, as_json: bool, follow: bool) -> int:
    try:
        async with calling(door) as calls:
            project_id = await project_id_of(calls, named)
            after = await _place(calls, project_id, since) if since is not None else None
            moment = _moment(since)
        patience = Settings(connect_patience_s=CONNECT_PATIENCE_S)
        async with (
            Client(door.url, token=door.token(), settings=patience) as client,
            client.project(project_id) as project,
        ):
            watching = asyncio.create_task(_say_when_away(client))
            try:
                await _print_all(client, project, after, moment, as_json=as_json, follow=follow)
            finally:
                watching.cancel()
    except NotFound as error:
        raise no_project(named) from error
    except StreamClosed as error:
        raise Refusal("Nothing more comes: the project was deleted, or the token may no longer see it.") from error
    except HiveError as error:
        raise Refusal(door.explained(error)) from error
    except asyncio.CancelledError:
        print("Interrupted.", file=sys.stderr)
        raise
    return Exit.OK


async def _place(calls: Calls, project_id: str, since: str) -> str:
    """The cursor to begin after: a cursor, a seq, or the last entry at or before a time. Raises Refusal, NotFound."""
    try:
        seq_of_given(since)
        return since
    except Invalid:
        pass  # a seq or a time
    if since == "0":
        return START
    await calls.get(f"/v1/projects/{project_id}")  # NotFound for a project, and not for a time before its beginning
    try:
        return await calls.cursor_at(f"/v1/projects/{project_id}", {"asOf": since})
    except NotFound as error:
        if since.isdigit():
            raise Refusal(f"The project has not come to entry {since} yet.") from error
        return START


def _moment(since: str | None) -> datetime | None:
    """The time that was given, if it was one: behind the content that the server finds may lie older entries."""
    try:
        given = datetime.fromisoformat(since) if since is not None else None
    except ValueError:
        return None  # a cursor or a seq
    return given if given is None or given.tzinfo is not None else given.replace(tzinfo=UTC)


async def _print_all(
    client: Client, project: Project, after: str | None, moment: datetime | None, *, as_json: bool, follow: bool
) -> None:
    head = project.seq
    teller = Teller(client)
    # The events of the entry that is under way.
    entry: list[ProjectEvent] = []
    async with project.events_after(after if after is not None else project.cursor or START) as events:
        if after is not None:
            await events.is_at_head()  # the log judges a given cursor, also where nothing is to come behind it
        while (end := _ends_at(project) if follow else head) is None or seq_of_given(events.cursor) < end:
            entry.append(await anext(events))
            if not entry[-1].last:
                continue
            if moment is not None and datetime.fromisoformat(entry[-1].at) <= moment:
                entry.clear()
                continue
            lines = [_as_json(entry)] if as_json else [await teller.line(event, project.state) for event in entry]
            entry.clear()
            print("\n".join(lines), flush=True)
    if follow:
        raise Refusal("Nothing more comes: the project was purged, and nothing of it is left.")


def _ends_at(project: Project) -> int | None:
    """The last entry that there will ever be: the operator follows a purged project, too, whose state is empty."""
    return project.seq if project.state.project is None else None


class Teller:
    """Makes lines of events. It asks for each person's name once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        # Person → name, the latest NAMES_MAX.
        self._names: dict[str, str] = {}

    async def line(self, event: ProjectEvent, state: ProjectState) -> str:
        """Time, who, which task, what."""
        await self._learn([event.author, *people_in(event.data)])
        task_id = task_of(event, state)
        task = state.tasks.get(task_id) if task_id is not None else None
        key = task["key"] if task is not None else ""
        said = words(event, state, self._name)
        return f"{event.at[:19]}Z  {self._name(event.author):<{NAME_CHARACTERS}}  {key:<{KEY_CHARACTERS}}  {said}"

    def _name(self, person: str) -> str:
        return self._names.get(person, person)

    async def _learn(self, people: Iterable[str]) -> None:
        for person in people:
            if person not in self._names and (name := await self._ask(person)) is not None:
                if len(self._names) >= NAMES_MAX:
                    del self._names[next(iter(self._names))]
                self._names[person] = name

    async def _ask(self, person: str) -> str | None:
        if person in ("system", "unknown"):
            return f"({person})"
        if person.startswith("external:"):
            return one_line(person.rpartition(":")[2], NAME_CHARACTERS * 3)
        try:
            profile: Any = await self._client.get(f"/v1/users/{person}")
        except NotFound:
            return person
        except HiveError:
            return None  # the id stands for the name this time, and is asked for again the next time
        return str(profile["username"])


def _as_json(entry: list[ProjectEvent]) -> str:
    """The entry as it is in the log, on one line."""
    first = entry[0]
    head = {
        "seq": first.seq,
        "cursor": first.cursor,
        "opId": first.op_id,
        "author": first.author,
        "at": first.at,
        "recordedAt": first.recorded_at,
    }
    by = {"recordedBy": first.recorded_by} if first.recorded_by is not None else {}
    events = [{"kind": event.kind, "version": event.version, "data": event.data} for event in entry]
    return json.dumps({**head, **by, "events": events}, ensure_ascii=False)


async def _say_when_away(client: Client) -> None:
    """On stderr, so that nobody takes silence for peace."""
    was_there = True
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if client.is_connected != was_there:
            was_there = client.is_connected
            said = "Connected again." if was_there else "The server is away; what is missed comes when it is back."
            print(said, file=sys.stderr, flush=True)
