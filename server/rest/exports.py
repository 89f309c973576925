"""Everything of a project, or of a user, as one NDJSON answer that is written while it is read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from actors.ports import Clock
from actors.profile.profiles import view_profile
from actors.project.projects import view_project
from actors.project.snapshot import parts
from actors.project.state import ProjectState
from actors.runtime.hub import CloseReason
from actors.runtime.log_reads import LogReads, StretchMax
from actors.runtime.replay import Slices
from protocol.base import Message
from protocol.cursors import START, Cursor
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.faults import StorageFault
from server.auth.tokens import Authenticated
from server.entry_json import entry_json
from server.rest.access import (
    Access,
    AsOfText,
    entity_tag,
    is_unchanged,
    parse_as_of,
    path_id,
    read_query,
    state_headers,
)
from server.rest.derived import DerivedReads
from server.rest.diff import records_in
from server.rest.export_places import ExportLimits, ExportPlaces, PacedWriter
from server.rest.min_seq import Asked, DerivedQuery
from server.rest.ongoing import CHECK_S, attend, bound_buffers, cut, head_of
from server.rest.operations import NDJSON, operation
from server.rest.personal_data import PersonalData
from server.rest.project_views import Glance, ProjectViews, past_location
from server.streams import Streams, granted
from storage.ports import Account, Accounts

log = logging.getLogger("pantherahive.exports")

_NOT_YOURS: Final = Rejection(ErrorCode.FORBIDDEN, "only the person may take their data")
_SLICE_S: Final = 0.005

MaySee = Callable[[], Awaitable[None]]
"""Raises Rejected when the reader may not see any more what the export is of."""


class ExportQuery(Message):
    """`asOf` a seq or a time; without `entries` there are the records alone, and no history."""

    as_of: AsOfText | None = None
    entries: bool = True


@dataclass(frozen=True, slots=True)
class ExportRoutes:
    """`/v1/projects/{id}/export` and `/v1/users/{id}/export`."""

    access: Access
    views: ProjectViews
    streams: Streams
    reads: LogReads
    accounts: Accounts
    personal: PersonalData
    derived: DerivedReads
    clock: Clock
    limits: ExportLimits
    places: ExportPlaces

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/projects/{projectId}/export", self.of_project),
            web.get("/v1/users/{userId}/export", self.of_user),
        ]

    @operation("Everything of a project as NDJSON", query=ExportQuery, media=(NDJSON,), answer=str, etag=True)
    async def of_project(self, request: web.Request) -> web.StreamResponse:
        """Lines of JSON: `export` with the cursor as of which it is, one `object` per record, one `entry` per entry of
        the log up to there, and `end` with the counts. Without `end` it is not whole, for example because the reader
        was removed from the project meanwhile, or their token or log-in has ended: the connection is cut off then.
        """
        known = self.access.authenticated(request)
        principal = known.principal
        query = read_query(request, ExportQuery)
        glance = Glance.of(request, principal, parse_as_of(query.as_of), deleted=True)
        reading = await self.views.read(glance, _parts)
        headers = {
            "ETag": f"W/{entity_tag(reading.cursor)}",  # weak: it says in its first line when it was written
            "Cache-Control": "private, no-cache",
            **state_headers(reading.halted),
        }
        if glance.as_of is not None:
            headers |= past_location(request, reading.cursor)
        if is_unchanged(request, reading.cursor):
            return web.Response(status=304, headers=headers)
        until = reading.cursor if query.entries else START
        lines = self._stream_lines(principal, glance.stream, reading.cursor, reading.value, until)
        return await self._send(request, known, headers, lines, partial(self.views.check, glance))

    @operation("Everything of a user as NDJSON", query=DerivedQuery, media=(NDJSON,), answer=str, derived=True)
    async def of_user(self, request: web.Request) -> web.StreamResponse:
        """The person's account, projects, tasks (created by them or given to them), comments and bots, and their
        private stream and profile with their history.

        Only for the person. Lines as in the export of a project. Projects are those that they are a member of, and the
        deleted ones that they, as an owner, can still restore. Comments are in it wherever they were written, also in
        projects that the person has left, as long as these are not purged; bots have their tokens without the secrets.
        Of a task in a project that they may not look at now it says which it was, with its words while nobody changed
        it. It is cut off, without the last `end`, when the token or the log-in ends meanwhile.
        """
        known = self.access.authenticated(request)
        principal = known.principal
        user_id = path_id(request, "userId")
        if not (principal.is_operator or principal.id == user_id):
            raise Rejected(_NOT_YOURS)
        account = await self.accounts.by_user_id(user_id)
        if account is None:
            raise Rejected(Rejection(ErrorCode.NOT_FOUND, "no such user"))
        asked = Asked(principal, read_query(request, DerivedQuery).min_seq)
        derivation = await self.derived.reach(asked)
        profile = granted(await self.streams.read(f"profile/{user_id}", view_profile, principal))
        lines = self._user_lines(principal, account, profile.value, profile.cursor)
        headers = {"Cache-Control": "no-store", **derivation.headers}
        return await self._send(request, known, headers, lines, partial(self._still_theirs, principal, user_id))

    async def _still_theirs(self, principal: Principal, user_id: str) -> None:
        granted(await self.streams.read(f"profile/{user_id}", view_profile, principal))

    async def _user_lines(
        self, principal: Principal, account: Account, profile: Any, cursor: Cursor
    ) -> AsyncIterator[bytes]:
        async for kind, record in self.personal.records(account, principal):
            yield _line({"object": kind, "data": record})
        own = f"user/{account.user_id}"
        if isinstance(head := await self.reads.head(principal, own), Cursor):
            async for line in self._stream_lines(principal, own, head, iter(()), head):
                yield line
        objects: Iterator[dict[str, Any]] = iter([{"profile": profile}])
        async for line in self._stream_lines(principal, f"profile/{account.user_id}", cursor, objects, cursor):
            yield line

    async def _stream_lines(
        self, principal: Principal, stream: str, cursor: Cursor, objects: Iterator[dict[str, Any]], until: Cursor
    ) -> AsyncIterator[bytes]:
        """The records of the state at `cursor`, and the entries up to `until`. Raises Rejected when the reader may not
        go on."""
        slices = Slices(self.clock, _SLICE_S)
        yield _line({"export": stream, "cursor": str(cursor), "at": self.clock.now()})
        counts = {"objects": 0, "entries": 0}
        for part in objects:
            for (collection, _), record in records_in(part):
                counts["objects"] += 1
                yield _line({"object": collection, "data": record})
                await slices.pause_if_due()
        place = START
        while place.seq < until.seq:
            stretch = StretchMax(min(self.limits.stretch_entries, until.seq - place.seq), self.limits.stretch_bytes)
            found = granted(await self.reads.after(principal, stream, place, stretch))
            if found.halted or not found.entries:
                raise Rejected(Rejection(ErrorCode.STREAM_HALTED, "the log cannot be read to its end"))
            for publication in found.entries:
                counts["entries"] += 1
                yield b'{"entry":%b}\n' % entry_json(publication)
            place = found.cursor
            await slices.pause_if_due()
        yield _line({"end": stream, "cursor": str(cursor), **counts})

    async def _send(
        self,
        request: web.Request,
        known: Authenticated,
        headers: dict[str, str],
        lines: AsyncIterator[bytes],
        may_see: MaySee,
    ) -> web.StreamResponse:
        """Writes as fast as it is read. What was begun and cannot be ended is cut off, which clients notice."""
        response = web.StreamResponse(headers={"Content-Type": NDJSON, **headers})
        if request.method == hdrs.METH_HEAD:
            return await head_of(request, response)
        with self.places.place(known.principal):
            response.force_close()
            await response.prepare(request)
            bound_buffers(request, self.limits.chunk_bytes)
            ended: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()
            writing = asyncio.create_task(self._write_all(response, lines, may_see), name="export")
            watching = asyncio.create_task(_watch(may_see), name="reader of an export")
            await attend(request, ended, partial(self.access.why_over, known), writing, watching)
            if not _is_whole(writing):
                _note(ended, writing, watching)
                cut(request)
            return response

    async def _write_all(self, response: web.StreamResponse, lines: AsyncIterator[bytes], may_see: MaySee) -> None:
        """Raises what ends it early: Rejected, TimeoutError, StorageFault, ConnectionError."""
        writer = PacedWriter(response, self.clock, self.limits)
        chunk = bytearray()
        async for line in lines:
            if len(chunk) >= self.limits.chunk_bytes:
                await writer.write(bytes(chunk))
                chunk.clear()
            chunk += line
        await may_see()  # nobody gets the `end` who was removed before it
        await writer.write(bytes(chunk))
        await response.write_eof()


async def _watch(may_see: MaySee) -> None:
    """Ends by an exception only: what the records are of may be kept from their reader while they wait to be sent."""
    while True:
        await asyncio.sleep(CHECK_S)
        await may_see()


def _is_whole(writing: asyncio.Task[None]) -> bool:
    return not writing.cancelled() and writing.exception() is None


def _note(ended: asyncio.Future[CloseReason], *works: asyncio.Task[None]) -> None:
    """Says why it was cut off."""
    failure = next((one for work in works if not work.cancelled() and (one := work.exception()) is not None), None)
    if isinstance(failure, Rejected):
        log.info("an export was cut off: %s", failure.rejection.code)
    elif failure is None or isinstance(failure, (TimeoutError, StorageFault, ConnectionError)):
        reason = ended.result() if ended.done() else "hung up"
        log.info("an export was cut off: %s", reason if failure is None else type(failure).__name__)
    else:
        log.error("an export failed", exc_info=failure)


def _parts(state: ProjectState, principal: Principal) -> Iterator[dict[str, Any]] | Rejection:
    seen = view_project(state, principal)
    return seen if isinstance(seen, Rejection) else parts(state)


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value) + b"\n"
