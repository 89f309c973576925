"""Registration, login, and finding a user by name over REST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from protocol.accounts import UserAuthResponse, UserLoginRequest, UserQuery, UserReference, UserRegisterRequest
from server.auth.accounts import AccountService, registration_digest, registration_id
from server.idempotency import IDEMPOTENCY_KEY
from server.rest.access import Access, idempotency_key, read_query
from server.rest.attempts import Attempts
from server.rest.bodies import json_response, read_public_body
from server.rest.keyed import KeyedRequests
from server.rest.operations import operation
from server.streams import granted
from storage.ports import Accounts

_NOBODY: Final = ""
"""Who asks for an account that is not there yet."""


@dataclass(frozen=True, slots=True)
class AccountRoutes:
    """`/v1/users/register`, `/v1/users/login` and `/v1/users?username=`."""

    access: Access
    service: AccountService
    accounts: Accounts
    attempts: Attempts
    keyed: KeyedRequests

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/users", self.find),
            web.post("/v1/users/register", self.register),
            web.post("/v1/users/login", self.login),
        ]

    @operation(
        "Registers an account and signs it in",
        body=UserRegisterRequest,
        answer=UserAuthResponse,
        status=201,
        located=True,
        public=True,
        headers={IDEMPOTENCY_KEY: "the same in every retry: one account is made, and each answer signs it in"},
    )
    async def register(self, request: web.Request) -> web.Response:
        """A retry with the same `Idempotency-Key` finds its account made, and begins another log-in.

        Whoever registers is nobody yet, so a key stands for one account on the whole server: take a random one.
        """
        self.attempts.register(request)
        key = idempotency_key(request)
        wanted = await read_public_body(request, UserRegisterRequest)
        if key is None:
            signed_in = granted(await self.service.register(wanted))
        else:
            with (
                self.attempts.of_name(f"name:{wanted.username.lower()}"),
                self.keyed.judged_once("registration", registration_id(key), _NOBODY, registration_digest(wanted)),
            ):
                signed_in = granted(await self.service.register(wanted, key))
        return _answer(signed_in, 201, {"Location": f"/v1/users/{signed_in.user_id}"})

    @operation("Signs in", body=UserLoginRequest, answer=UserAuthResponse, public=True)
    async def login(self, request: web.Request) -> web.Response:
        wanted = await read_public_body(request, UserLoginRequest)
        name = wanted.email if "email" in wanted.model_fields_set else wanted.username
        with self.attempts.of(request, f"name:{name.lower()}"):
            return _answer(granted(await self.service.login(wanted)), 200, {})

    @operation("Finds a user by name", query=UserQuery, answer=list[UserReference])
    async def find(self, request: web.Request) -> web.Response:
        """A list of one user or none: there is no search by part of a name, which would list everybody."""
        self.access.principal(request)
        found = await self.accounts.by_username(read_query(request, UserQuery).username)
        users = [] if found is None else [UserReference(user_id=found.user_id, username=found.username).as_json()]
        return json_response(users)


def _answer(signed_in: UserAuthResponse, status: int, headers: dict[str, str]) -> web.Response:
    """A token must be in no cache (RFC 6749 §5.1)."""
    return json_response(signed_in.as_json(), status, {"Cache-Control": "no-store", **headers})
