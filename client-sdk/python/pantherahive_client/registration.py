"""Making an account."""

from __future__ import annotations

from pantherahive_client.rest import Rest
from pantherahive_client.settings import Settings


async def register(
    url: str,
    *,
    username: str,
    password: str,
    email: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    settings: Settings | None = None,
) -> str:
    """A new account's user id. Raises AlreadyExists where name or address is taken, Invalid for what does not fit."""
    given = {
        "username": username,
        "password": password,
        "email": email,
        "firstName": first_name,
        "lastName": last_name,
    }
    rest = Rest(url.rstrip("/"), settings if settings is not None else Settings())
    try:
        body = {name: value for name, value in given.items() if value is not None}
        user_id: str = (await rest.ask("POST", "/v1/users/register", json=body)).body["userId"]
    finally:
        await rest.close()
    return user_id
