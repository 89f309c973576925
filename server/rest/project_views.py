"""How routes look into one project: live from its actor, or as of a point of the past, always by today's permission."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

from aiohttp import web

from actors.project.permissions import no_project
from actors.project.projects import view_project
from actors.project.state import ProjectState
from actors.runtime.replay import ReplayFailed
from actors.runtime.request import Accepted, Reading
from protocol.cursors import Cursor
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import OPERATOR, Principal
from protocol.projects import ProjectView
from server.past_points import HALTED
from server.past_turns import PastTurns, never
from server.rest.access import AsOf, entity_tag, has_hung_up, is_unchanged, path_id, state_headers
from server.rest.bodies import json_response
from server.streams import History, Streams, Wish, granted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Glance:
    """Who looks at which project, and when: now, or as of a point of the past."""

    project_id: str
    principal: Principal
    as_of: AsOf | None = None
    deleted: bool = False
    is_gone: Callable[[], bool] = never

    @classmethod
    def of(
        cls, request: web.Request, principal: Principal, as_of: AsOf | None = None, *, deleted: bool = False
    ) -> Self:
        """At the project of the address."""
        gone = partial(has_hung_up, request)
        return cls(path_id(request, "projectId"), principal, as_of, deleted, gone)

    @property
    def stream(self) -> str:
        return f"project/{self.project_id}"


class ProjectViews:
    """The reading side of one project. Rejections are raised as Rejected."""

    def __init__(self, streams: Streams, past: PastTurns) -> None:
        self._streams = streams
        self._past = past

    async def read(self, glance: Glance, look: Callable[..., T | Rejection], *arguments: Any) -> Reading[T]:
        """`look(state, principal, *arguments)` now, or then."""
        if glance.as_of is None:
            return granted(
                await self._streams.read(
                    glance.stream, look_unless_deleted, glance.principal, glance.deleted, look, arguments
                )
            )
        await self.check(glance)
        async with self.turn(glance) as history:
            reading = await self.read_past(history, glance.stream, glance.as_of, look, *arguments)
        # Once more: a replay can take long, and who was removed meanwhile gets nothing.
        await self.check(glance)
        return reading

    def turn(self, glance: Glance) -> AbstractAsyncContextManager[History]:
        """A turn at the past, for `read_past`. See `PastTurns.turn`."""
        return self._past.turn(glance.principal.id, glance.is_gone)

    async def check(self, glance: Glance) -> None:
        """Whether the project may be seen now."""
        granted(
            await self._streams.read(
                glance.stream, look_unless_deleted, glance.principal, glance.deleted, view_project, ()
            )
        )

    async def left_by(self, request: web.Request, wish: Wish, accepted: Accepted) -> Reading[Any]:
        """What a command left at its cursor, also for a retry that comes when others have changed it since.

        The turn of the command saw it. Only a retry has to read the past, unless nothing has come since: who was
        removed meanwhile gets nothing then, neither before nor after that. Raises Rejected.
        """
        if wish.look is None:
            raise ValueError("the command has no look")
        if accepted.shown is not None:
            return Reading(granted(accepted.shown), accepted.cursor)
        stream, principal, cursor = wish.stream, wish.principal, accepted.cursor
        look, arguments = wish.look.function, wish.look.arguments_after(accepted.result)
        now = await self._streams.read(stream, look, principal, *arguments)
        if isinstance(now, Reading) and now.cursor == cursor:
            return now
        # What the command made may be gone by now; its retry is answered all the same.
        granted(await self._streams.read(stream, view_project, principal))
        async with self._past.turn(principal.id, partial(has_hung_up, request)) as history:
            then = await self.read_past(history, stream, AsOf(cursor.seq, None), look, *arguments)
        granted(await self._streams.read(stream, view_project, principal))
        return then

    async def read_past(
        self, history: History, stream: str, as_of: AsOf, look: Callable[..., T | Rejection], *arguments: Any
    ) -> Reading[T]:
        """The same at a point of the past, in a turn. The caller's permission is checked on the live state."""
        try:
            found = await history.state_at(stream, seq=as_of.seq, at=as_of.at)
        except ReplayFailed as failed:
            raise Rejected(HALTED) from failed
        if found is None:
            raise Rejected(_none_at(as_of))
        state, cursor = found
        return Reading(granted(look(state, OPERATOR, *arguments)), cursor)


def _none_at(as_of: AsOf) -> Rejection:
    """Every project begins with entry 1, so a seq that is not there is one that is still to come."""
    if as_of.seq:
        return Rejection(ErrorCode.NOT_FOUND, f"the project has not come to entry {as_of.seq} yet")
    return Rejection(ErrorCode.NOT_FOUND, "there was no such project yet")


def look_unless_deleted(
    state: ProjectState,
    principal: Principal,
    deleted: bool,
    look: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> Any:
    """A deleted project is gone for everybody, unless its owner asks for deleted ones by name."""
    seen: ProjectView | Rejection = view_project(state, principal)
    if isinstance(seen, Rejection):
        return seen
    if seen["deletedAt"] is not None and not deleted:
        return no_project()
    return look(state, principal, *arguments)


def answer(
    request: web.Request, reading: Reading[Any], glance: Glance, headers: dict[str, str] | None = None
) -> web.Response:
    """200 with an ETag, or 304. A past state names its own address by seq, where it stays for ever.

    What was read from a halted project ends at its last good entry, and says so.
    """
    common = {
        "ETag": entity_tag(reading.cursor, reading.value),
        "Cache-Control": "private, no-cache",
        **state_headers(reading.halted),
        **(headers or {}),
    }
    if glance.as_of is not None:
        common |= past_location(request, reading.cursor)
    if is_unchanged(request, reading.cursor, reading.value):
        return web.Response(status=304, headers=common)
    return json_response(reading.value, headers=common)


def past_location(request: web.Request, cursor: Cursor) -> dict[str, str]:
    """The header with the address of a past state by its seq."""
    query = {**request.query, "asOf": str(cursor.seq)}
    return {"Content-Location": str(request.rel_url.with_query(query))}
