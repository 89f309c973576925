"""Everything of a project, or of a user, as one NDJSON answer that is written while it is read."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import web

from actors.ports import Clock
from actors.profile.profiles import view_profile
from actors.project.projects import view_project
from actors.project.snapshot import parts
from actors.project.state import ProjectState
from actors.runtime.log_reads import LogReads, StretchMax
from actors.runtime.replay import Slices
from protocol.base import Message
from protocol.cursors import START, Cursor
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.faults import StorageFault
from server.entry_json import entry_json
from server.rest.access import Access, AsOfText, entity_tag, parse_as_of, path_id, read_query, state_headers
from server.rest.derived import DerivedReads
from server.rest.diff import records_in
from server.rest.export_places import ExportLimits, ExportPlaces, PacedWriter
from server.rest.min_seq import Asked, DerivedQuery
from server.rest.operations import NDJSON, operation
from server.rest.personal_data import PersonalData
from server.rest.project_views import Glance, ProjectViews
from server.streams import Streams, granted
from storage.ports import Account, Accounts

log = logging.getLogger("pantherahive.exports")

_NOT_YOURS: Final = Rejection(ErrorCode.FORBIDDEN, "only the person may take their data")
_SLICE_S: Final = 0.005


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

    @operation("Everything of a project as NDJSON", query=ExportQuery, media=(NDJSON,), answer=str, tagged=True)
    async def of_project(self, request: web.Request) -> web.StreamResponse:
        """Lines of JSON: `export` with the cursor as of which it is, one `object` per record, one `entry` per entry of
        the log up to there, and `end` with the counts. Without `end` it is not whole, for example because the reader
        was removed from the project meanwhile.
        """
        principal = self.access.principal(request)
        query = read_query(request, ExportQuery)
        glance = Glance.of(request, principal, parse_as_of(query.as_of), deleted=True)
        reading = await self.views.read(glance, _parts)
        headers = {"ETag": entity_tag(reading.cursor), **state_headers(reading.halted)}
        until = reading.cursor if query.entries else START
        lines = self._stream_lines(principal, glance.stream, reading.cursor, reading.value, until)
        return await self._send(request, principal, headers, lines)

    @operation("Everything of a user as NDJSON", query=DerivedQuery, media=(NDJSON,), answer=str, derived=True)
    async def of_user(self, request: web.Request) -> web.StreamResponse:
        """The person's account, projects, tasks (created by them or given to them), comments and bots, and their
        private stream and profile with their history.

        Only for the person. Lines as in the export of a project. Projects are those that they are a member of, and the
        deleted ones that they, as an owner, can still restore. Comments are in it wherever they were written, also in
        projects that the person has left, as long as these are not purged; bots have their tokens without the secrets.
        Of a task in a project that they may not look at now it says which it was, with its words while nobody changed
        it.
        """
        principal = self.access.principal(request)
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
        return await self._send(request, principal, derivation.headers, lines)

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
        self, request: web.Request, principal: Principal, headers: dict[str, str], lines: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        """Writes as fast as it is read. What was begun and cannot be ended is cut off, which clients notice."""
        with self.places.place(principal):
            response = web.StreamResponse(headers={"Content-Type": NDJSON, "Cache-Control": "no-store", **headers})
            response.force_close()
            await response.prepare(request)
            _bound_buffer(request, self.limits.chunk_bytes)
            try:
                await self._write_all(PacedWriter(response, self.clock, self.limits), lines)
                await response.write_eof()
            except (Rejected, TimeoutError, StorageFault, ConnectionError) as ended:
                log.info("an export was cut off: %s", type(ended).__name__)
                _cut(request)
            except Exception:
                log.exception("an export failed")
                _cut(request)
            return response

    async def _write_all(self, writer: PacedWriter, lines: AsyncIterator[bytes]) -> None:
        chunk = bytearray()
        async for line in lines:
            chunk += line
            if len(chunk) >= self.limits.chunk_bytes:
                await writer.write(bytes(chunk))
                chunk.clear()
        await writer.write(bytes(chunk))


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _bound_buffer(request: web.Request, size_bytes: int) -> None:
    transport = request.transport
    if transport is None:
        return
    transport.set_write_buffer_limits(high=size_bytes)
    bound: socket.socket | None = transport.get_extra_info("socket")
    if bound is not None:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size_bytes)


def _parts(state: ProjectState, principal: Principal) -> Iterator[dict[str, Any]] | Rejection:
    seen = view_project(state, principal)
    return seen if isinstance(seen, Rejection) else parts(state)


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value) + b"\n"
