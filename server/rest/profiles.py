"""Profiles over REST: everybody who is signed in may read them, each person writes their own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from aiohttp import hdrs, web

from actors.ports import Clock
from actors.profile.profiles import view_profile
from actors.runtime.rejections import MOVED_ON
from actors.runtime.request import Reading
from protocol.accounts import UserProfileResponse, UserUpdateRequest
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.profiles import EditProfile, ProfileView
from protocol.tags import EntityTag, tag_of
from server.auth.accounts import AccountService
from server.auth.visibility import visible_fields
from server.idempotency import IDEMPOTENCY_KEY, KEY_REUSED
from server.rest.access import Access, names_tag, only_at, path_id, state_headers
from server.rest.bodies import json_response, read_body
from server.rest.keyed import KeyedRequests
from server.rest.operations import operation
from server.streams import Streams, Wish, granted
from storage.ports import (
    Account,
    AccountChanged,
    AccountChanges,
    AccountRequest,
    Accounts,
    AlreadyExists,
    RequestReused,
)

_OF_PROFILE = frozenset({"first_name", "last_name", "bio", "avatar_id"})
_NO_USER = Rejection(ErrorCode.NOT_FOUND, "no such user")
_NOT_YOURS = Rejection(ErrorCode.FORBIDDEN, "only the person may write their profile")


@dataclass(frozen=True, slots=True)
class ProfileRoutes:
    """`/v1/users/{userId}`, and `/v1/users/me` for those who know themselves by their token alone."""

    access: Access
    accounts: Accounts
    service: AccountService
    streams: Streams
    clock: Clock
    keyed: KeyedRequests

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/users/me", self.read_own),
            web.get("/v1/users/{userId}", self.read),
            web.put("/v1/users/{userId}", self.update),
        ]

    @operation("The caller's own profile", answer=UserProfileResponse, etag=True)
    async def read_own(self, request: web.Request) -> web.Response:
        """Whoever has an API token learns here who they are. The operator is nobody."""
        principal = self.access.principal(request)
        if principal.is_operator:
            raise Rejected(_NO_USER)
        return await self._answer(request, await self._account(principal.id), principal)

    @operation("A profile", answer=UserProfileResponse, etag=True)
    async def read(self, request: web.Request) -> web.Response:
        principal = self.access.principal(request)
        account = await self._account(path_id(request, "userId"))
        return await self._answer(request, account, principal)

    @operation(
        "Changes the account and the profile",
        body=UserUpdateRequest,
        answer=UserProfileResponse,
        conditional=True,
        tagged=True,
    )
    async def update(self, request: web.Request) -> web.Response:
        """Names and addresses go to the account first, where a taken one is refused; the rest is a command.

        The account remembers requests that have a key, whatever they change, so that a reused key is refused before
        anything happens. Whoever sends a request again, after a crash between the two, goes on with the command.
        """
        principal = self.access.principal(request)
        account = await self._account(path_id(request, "userId"))
        if not (principal.is_operator or principal.id == account.user_id):
            raise Rejected(_NOT_YOURS)
        op_id = self.access.op_id(request, principal)
        update = _Update(await read_body(request, UserUpdateRequest), principal, op_id, only_at(request))
        if IDEMPOTENCY_KEY not in request.headers:
            account = await self._change(account, update, None)
        else:
            keyed = AccountRequest(op_id, _digest_of(update.wanted))
            with self.keyed.judged_once(f"account/{account.user_id}", op_id, principal.id, keyed.digest):
                account = await self._change(account, update, keyed)
        return await self._answer(request, account, principal)

    async def _change(self, account: Account, update: _Update, keyed: AccountRequest | None) -> Account:
        """A condition is about both: the account is judged while nobody else changes it, and the profile has to stand
        where it stood then.
        """
        profile = await self._profile(account, update.principal) if update.only_at else None
        account = await self._update_account(account, update, keyed, profile)
        edits = {name: getattr(update.wanted, name) for name in _OF_PROFILE & update.wanted.model_fields_set}
        if edits:
            await self._complete(account)
            stream, there = f"profile/{account.user_id}", (EntityTag(profile.cursor),) if profile is not None else ()
            wish = Wish(stream, EditProfile(**edits), update.principal, update.op_id, only_at=there)
            granted(await self.streams.command(wish))
        return account

    async def _account(self, user_id: str) -> Account:
        account = await self.accounts.by_user_id(user_id)
        if account is None:
            raise Rejected(_NO_USER)
        return account

    async def _complete(self, account: Account) -> None:
        refused = await self.service.complete_profile(account)
        if refused is not None:
            raise Rejected(refused)

    async def _update_account(
        self, account: Account, update: _Update, keyed: AccountRequest | None, profile: Reading[ProfileView] | None
    ) -> Account:
        changes = _changes_of(account, update.wanted)
        if not changes and keyed is None and profile is None:
            return account
        only_if = partial(update.is_about, profile.value) if profile is not None else None
        try:
            updated = await self.accounts.update(account.user_id, changes, self.clock.now(), keyed, only_if=only_if)
        except RequestReused as reused:
            raise Rejected(KEY_REUSED) from reused
        except AccountChanged as changed:
            raise Rejected(MOVED_ON) from changed
        except AlreadyExists as taken:
            what = "user name" if taken.field == "username" else "e-mail address"
            details = {"what": "account", "field": taken.field}
            refused = Rejection(ErrorCode.ALREADY_EXISTS, f"this {what} is taken", details)
            raise Rejected(refused) from taken
        if updated is None:
            raise Rejected(_NO_USER)
        return updated

    async def _profile(self, account: Account, principal: Principal) -> Reading[ProfileView]:
        await self._complete(account)
        return granted(await self.streams.read(f"profile/{account.user_id}", view_profile, principal))

    async def _answer(self, request: web.Request, account: Account, principal: Principal) -> web.Response:
        reading = await self._profile(account, principal)
        shown = shown_to(principal, account, reading.value)
        tag = EntityTag(reading.cursor, tag_of(shown))
        headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", **state_headers(reading.halted)}
        # The whole tag has to be named: where the profile stands says nothing of the account.
        if request.method == hdrs.METH_GET and names_tag(request, str(tag)):
            return web.Response(status=304, headers=headers)
        return json_response(shown, headers=headers)


@dataclass(frozen=True, slots=True)
class _Update:
    """What is wanted, by whom, under which opId, and what has to be."""

    wanted: UserUpdateRequest
    principal: Principal
    op_id: str
    only_at: tuple[EntityTag, ...]

    def is_about(self, profile: ProfileView, account: Account) -> bool:
        """Whether account and profile together are what one of the tags was made of."""
        tag = tag_of(shown_to(self.principal, account, profile))
        return any(one.tag == tag for one in self.only_at)


def _digest_of(wanted: UserUpdateRequest) -> bytes:
    """16 bytes that tell two requests with one key apart: all fields that were sent, in canonical form."""
    return hashlib.blake2b(orjson.dumps(wanted.as_json(), option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _changes_of(account: Account, wanted: UserUpdateRequest) -> AccountChanges:
    changes: AccountChanges = {}
    given = wanted.model_fields_set
    if "username" in given and wanted.username != account.username:
        changes["username"] = wanted.username
    if "email" in given and wanted.email != account.email:
        changes["email"] = wanted.email
    if "locale" in given and wanted.locale != account.locale:
        changes["locale"] = wanted.locale
    if "timezone" in given and wanted.timezone != account.timezone:
        changes["timezone"] = wanted.timezone
    return changes


def shown_to(principal: Principal, account: Account, profile: ProfileView) -> dict[str, Any]:
    """The JSON that the principal gets of a person."""
    return profile_response(account, profile, visible_fields(principal, account.user_id)).as_json()


def profile_response(account: Account, profile: ProfileView, visible: frozenset[str]) -> UserProfileResponse:
    """Account and profile as one, with the fields that may be seen."""
    avatar_id = profile["avatarId"]
    fields = {
        "user_id": account.user_id,
        "username": account.username,
        "first_name": profile["firstName"],
        "last_name": profile["lastName"],
        "bio": profile["bio"],
        "avatar_url": f"/v1/media/{avatar_id}" if avatar_id is not None else None,
        "created_at": account.created_at,
        "updated_at": max(account.updated_at, profile["updatedAt"]),
        "email": account.email,
        "locale": account.locale,
        "timezone": account.timezone,
    }
    return UserProfileResponse.model_validate({name: value for name, value in fields.items() if name in visible})
