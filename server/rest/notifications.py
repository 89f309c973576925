"""A person's notifications over REST: grouped, with the exact number of unread ones; read; explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from actors.user.notifications import count_unread, list_groups
from protocol.base import Message, Uuid
from protocol.notifications import Explanation, Inbox, MarkRead, Number, ReadMarker, Source
from server.explanations import Explanations, Question
from server.rest.access import Access, entity_tag, is_unchanged, only_at, path_id, read_query, state_headers
from server.rest.bodies import json_response, read_body
from server.rest.derived import DerivedReads
from server.rest.min_seq import Asked, DerivedPageQuery
from server.rest.operations import operation
from server.rest.pages import PageSizes, link_next
from server.streams import Streams, Wish, granted

_STREAM = r"^project/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class NotificationsQuery(DerivedPageQuery):
    """A page of groups, newest first; `after` is the number of the last group's newest notification."""

    after: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,15}$")] | None = None


class ExplainQuery(Message):
    """The entry that is asked about; `taskId` asks about what it did to that task alone."""

    stream: Annotated[str, StringConstraints(pattern=_STREAM)]
    seq: Annotated[int, Field(ge=1, le=2**53 - 1)]
    task_id: Uuid | None = None


class ReadUpTo(Message):
    """The number up to which all is read; without it all that there is."""

    up_to: Number | None = None


@dataclass(frozen=True, slots=True)
class NotificationRoutes:
    """`/v1/users/{userId}/notifications`."""

    access: Access
    streams: Streams
    explanations: Explanations
    told: DerivedReads
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        base = "/v1/users/{userId}/notifications"
        return [
            web.get(base, self.page),
            web.post(f"{base}/read", self.mark_read),
            web.get(f"{base}/explain", self.explain),
        ]

    @operation(
        "Notifications of a person, in groups",
        query=NotificationsQuery,
        answer=Inbox,
        etag=True,
        links=True,
        derived=True,
    )
    async def page(self, request: web.Request) -> web.Response:
        """Groups, how many notifications are unread, and where the read marker stands.

        `Derived-As-Of` is until when everything that happened in projects was told.
        """
        principal = self.access.principal(request)
        query = read_query(request, NotificationsQuery)
        size = self.sizes.of(query)
        before = int(query.after) if query.after is not None else None
        stream = f"user/{path_id(request, 'userId')}"
        granted(await self.streams.read(stream, count_unread, principal))
        derivation = await self.told.reach(Asked(principal, query.min_seq))
        reading = granted(await self.streams.read(stream, list_groups, principal, before, size + 1))
        groups, unread, read_up_to = reading.value
        page, more = self.sizes.cut(groups, size)
        headers = {
            **_PRIVATE,
            **state_headers(reading.halted),
            **derivation.headers,
            "ETag": entity_tag(reading.cursor),
        }
        if more:
            after = page[-1]["newest"]["number"]
            headers |= link_next(request.path, after=after, limit=query.limit, minSeq=query.min_seq)
        if is_unchanged(request, reading.cursor):
            return web.Response(status=304, headers=headers)
        body = {"items": [*page], "unread": unread, "readUpTo": read_up_to, "cursor": str(reading.cursor)}
        return json_response(body, headers=headers)

    @operation("Moves the read marker", body=ReadUpTo, answer=ReadMarker, conditional=True)
    async def mark_read(self, request: web.Request) -> web.Response:
        """Moves the marker forward, on all devices at once."""
        principal = self.access.principal(request)
        stream = f"user/{path_id(request, 'userId')}"
        op_id = self.access.op_id(request, principal)
        wanted = await read_body(request, ReadUpTo)
        command = MarkRead(up_to=wanted.up_to) if wanted.up_to is not None else MarkRead()
        granted(await self.streams.command(Wish(stream, command, principal, op_id, only_at=only_at(request))))
        reading = granted(await self.streams.read(stream, count_unread, principal))
        unread, read_up_to = reading.value
        return json_response({"unread": unread, "readUpTo": read_up_to}, headers=_PRIVATE)

    @operation(
        "Why somebody was, or was not, told; `taskId`: of one task of the entry", query=ExplainQuery, answer=Explanation
    )
    async def explain(self, request: web.Request) -> web.Response:
        """Why the person was, or was not, told of an entry. Asked by the person; the operator may ask for anybody.

        Of an entry about several tasks it answers for all of them at once, or with `taskId` for one. Whoever may not
        read the project any more is answered from their own stream: what they were told, or what was withheld.
        """
        principal = self.access.principal(request)
        user_id = path_id(request, "userId")
        granted(await self.streams.read(f"user/{user_id}", count_unread, principal))
        query = read_query(request, ExplainQuery)
        source: Source = {"stream": query.stream, "seq": query.seq}
        explanation = await self.explanations.explain(Question(source, user_id, query.task_id), principal)
        return json_response(explanation, headers=_PRIVATE)


_PRIVATE = {"Cache-Control": "private, no-store"}
