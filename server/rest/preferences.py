"""What a person wants to be told, over REST."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import hdrs, web

from actors.user.preferences import view_preferences
from protocol.event import Command, Principal
from protocol.preferences import MuteProject, PreferencesView, SetPreferences, UnmuteProject
from server.rest.access import Access, entity_tag, is_unchanged, only_at, path_id, state_headers
from server.rest.bodies import json_response, read_body
from server.rest.operations import operation
from server.streams import Streams, Wish, granted


@dataclass(frozen=True, slots=True)
class PreferenceRoutes:
    """`/v1/users/{userId}/preferences`; every answer is the preferences as they are then."""

    access: Access
    streams: Streams

    def routes(self) -> list[web.RouteDef]:
        base = "/v1/users/{userId}/preferences"
        return [
            web.get(base, self.read),
            web.patch(base, self.change),
            web.put(f"{base}/muted/{{projectId}}", self.mute),
            web.delete(f"{base}/muted/{{projectId}}", self.unmute),
        ]

    @operation("Preferences of a person", answer=PreferencesView, etag=True)
    async def read(self, request: web.Request) -> web.Response:
        return await self._answer(request, self.access.principal(request))

    @operation("Changes preferences", body=SetPreferences, answer=PreferencesView, conditional=True, tagged=True)
    async def change(self, request: web.Request) -> web.Response:
        """Sets what is named in the body; the rest stays."""
        principal = self.access.principal(request)
        return await self._command(request, principal, await read_body(request, SetPreferences))

    @operation("Mutes a project", answer=PreferencesView, conditional=True, tagged=True)
    async def mute(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        return await self._command(request, principal, MuteProject(project_id=path_id(request, "projectId")))

    @operation("Unmutes a project", answer=PreferencesView, conditional=True, tagged=True)
    async def unmute(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        return await self._command(request, principal, UnmuteProject(project_id=path_id(request, "projectId")))

    async def _command(self, request: web.Request, principal: Principal, command: Command) -> web.Response:
        stream = f"user/{path_id(request, 'userId')}"
        op_id = self.access.op_id(request, principal)
        wish = Wish(stream, command, principal, op_id, only_at=only_at(request))
        granted(await self.streams.command(wish))
        return await self._answer(request, principal)

    async def _answer(self, request: web.Request, principal: Principal) -> web.Response:
        stream = f"user/{path_id(request, 'userId')}"
        reading = granted(await self.streams.read(stream, view_preferences, principal))
        tag = entity_tag(reading.cursor, reading.value)
        headers = {"ETag": tag, "Cache-Control": "private, no-store", **state_headers(reading.halted)}
        if request.method == hdrs.METH_GET and is_unchanged(request, reading.cursor, reading.value):
            return web.Response(status=304, headers=headers)
        return json_response(reading.value, headers=headers)
