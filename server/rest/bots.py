"""Bots and their API tokens over REST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from aiohttp import web

from protocol.base import Uuid
from protocol.bots import ApiTokenRequest, ApiTokenResponse, BotCreateRequest, BotResponse, BotsQuery, Scope
from protocol.errors import Rejected
from server.auth.bots import BotService
from server.rest.access import Access, path_id, read_query
from server.rest.bodies import json_response, read_body
from server.rest.operations import operation
from server.rest.pages import PageQuery, PageSizes, behind, link_next, pack_place, unpack_place
from server.streams import granted
from storage.grant_ports import ApiToken
from storage.ports import Account


class BotPageQuery(PageQuery, BotsQuery):
    """A page of bots; `after` is the id of the last one seen. Only the operator may name somebody else's."""

    after: Uuid | None = None


@dataclass(frozen=True, slots=True)
class BotRoutes:
    """`/v1/bots`."""

    access: Access
    bots: BotService
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/bots", self.list_bots),
            web.post("/v1/bots", self.create),
            web.get("/v1/bots/{botId}/tokens", self.list_tokens),
            web.post("/v1/bots/{botId}/tokens", self.issue),
            web.delete("/v1/bots/{botId}/tokens/{tokenId}", self.revoke),
        ]

    @operation("The caller's bots", query=BotPageQuery, answer=list[BotResponse], links=True)
    async def list_bots(self, request: web.Request) -> web.Response:
        """By their ids. The operator names whose."""
        principal = self.access.principal(request)
        query = read_query(request, BotPageQuery)
        bots = granted(await self.bots.bots_of(principal, query.owner_id))
        found = behind(bots, query.after, lambda bot: bot.user_id)
        page, more = self.sizes.cut([bot_view(bot) for bot in found], self.sizes.of(query))
        link: dict[str, str] = {}
        if more:
            link = link_next(request.path, after=page[-1]["userId"], limit=query.limit, ownerId=query.owner_id)
        return json_response(page, headers=link)

    @operation("Makes a bot", body=BotCreateRequest, answer=BotResponse, status=201, located=True)
    async def create(self, request: web.Request) -> web.Response:
        """Projects add it as a member, under its own name. The same `Idempotency-Key` finds it made."""
        principal = self.access.principal(request)
        bot_id = self.access.stable_id(request, principal)
        bot = granted(await self.bots.create(principal, bot_id, await read_body(request, BotCreateRequest)))
        return json_response(bot_view(bot), 201, {"Location": f"/v1/users/{bot.user_id}"})

    @operation("The tokens of a bot", query=PageQuery, answer=list[ApiTokenResponse], links=True)
    async def list_tokens(self, request: web.Request) -> web.Response:
        """The oldest first, without the tokens themselves."""
        principal = self.access.principal(request)
        query = read_query(request, PageQuery)
        tokens = granted(await self.bots.tokens_of(principal, path_id(request, "botId")))
        after = unpack_place(query.after, 2) if query.after is not None else None
        found = behind(tokens, after, _place_of)
        page, more = self.sizes.cut([token_view(token).as_json() for token in found], self.sizes.of(query))
        link: dict[str, str] = {}
        if more:
            end = pack_place(*_place_of(found[len(page) - 1]))
            link = link_next(request.path, after=end, limit=query.limit)
        return json_response(page, headers=link)

    @operation("Makes a token for a bot", body=ApiTokenRequest, answer=ApiTokenResponse, status=201)
    async def issue(self, request: web.Request) -> web.Response:
        """The only answer that holds the token."""
        principal = self.access.principal(request)
        bot_id, token_id = path_id(request, "botId"), self.access.stable_id(request, principal)
        wanted = await read_body(request, ApiTokenRequest)
        token, text = granted(await self.bots.issue(principal, bot_id, token_id, wanted))
        return json_response({**token_view(token).as_json(), "token": text}, 201, {"Cache-Control": "no-store"})

    @operation("Revokes a token", status=204, keyed=False)
    async def revoke(self, request: web.Request) -> web.Response:
        """Its connections end, on every node."""
        principal = self.access.principal(request)
        refused = await self.bots.revoke(principal, path_id(request, "botId"), path_id(request, "tokenId"))
        if refused is not None:
            raise Rejected(refused)
        return web.Response(status=204)


def bot_view(bot: Account) -> dict[str, object]:
    """The bot as answers show it."""
    return BotResponse(
        user_id=bot.user_id, username=bot.username, owner_id=bot.owner_id or "", created_at=bot.created_at
    ).as_json()


def token_view(token: ApiToken) -> ApiTokenResponse:
    """The token without its secret, which nobody has any more."""
    return ApiTokenResponse(
        token_id=token.token_id,
        name=token.name,
        scopes=cast(list[Scope], sorted(token.scopes)),
        project_ids=sorted(token.project_ids) if token.project_ids is not None else None,
        created_at=token.created_at,
        expires_at=token.expires_at,
    )


def _place_of(token: ApiToken) -> tuple[str, ...]:
    return token.created_at, token.token_id
