"""Ids that only one account may use, as the server and the SDK make them."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest

import pantherahive_client as sdk
from pantherahive_client.ids import made_id
from protocol.derived_ids import derived_id, refusal_of_derived
from protocol.event import OPERATOR

ADA, BOB = sdk.new_id(), sdk.new_id()


def test_a_derived_id_begins_with_its_owner() -> None:
    made = UUID(derived_id(ADA, "x"))
    assert (made.version, made.variant) == (8, UUID(ADA).variant)
    assert made.bytes[:6] == sha256(ADA.encode()).digest()[:6]


def test_the_same_parts_of_the_same_owner_give_the_same_id_and_no_others() -> None:
    assert derived_id(ADA, "a", "b") == derived_id(ADA, "a", "b")
    assert len({derived_id(owner, *parts) for owner in (ADA, BOB) for parts in (("a", "b"), ("a",), ("b", "a"))}) == 6


@pytest.mark.parametrize("owner", [ADA, None], ids=["account", "operator"])
def test_what_the_sdk_derives_is_its_account_s_own(owner: str | None) -> None:
    sender_id = owner if owner is not None else OPERATOR.id
    derived = sdk.derived_id(owner, "bot", 1)
    for own in (derived, made_id(derived, "edits 1"), derived_id(sender_id, "x")):
        assert refusal_of_derived(own, sender_id, "opId") is None
        refusal = refusal_of_derived(own, BOB, "opId")
        assert refusal is not None
        assert (refusal.code, refusal.details["errors"][0]["field"]) == ("invalid", "opId")


@pytest.mark.parametrize(
    "op_id", [ADA, "any text", str(UUID(int=7)), made_id(str(UUID(int=7)), "taskId")], ids=["7", "none", "0", "5"]
)
def test_all_others_are_open_to_everybody(op_id: str) -> None:
    assert refusal_of_derived(op_id, BOB, "opId") is None
    assert refusal_of_derived(made_id(op_id, "edits 1"), BOB, "opId") is None
