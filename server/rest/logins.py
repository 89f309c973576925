"""Renewing and ending log-ins over REST, and changing the password."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from protocol.accounts import LogoutRequest, PasswordChangeRequest, RefreshRequest, UserAuthResponse
from protocol.errors import ErrorCode, Rejected, Rejection
from server.auth.logins import LoginService
from server.idempotency import IDEMPOTENCY_KEY
from server.rest.access import Access, idempotency_key, path_id
from server.rest.attempts import Attempts
from server.rest.bodies import json_response, read_body, read_public_body
from server.rest.operations import operation
from server.streams import granted

_NOT_YOURS = Rejection(ErrorCode.FORBIDDEN, "only the person may change their password")


@dataclass(frozen=True, slots=True)
class LoginRoutes:
    """`/v1/users/refresh`, `/v1/users/logout` and `/v1/users/{userId}/password`."""

    access: Access
    logins: LoginService
    attempts: Attempts

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/users/refresh", self.refresh),
            web.post("/v1/users/logout", self.logout),
            web.put("/v1/users/{userId}/password", self.change_password),
        ]

    @operation(
        "Renews an access token",
        body=RefreshRequest,
        answer=UserAuthResponse,
        public=True,
        headers={IDEMPOTENCY_KEY: "the same in every retry: it gets the same refresh token"},
    )
    async def refresh(self, request: web.Request) -> web.Response:
        """Needs no access token, which may have ended: the refresh token says who it is."""
        wanted = await read_public_body(request, RefreshRequest)
        with self.attempts.of(request):
            signed_in = granted(await self.logins.refresh(wanted.refresh_token, idempotency_key(request)))
        return json_response(signed_in.as_json(), 200, {"Cache-Control": "no-store"})

    @operation("Ends the log-in, or all of them", body=LogoutRequest, needs_body=False, status=204, keyed=False)
    async def logout(self, request: web.Request) -> web.Response:
        """The body may be left out."""
        known = self.access.authenticated(request)
        wanted = await read_body(request, LogoutRequest) if request.can_read_body else LogoutRequest()
        return _done(await self.logins.logout(known, wanted.everywhere))

    @operation("Changes the password", body=PasswordChangeRequest, status=204, keyed=False)
    async def change_password(self, request: web.Request) -> web.Response:
        known = self.access.authenticated(request)
        if path_id(request, "userId") != known.principal.id:
            raise Rejected(_NOT_YOURS)
        wanted = await read_body(request, PasswordChangeRequest)
        with self.attempts.of(request, f"id:{known.principal.id}"):
            return _done(await self.logins.change_password(known, wanted))


def _done(refused: Rejection | None) -> web.Response:
    if refused is not None:
        raise Rejected(refused)
    return web.Response(status=204)
