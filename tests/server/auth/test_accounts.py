"""Registration that is cut off between the account's row and the profile's stream."""

from __future__ import annotations

from typing import Any

import pytest

from server.streams import Streams, Wish
from storage.ports import Account
from tests.server.world import PASSWORD, World

NAMES = {"firstName": "Ada", "lastName": "Lovelace"}


class Died(Exception):
    """The process is gone in this moment."""


async def cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account of a registration whose process died before the profile was created."""

    async def die(self: Streams, wish: Wish, facts: Any = None) -> Any:
        raise Died

    monkeypatch.setattr(Streams, "command", die)
    response = await world.http.post("/v1/users/register", json={"username": "ada", "password": PASSWORD, **NAMES})
    assert response.status == 500
    monkeypatch.undo()
    account = await world.storage.accounts.by_username("ada")
    assert account is not None
    assert (account.profile_created, account.first_name) == (False, "Ada")
    return account


async def test_the_names_are_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await cut_off(world, monkeypatch)
    answer = await world.http.post("/v1/users/login", json={"username": "ada", "password": PASSWORD})
    token = (await answer.json())["accessToken"]
    shown = await world.http.get(f"/v1/users/{account.user_id}", headers={"Authorization": f"Bearer {token}"})
    profile = await shown.json()
    assert {name: profile[name] for name in NAMES} == NAMES

    kept = await world.storage.accounts.by_username("ada")
    assert kept is not None
    assert (kept.profile_created, kept.first_name, kept.last_name) == (True, None, None), "the profile has them now"


async def test_whoever_looks_first_completes_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await cut_off(world, monkeypatch)
    eve = await world.register("eve")
    shown = await world.http.get(f"/v1/users/{account.user_id}", headers=eve.auth)
    assert (await shown.json())["lastName"] == "Lovelace"
