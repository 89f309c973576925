"""Registering and logging in. The account's row comes first, because it decides who has a name; the profile's stream
follows under an opId made from the user's id, so that whoever finds it missing can complete it."""

from __future__ import annotations

import hashlib

import orjson

from actors.ports import Clock, Ids
from actors.runtime.request import Accepted
from protocol.accounts import UserAuthResponse, UserLoginRequest, UserRegisterRequest
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.faults import OutcomeUnknown
from protocol.profiles import CreateProfile
from server.auth.logins import LoginService
from server.auth.passwords import Passwords
from server.idempotency import KEY_REUSED
from server.streams import Streams, Wish, name_based_id
from storage.ports import Account, Accounts, AlreadyExists

WRONG_CREDENTIALS = Rejection(ErrorCode.UNAUTHENTICATED, "the user name, e-mail address or password is wrong")
LOGIN_TRIES_MAX = 3
_THERE_ALREADY = frozenset({ErrorCode.ALREADY_EXISTS, ErrorCode.OP_ID_REUSED})


def registration_id(key: str) -> str:
    """The id of the account that is registered under a key: the same on every node, in every retry."""
    return name_based_id("UserRegister", key)


def registration_digest(request: UserRegisterRequest) -> bytes:
    """16 bytes that tell two registrations with one key apart: all fields that were sent, but for the password."""
    fields = request.as_json()
    del fields["password"]
    return hashlib.blake2b(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


class AccountService:
    """Registration and login. Storage faults are raised as they are."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        logins: LoginService,
        streams: Streams,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._logins = logins
        self._streams = streams
        self._clock = clock
        self._ids = ids

    async def register(self, request: UserRegisterRequest, key: str | None = None) -> UserAuthResponse | Rejection:
        """Makes the account and its profile, and signs the user in.

        The same request again, under the same `key`, finds it made; another one is refused (`op_id_reused`).
        """
        user_id = self._ids.new_id() if key is None else registration_id(key)
        known = None if key is None else await self._accounts.by_user_id(user_id)
        if known is not None:
            return await self._register_again(known, request)
        # Before the names are looked at: a taken one costs the same time.
        password_hash = await self._passwords.hash(request.password)
        if isinstance(password_hash, Rejection):
            return password_hash
        now = self._clock.now()
        account = Account(
            user_id=user_id,
            username=request.username,
            email=request.email if "email" in request.model_fields_set else None,
            password_hash=password_hash,
            locale=None,
            timezone=None,
            created_at=now,
            updated_at=now,
            first_name=request.first_name,
            last_name=request.last_name,
            registration=None if key is None else registration_digest(request),
        )
        refused = await self._create(account)
        if refused is not None and key is not None:
            # Every refusal of a name may come from a twin of this request, which was faster.
            twin = await self._accounts.by_user_id(user_id)
            return refused if twin is None else await self._register_again(twin, request)
        refused = refused or await self.complete_profile(account)
        return refused or await self._logins.begin(account) or WRONG_CREDENTIALS

    async def _register_again(self, account: Account, request: UserRegisterRequest) -> UserAuthResponse | Rejection:
        """Signs in who sends what the account was made of, with the password that it has now."""
        verified = await self._passwords.verify(request.password, account.password_hash)
        if isinstance(verified, Rejection):
            return verified
        if not verified.matches or account.registration != registration_digest(request):
            return KEY_REUSED
        return await self.complete_profile(account) or await self._logins.begin(account) or KEY_REUSED

    async def login(self, request: UserLoginRequest) -> UserAuthResponse | Rejection:
        """One answer for an unknown user and for a wrong password, after the same work."""
        for _ in range(LOGIN_TRIES_MAX):
            signed_in = await self._try_login(request)
            if signed_in is not None:
                return signed_in
        return WRONG_CREDENTIALS

    async def _try_login(self, request: UserLoginRequest) -> UserAuthResponse | Rejection | None:
        """None: the password's hash was replaced meanwhile, so it has to be judged anew."""
        if "email" in request.model_fields_set:
            account = await self._accounts.by_email(request.email)
        else:
            account = await self._accounts.by_username(request.username)
        verified = await self._passwords.verify(request.password, account.password_hash if account else None)
        if isinstance(verified, Rejection):
            return verified
        if account is None or not verified.matches:
            return WRONG_CREDENTIALS
        signed_in = await self.complete_profile(account) or await self._logins.begin(account)
        if isinstance(signed_in, UserAuthResponse) and verified.renewed_hash is not None:
            await self._accounts.renew_password_hash(account.user_id, account.password_hash, verified.renewed_hash)
        return signed_in

    async def complete_profile(self, account: Account) -> Rejection | None:
        """Opens the profile's stream, with the names of the registration, unless it is known to be there.

        None: it is there now. Whoever completes it sends the same command under the same opId.
        """
        if account.profile_created:
            return None
        outcome = await self._streams.command(
            Wish(
                stream=f"profile/{account.user_id}",
                command=CreateProfile(first_name=account.first_name, last_name=account.last_name),
                principal=Principal(account.user_id),
                op_id=name_based_id("CreateProfile", account.user_id),
            )
        )
        if not isinstance(outcome, Accepted) and outcome.code not in _THERE_ALREADY:
            return outcome
        await self._accounts.mark_profile_created(account.user_id)
        return None

    async def _create(self, account: Account) -> Rejection | None:
        try:
            try:
                await self._accounts.create(account)
            except OutcomeUnknown:
                # Once more under the same id: if it had happened, the id is taken.
                await self._accounts.create(account)
        except AlreadyExists as taken:
            if await self._is_there(account):
                return None
            what = "user name" if taken.field == "username" else "e-mail address"
            return Rejection(
                ErrorCode.ALREADY_EXISTS, f"this {what} is taken", {"what": "account", "field": taken.field}
            )
        return None

    async def _is_there(self, account: Account) -> bool:
        """Whether this very account was made: every hash has a salt of its own."""
        made = await self._accounts.by_user_id(account.user_id)
        return made is not None and made.password_hash == account.password_hash
