"""Registration and login over REST."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from protocol.accounts import UserAuthResponse, UserLoginRequest, UserRegisterRequest
from server.auth.accounts import AccountService
from server.rest.bodies import json_response, read_body
from server.streams import granted


@dataclass(frozen=True, slots=True)
class AccountRoutes:
    """`/v1/users/register` and `/v1/users/login`."""

    service: AccountService

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/users/register", self.register),
            web.post("/v1/users/login", self.login),
        ]

    async def register(self, request: web.Request) -> web.Response:
        signed_in = granted(await self.service.register(await read_body(request, UserRegisterRequest)))
        return _answer(signed_in, 201, {"Location": f"/v1/users/{signed_in.user_id}"})

    async def login(self, request: web.Request) -> web.Response:
        return _answer(granted(await self.service.login(await read_body(request, UserLoginRequest))), 200, {})


def _answer(signed_in: UserAuthResponse, status: int, headers: dict[str, str]) -> web.Response:
    """A token must be in no cache (RFC 6749 §5.1)."""
    return json_response(signed_in.as_json(), status, {"Cache-Control": "no-store", **headers})
