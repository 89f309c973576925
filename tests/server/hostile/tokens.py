"""Tokens that somebody made up, changed or kept too long."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.auth.tokens import ALGORITHM, AUDIENCE, ISSUER, TYPE
from tests.server.clock import RandomIds
from tests.server.hostile.scene import Scene
from tests.server.hostile.sending import Token

_FOREIGN: Final = Ed25519PrivateKey.generate()


def _claims(scene: Scene, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    known = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": scene.names["ada"],
        "jti": RandomIds().new_id(),
        "sid": RandomIds().new_id(),
        "iat": now,
        "nbf": now,
        "exp": now + 900,
    }
    return {name: value for name, value in {**known, **changes}.items() if value is not None}


def signed(headers: dict[str, Any] | None = None, **changes: Any) -> Token:
    """With the server's own key: what only somebody could make who has it, so every check of its own counts."""

    def token(scene: Scene) -> str:
        key = scene.server.secrets.access_key
        return jwt.encode(
            _claims(scene, **changes),
            key,
            algorithm=ALGORITHM,
            headers=headers if headers is not None else {"typ": TYPE},
        )

    return token


def ends_in(seconds: int) -> Token:
    """Signed by the server, with this time until (or since) its end."""
    return lambda scene: signed(exp=int(time.time()) + seconds)(scene)


def begins_in(seconds: int, name: str) -> Token:
    """`nbf` or `iat` in the future."""
    return lambda scene: signed(None, **{name: int(time.time()) + seconds})(scene)


def foreign(headers: dict[str, Any] | None = None) -> Token:
    """Signed with the key of another server."""
    return lambda scene: jwt.encode(
        _claims(scene), _FOREIGN, algorithm=ALGORITHM, headers={"typ": TYPE, **(headers or {})}
    )


def with_own_key_inside(name: str) -> Token:
    """Signed with another key, which the header names (`jwk`) or says where to fetch (`jku`)."""
    public = _FOREIGN.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": _encoded(public)}
    return foreign({"jwk": jwk} if name == "jwk" else {"jku": "http://127.0.0.1:9/keys.json"})


def unsigned(alg: str) -> Token:
    """No signature at all, under any spelling of `none`."""
    return lambda scene: ".".join([_encoded_json({"alg": alg, "typ": TYPE}), _encoded_json(_claims(scene)), ""])


def symmetric(scene: Scene) -> str:
    """HS256 with the public key as the secret: what a verifier takes that trusts the header."""
    public = scene.server.secrets.access_key.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = f"{_encoded_json({'alg': 'HS256', 'typ': TYPE})}.{_encoded_json(_claims(scene))}"
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    return f"{parts}.{_encoded(algorithm.sign(parts.encode(), secret))}"


def rsa(scene: Scene) -> str:
    """RS256 with a key of one's own."""
    return jwt.encode(_claims(scene), generate_private_key(65_537, 2048), algorithm="RS256", headers={"typ": TYPE})


def changed(scene: Scene) -> str:
    """Ada's token with Eve's id put in: the signature is of other claims."""
    head, claims, signature = scene.tokens["ada"].split(".")
    known = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return ".".join([head, _encoded_json({**known, "sub": scene.names["eve"]}), signature])


def cut_off(scene: Scene) -> str:
    """Without its signature."""
    return scene.tokens["ada"].rpartition(".")[0] + "."


def known(name: str, change: str = "{}") -> Token:
    """A token or a text of the scene, changed as the pattern says."""
    return lambda scene: change.format(scene.tokens.get(name) or scene.names[name])


def text(value: str) -> Token:
    """Anything."""
    return lambda _: value


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _encoded_json(value: Any) -> str:
    return _encoded(json.dumps(value).encode())
