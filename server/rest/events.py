"""A stream's entries over REST: in pages, and live as Server-Sent Events. The cursors are the live protocol's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import Field
from typing_extensions import TypedDict

from actors.runtime.log_reads import LogReads, LogStretch, StretchMax
from protocol.base import INTEGER_MAX, Message
from protocol.cursors import Cursor
from protocol.wire import CursorText, WireEntry
from server.entry_json import entry_json
from server.rest.accept import asks_for
from server.rest.access import Access, entity_tag, is_unchanged, read_query, refused, state_headers
from server.rest.event_streams import EventStreams
from server.rest.operations import EVENT_STREAM, JSON, operation
from server.rest.pages import PageSizes, link_next
from server.rest.stream_paths import StreamPath, about, known_paths
from server.streams import granted

LAST_EVENT_ID: Final = "Last-Event-ID"


class EventsQuery(Message):
    """`after`: a cursor, or the seq of an entry; without it the log is read from its beginning."""

    after: Annotated[str, Field(max_length=40)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


class EventPage(TypedDict):
    """Entries without a gap. `cursor` is where they end: the place to go on from. `head` is where the stream stands."""

    stream: str
    entries: list[WireEntry]
    cursor: CursorText
    head: CursorText


@dataclass(frozen=True, slots=True)
class EventRoutes:
    """`…/events` of every kind of stream."""

    access: Access
    reads: LogReads
    event_streams: EventStreams
    sizes: PageSizes
    page_bytes_max: int

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{path.path}/events", about(path, self.events)) for path in known_paths()]

    @operation(
        "Entries of the stream after a cursor, in pages or live",
        query=EventsQuery,
        answer=EventPage,
        etag=True,
        links=True,
        media=(JSON, EVENT_STREAM),
        headers={LAST_EVENT_ID: "for Server-Sent Events: the cursor to go on after; it goes before `after`"},
    )
    async def events(self, path: StreamPath, request: web.Request) -> web.StreamResponse:
        """With `Accept: text/event-stream` the entries come live: one message `entry` each, whose `id` is the cursor.

        The first message is `joined`: `{"mode": "resume" | "reset", "cursor", "halted", "reason"?}`. `reset` says why
        the given cursor does not belong to this stream's history; then everything follows from the beginning. The last
        one is `closed`, with the reason: `removed`, `expired`, `ended` or `shutdown`; who does not read is cut off
        without one.

        In pages a cursor that does not belong to the history is a `conflict`, with `details.reason` (`epoch`: an entry
        that was lost, `ahead`: beyond the log) and the stream's cursor. A page ends at `limit` entries, or earlier
        where they are large; `Link` leads to the next one, until `cursor` is `head`.
        """
        known = self.access.authenticated(request)
        stream = path.stream_of(request)
        query = read_query(request, EventsQuery)
        if asks_for(EVENT_STREAM, JSON, ",".join(request.headers.getall(hdrs.ACCEPT, []))):
            given = request.headers.get(LAST_EVENT_ID) or query.after
            place = place_of(given, LAST_EVENT_ID if request.headers.get(LAST_EVENT_ID) else "after")
            over = partial(self.access.why_over, known)
            return await self.event_streams.serve(request, known.principal, stream, place, over)
        size = StretchMax(self.sizes.of_limit(query.limit), self.page_bytes_max)
        found = granted(await self.reads.after(known.principal, stream, place_of(query.after, "after"), size))
        return _page(request, stream, found, query)


def place_of(text: str | None, field: str) -> Cursor | int:
    """A cursor, or a seq: the same place without its epoch, which is not judged then. Raises Rejected."""
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= INTEGER_MAX:
        return int(text)
    try:
        return Cursor.parse(text)
    except ValueError as error:
        raise refused(f"{field}: a cursor such as 12.7, or a seq", field) from error


def _page(request: web.Request, stream: str, found: LogStretch, query: EventsQuery) -> web.Response:
    headers = {"ETag": entity_tag(found.head), "Cache-Control": "private, no-cache", **state_headers(found.halted)}
    if found.has_more:
        headers |= link_next(request.path, after=found.cursor, limit=query.limit)
    if is_unchanged(request, found.head):
        return web.Response(status=304, headers=headers)
    body = b'{"stream":"%b","cursor":"%b","head":"%b","entries":[%b]}' % (
        stream.encode(),
        str(found.cursor).encode(),
        str(found.head).encode(),
        b",".join(map(entry_json, found.entries)),
    )
    return web.Response(body=body, content_type=JSON, headers=headers)
