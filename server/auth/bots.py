"""Bots: made by a person, acting under their own name with tokens that the person hands out and takes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actors.ports import Clock
from protocol.bots import ApiTokenRequest, BotCreateRequest
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.faults import DuplicateEntry, OutcomeUnknown
from server.auth.accounts import AccountService
from server.auth.opaque import ApiTokenText, digest
from server.auth.principal import Authenticator
from server.idempotency import KEY_REUSED
from storage.grant_ports import ApiToken, ApiTokens
from storage.ports import Account, Accounts, AlreadyExists

_PEOPLE_ONLY = Rejection(ErrorCode.FORBIDDEN, "bots belong to people, who log in for this")
_NOT_YOURS = Rejection(ErrorCode.FORBIDDEN, "only the operator may look after the bots of somebody else")
_NO_OWNER = Rejection(ErrorCode.NOT_FOUND, "no such user", {"what": "user"})
_NO_BOT = Rejection(ErrorCode.NOT_FOUND, "you have no such bot", {"what": "bot"})
_NO_TOKEN = Rejection(ErrorCode.NOT_FOUND, "the bot has no such token", {"what": "apiToken"})
_SHOWN = Rejection(
    ErrorCode.CONFLICT,
    "this token was made already, and is shown once; revoke it and make another",
    {"what": "apiToken"},
)
_PAST = Rejection(ErrorCode.RULE_BROKEN, "the token would have expired already", {"reason": "expires_in_the_past"})


@dataclass(frozen=True, slots=True)
class BotLimits:
    """How many there may be."""

    bots_per_user_max: int = 50
    api_tokens_per_bot_max: int = 20


class BotService:
    """Makes bots and tokens. Storage faults are raised as they are."""

    def __init__(
        self,
        accounts: Accounts,
        tokens: ApiTokens,
        service: AccountService,
        authenticator: Authenticator,
        clock: Clock,
        limits: BotLimits,
    ) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._service = service
        self._authenticator = authenticator
        self._clock = clock
        self._limits = limits

    async def create(self, owner: Principal, bot_id: str, wanted: BotCreateRequest) -> Account | Rejection:
        """Makes the bot and its profile. The same request again, under the same id, finds it made."""
        owner_id = await self._owner(owner, wanted.owner_id if "owner_id" in wanted.model_fields_set else None)
        if isinstance(owner_id, Rejection):
            return owner_id
        now = self._clock.now()
        bot = Account(
            user_id=bot_id,
            username=wanted.username,
            email=None,
            password_hash="",
            locale=None,
            timezone=None,
            created_at=now,
            updated_at=now,
            first_name=wanted.first_name,
            last_name=wanted.last_name,
            owner_id=owner_id,
        )
        made = await self._create(bot)
        if isinstance(made, Rejection):
            return made
        return await self._service.complete_profile(made) or made

    async def _create(self, bot: Account) -> Account | Rejection:
        most = self._limits.bots_per_user_max
        known = await self._accounts.by_user_id(bot.user_id)
        try:
            if known is None and not await self._accounts.create_bot(bot, most):
                return _too_many("bots", most)
        except OutcomeUnknown:
            known = await self._accounts.by_user_id(bot.user_id)
            if known is None:
                raise
        except AlreadyExists as taken:
            known = await self._accounts.by_user_id(bot.user_id)
            if known is None:
                details = {"what": "account", "field": taken.field}
                return Rejection(ErrorCode.ALREADY_EXISTS, "this user name is taken", details)
        if known is None:
            return bot
        return known if (known.owner_id, known.username) == (bot.owner_id, bot.username) else KEY_REUSED

    async def bots_of(self, owner: Principal, named: str | None = None) -> Sequence[Account] | Rejection:
        """The bots of a person: one's own, or those of whom the operator names."""
        owner_id = await self._owner(owner, named)
        return owner_id if isinstance(owner_id, Rejection) else await self._accounts.bots_of(owner_id)

    async def _owner(self, principal: Principal, named: str | None) -> str | Rejection:
        """Whose bots they are: a person's own, and anybody's for the operator."""
        if principal.kind == "user":
            return principal.id if named in (None, principal.id) else _NOT_YOURS
        if named is None or not principal.is_operator:
            return _PEOPLE_ONLY
        account = await self._accounts.by_user_id(named)
        if account is None:
            return _NO_OWNER
        return named if account.owner_id is None else _PEOPLE_ONLY

    async def tokens_of(self, owner: Principal, bot_id: str) -> Sequence[ApiToken] | Rejection:
        """The tokens of one's bot, without their secrets: nobody has them any more."""
        return await self._not_the_owner(owner, bot_id) or await self._tokens.of_bot(bot_id)

    async def issue(
        self, owner: Principal, bot_id: str, token_id: str, wanted: ApiTokenRequest
    ) -> tuple[ApiToken, str] | Rejection:
        """A new token, and its text, which is told this once."""
        if (refused := await self._not_the_owner(owner, bot_id)) is not None:
            return refused
        now = self._clock.now()
        if wanted.expires_at is not None and wanted.expires_at <= now:
            return _PAST
        text = ApiTokenText.new(token_id)
        token = ApiToken(
            token_id=token_id,
            bot_id=bot_id,
            name=wanted.name,
            scopes=frozenset(wanted.scopes),
            project_ids=frozenset(wanted.project_ids) if wanted.project_ids is not None else None,
            secret_hash=digest(text.secret),
            created_at=now,
            expires_at=wanted.expires_at,
        )
        most = self._limits.api_tokens_per_bot_max
        try:
            made = await self._tokens.create(token, most)
        except DuplicateEntry:
            return _SHOWN
        return (token, text.text()) if made else _too_many("API tokens of one bot", most)

    async def revoke(self, owner: Principal, bot_id: str, token_id: str) -> Rejection | None:
        """Ends a token, and its connections."""
        if (refused := await self._not_the_owner(owner, bot_id)) is not None:
            return refused
        if not await self._tokens.revoke(bot_id, token_id, self._clock.now()):
            return _NO_TOKEN
        self._authenticator.ended.add([token_id])
        return None

    async def _not_the_owner(self, owner: Principal, bot_id: str) -> Rejection | None:
        """The operator may look after every bot: its owner may be gone."""
        if owner.kind == "bot":
            return _PEOPLE_ONLY
        bot = await self._accounts.by_user_id(bot_id)
        if bot is None or bot.owner_id is None:
            return _NO_BOT
        return None if owner.is_operator or bot.owner_id == owner.id else _NO_BOT


def _too_many(what: str, most: int) -> Rejection:
    return Rejection(ErrorCode.RULE_BROKEN, f"there may be {most} {what}", {"reason": "too_many", "limit": most})
