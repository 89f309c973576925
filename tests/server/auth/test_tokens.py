"""Access tokens: what is issued, and every forgery that must fail."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol.errors import ErrorCode, Rejection
from server.auth.api_tokens import ApiTokenReader
from server.auth.endings import EndedGrants
from server.auth.principal import Authenticator
from server.auth.tokens import Authenticated, Tokens
from storage.memory.accounts import MemoryAccounts
from storage.memory.api_tokens import MemoryApiTokens
from storage.memory.logins import MemoryEndings

NOW = 1_800_000_000
USER = "018f0000-0000-7000-8000-000000000001"
LOGIN = "018f0000-0000-7000-8000-00000000000f"
ADMIN = "ph_admin_" + "x" * 43
KEY = Ed25519PrivateKey.generate()
TOKENS = Tokens(KEY, ADMIN, 900)
PUBLIC_PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PUBLIC_RAW = KEY.public_key().public_bytes_raw()

CLAIMS: dict[str, Any] = {
    "iss": "pantherahive",
    "aud": "pantherahive-api",
    "sub": USER,
    "jti": "1",
    "sid": LOGIN,
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 900,
}


def signed(key: Ed25519PrivateKey = KEY, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    content = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not ...}
    return jwt.encode(content, key, algorithm="EdDSA", headers={"typ": "at+jwt", **(headers or {})})


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def with_hmac(secret: bytes) -> str:
    import hashlib
    import hmac

    body = f"{packed({'alg': 'HS256', 'typ': 'at+jwt'})}.{packed(CLAIMS)}"
    mac = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def code_of(token: str, now_s: float = NOW + 1) -> ErrorCode | None:
    known = TOKENS.authenticate(token, now_s)
    return known.code if isinstance(known, Rejection) else None


def test_an_issued_token_names_its_user_until_it_ends() -> None:
    known = TOKENS.authenticate(TOKENS.issue(USER, LOGIN, "jti-1", NOW), NOW + 899)
    assert isinstance(known, Authenticated)
    assert (known.principal.id, known.principal.kind, known.expires_at_s) == (USER, "user", NOW + 900)
    assert (known.grant_id, known.issued_at_s) == (LOGIN, NOW)


def test_after_its_end_it_has_expired() -> None:
    assert code_of(TOKENS.issue(USER, LOGIN, "jti-1", NOW), NOW + 900) is ErrorCode.TOKEN_EXPIRED


def test_the_test_signs_as_the_server_does() -> None:
    assert code_of(signed()) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"nbf": NOW + 60},
        {"iat": NOW + 60},
        {"sub": "admin"},
        {"sub": "system"},
        {"sub": 1},
        {"sub": USER + "\n"},
        {"jti": 7},
        {"sid": 7},
        {"sid": "x"},
        {"exp": True},
        {"exp": "soon"},
        {"exp": 1e300},
        {"nbf": None},
        *({name: ...} for name in CLAIMS),
    ],
)
def test_wrong_claims_are_refused(claims: dict[str, Any]) -> None:
    try:
        token = signed(**claims)
    except TypeError:
        token = packed({"alg": "EdDSA", "typ": "at+jwt"}) + "." + packed({**CLAIMS, **claims}) + ".AA"
    assert code_of(token) is ErrorCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": "JWT"},
        {"kid": "../../../../dev/null"},
        {"jku": "https://evil.example/keys"},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": packed("x")}},
        {"x5u": "https://evil.example/cert"},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_other_headers_are_refused(headers: dict[str, Any]) -> None:
    assert code_of(signed(headers=headers)) is ErrorCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "make",
    [
        lambda: f"{packed({'alg': 'none', 'typ': 'at+jwt'})}.{packed(CLAIMS)}.",
        lambda: f"{packed({'alg': 'NONE', 'typ': 'at+jwt'})}.{packed(CLAIMS)}.AA",
        lambda: with_hmac(PUBLIC_PEM),
        lambda: with_hmac(PUBLIC_RAW),
        lambda: signed(Ed25519PrivateKey.generate()),
        lambda: signed().rpartition(".")[0] + ".",
        lambda: signed()[:-4] + "AAAA",
        lambda: (
            f"{packed({'alg': 'EdDSA', 'typ': 'at+jwt'})}.{packed({**CLAIMS, 'sub': USER[::-1]})}."
            + signed().rpartition(".")[2]
        ),
        lambda: "",
        lambda: ".",
        lambda: "..",
        lambda: "a.b.c",
        lambda: "ä" * 10,
        lambda: "x" * 1_000_000,
        lambda: packed([]) + "." + packed([]) + ".AA",
        lambda: ADMIN[:-1],
        lambda: ADMIN + "x",
        lambda: "ph_admin_",
    ],
)
def test_forgeries_are_refused(make: Callable[[], str]) -> None:
    assert code_of(make()) is ErrorCode.UNAUTHENTICATED


def test_the_admin_token_is_the_operator_and_does_not_end() -> None:
    known = TOKENS.authenticate(ADMIN, NOW)
    assert isinstance(known, Authenticated)
    assert known.principal.is_operator
    assert known.expires_at_s is None


@pytest.mark.parametrize(
    ("header", "good"),
    [
        ("Bearer {}", True),
        ("bearer {}", True),
        ("Bearer   {}  ", True),
        ("{}", False),
        ("Basic {}", False),
        ("Bearer", False),
        ("Bearer {} {}", False),
        ("Bearer {}\n", False),
    ],
)
def test_only_a_bearer_header_counts(header: str, good: bool) -> None:
    endings = MemoryEndings()
    ended = EndedGrants(endings, lambda: NOW)
    reader = ApiTokenReader(MemoryApiTokens(endings), MemoryAccounts(), ended, lambda: NOW)
    authenticator = Authenticator(TOKENS, ended, reader, lambda: "jti", lambda: NOW)
    token = authenticator.token_for(USER, LOGIN)
    known = authenticator.of_header(header.format(token, token))
    assert isinstance(known, Rejection) is not good
    assert isinstance(authenticator.of_header(None), Rejection)
