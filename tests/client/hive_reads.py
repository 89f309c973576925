"""What the small server answers over REST about a project's past: pages of its log, and the state at a point."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from aiohttp import web

from actors.project.decider import ProjectActor
from actors.project.projects import view_project
from actors.project.state import ProjectState
from actors.runtime.actor import EntryMeta, may_follow, shown
from protocol.errors import Rejection
from protocol.event import Principal
from protocol.messages import decode_event
from server.rest.diff import records_in
from server.rest.project_views import look_unless_deleted

EPOCH = 7
"""Of every entry there."""


class Log(Protocol):
    """A project's log."""

    entries: list[dict[str, Any]]
    state: ProjectState

    @property
    def cursor(self) -> str: ...


class Logs(Protocol):
    """The server, as far as its past goes."""

    @property
    def streams(self) -> Any: ...

    def principal_of(self, request: web.Request) -> Principal: ...

    pages: list[str]
    page_size: int
    away: bool


class HiveReads:
    """`…/events`, `…/export` and the project itself."""

    def __init__(self, hive: Logs) -> None:
        self._hive = hive

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/v1/projects/{projectId}", self._project),
            web.get("/v1/projects/{projectId}/events", self._page_of_events),
            web.get("/v1/projects/{projectId}/export", self._export),
        ]

    def _log(self, request: web.Request) -> Log | None:
        found: Log | None = self._hive.streams.get(f"project/{request.match_info['projectId']}")
        return found

    async def _project(self, request: web.Request) -> web.Response:
        log, deleted = self._log(request), request.query.get("deleted") == "true"
        if log is None:
            return _refused(404, "not_found")
        view = look_unless_deleted(log.state, self._hive.principal_of(request), deleted, view_project, ())
        return _refused(404, "not_found") if isinstance(view, Rejection) else web.json_response(view)

    async def _page_of_events(self, request: web.Request) -> web.Response:
        """`page_size` entries or `limit` after the cursor, which has to be of this epoch and not beyond the log."""
        given = request.query.get("after", "0.0")
        self._hive.pages.append(given)
        log = self._log(request)
        if self._hive.away or log is None:
            return _refused(503, "unavailable") if self._hive.away else _refused(404, "not_found")
        if not may_follow(ProjectActor().audience(log.state), self._hive.principal_of(request)):
            return _refused(404, "not_found")
        after, epoch = (int(part) for part in given.split("."))
        reason = "ahead" if after > len(log.entries) else "epoch" if after and epoch != EPOCH else None
        if reason is not None:
            return _refused(409, "conflict", reason=reason)
        entries = log.entries[
            after : after + min(self._hive.page_size, int(request.query.get("limit", self._hive.page_size)))
        ]
        cursor = f"{entries[-1]['seq']}.{EPOCH}" if entries else given
        link = {"Link": f'<{request.path}?after={cursor}>; rel="next"'} if cursor != log.cursor else {}
        return web.json_response({"entries": entries, "cursor": cursor, "head": log.cursor}, headers=link)

    async def _export(self, request: web.Request) -> web.Response:
        """The records as of a seq or a time, without entries."""
        assert request.query["entries"] == "false"
        log, as_of = self._log(request), request.query.get("asOf")
        if log is None:
            return _refused(404, "not_found")
        entries = [entry for entry in log.entries if as_of is None or _is_before(entry, as_of)]
        if not entries or (as_of is not None and as_of.isdigit() and len(entries) < int(as_of)):
            return _refused(404, "not_found")
        stream = f"project/{request.match_info['projectId']}"
        records = [
            {"object": collection, "data": record}
            for part in shown(ProjectActor().parts(state_after(stream, entries)))
            for (collection, _), record in records_in(part)
        ]
        cursor = f"{entries[-1]['seq']}.{EPOCH}"
        lines = [{"export": stream, "cursor": cursor}, *records, {"end": stream, "cursor": cursor}]
        return web.Response(text="".join(f"{json.dumps(line)}\n" for line in lines))


def _is_before(entry: dict[str, Any], as_of: str) -> bool:
    return bool(entry["seq"] <= int(as_of) if as_of.isdigit() else entry["at"] <= as_of)


def state_after(stream: str, entries: Sequence[dict[str, Any]]) -> ProjectState:
    """The state that these entries lead to."""
    actor = ProjectActor()
    state = actor.initial(stream)
    for entry in entries:
        meta = EntryMeta(entry["seq"], entry["opId"], entry["author"], entry["at"], entry["recordedAt"])
        for event in entry["events"]:
            decoded: Any = decode_event(event)
            actor.evolve(state, decoded, meta)
    return state


def _refused(status: int, code: str, **details: str) -> web.Response:
    return web.json_response({"code": code, "detail": code, "details": details}, status=status)
