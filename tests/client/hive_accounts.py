"""Who there is for the small server, and their log-ins: what it answers over REST below `/v1/users`."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from pantherahive_client import new_id
from protocol.event import Principal

ADMIN_TOKEN = "the-operators-token"


class HiveAccounts:
    """A part of `tests.client.hive.Hive`."""

    def __init__(self) -> None:
        # Name → user id.
        self.users: dict[str, str] = {}
        # Access token → whose it is.
        self.tokens: dict[str, Principal] = {ADMIN_TOKEN: Principal("system", "admin")}
        # Life of an access token.
        self.expires_in_s: float = 900
        # Log-ins with a password.
        self.logins = 0
        # Exchanges of refresh tokens.
        self.refreshes = 0
        # Refresh tokens that count.
        self.refresh_tokens: dict[str, str] = {}
        # (key, refresh token) of exchanges → user: the same request again is answered again.
        self.refreshed: dict[tuple[str, str], str] = {}

    def account_routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/v1/users/login", self._log_in),
            web.post("/v1/users/refresh", self._refresh),
            web.get("/v1/users", self._find_user),
            web.get("/v1/users/me", self._read_own),
            web.get("/v1/users/{userId}", self._read_profile),
        ]

    def add_user(self, username: str) -> str:
        self.users[username] = new_id()
        return self.users[username]

    async def _log_in(self, request: web.Request) -> web.Response:
        body = await request.json()
        user_id = self.users.get(body.get("username", ""))
        if user_id is None or body["password"] != "correct horse":
            problem = {"code": "unauthenticated", "detail": "wrong credentials", "status": 401}
            return web.json_response(problem, status=401, content_type="application/problem+json")
        self.logins += 1
        return self._signed_in(user_id)

    async def _refresh(self, request: web.Request) -> web.Response:
        request_key = (request.headers["Idempotency-Key"], (await request.json())["refreshToken"])
        user_id = self.refreshed.get(request_key) or self.refresh_tokens.pop(request_key[1], None)
        if user_id is None:
            problem = {"code": "unauthenticated", "detail": "the refresh token is not valid", "status": 401}
            return web.json_response(problem, status=401, content_type="application/problem+json")
        self.refreshes += 1
        self.refreshed[request_key] = user_id
        return self._signed_in(user_id)

    def _signed_in(self, user_id: str) -> web.Response:
        number = self.logins + self.refreshes
        token, refresh_token = f"token-{number}-{user_id}", f"refresh-{number}-{user_id}"
        self.tokens[token] = Principal(user_id)
        self.refresh_tokens[refresh_token] = user_id
        return web.json_response(
            {
                "userId": user_id,
                "username": next(name for name, one in self.users.items() if one == user_id),
                "accessToken": token,
                "expiresIn": self.expires_in_s,
                "refreshToken": refresh_token,
            }
        )

    def principal_of(self, request: web.Request) -> Principal:
        """Whose token it comes with."""
        return self.tokens[request.headers["Authorization"].removeprefix("Bearer ")]

    async def _find_user(self, request: web.Request) -> web.Response:
        name = request.query["username"]
        return web.json_response([{"userId": self.users[name], "username": name}] if name in self.users else [])

    async def _read_profile(self, request: web.Request) -> web.Response:
        user_id = request.match_info["userId"]
        return web.json_response({"userId": user_id}) if user_id in self.users.values() else _nothing()

    async def _read_own(self, request: web.Request) -> web.Response:
        principal = self.principal_of(request)
        return web.json_response({"userId": principal.id}) if principal.id in self.users.values() else _nothing()


def _nothing() -> web.Response:
    problem = {"code": "not_found", "detail": "no such thing", "status": 404}
    return web.json_response(problem, status=404, content_type="application/problem+json")
