"""What is held for slow clients is counted for each of them, and in all."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import OPERATOR, Principal
from server.held_bytes import READER, Bound, HeldBytes, holder_in

ADA = Principal("ada", "user")
BOT = Principal("bot", "bot", owner_id="ada")
BOB = Principal("bob", "user")
FULL = Rejection(ErrorCode.OVERLOADED, "too much")
FULL_FOR_USER = Rejection(ErrorCode.OVERLOADED, "too much of one")


def held_bytes() -> HeldBytes:
    return HeldBytes(in_all=Bound(100, FULL), per_user=Bound(40, FULL_FOR_USER))


def test_each_has_a_bound_and_all_have_one() -> None:
    held = held_bytes()
    assert held.refusal(ADA.counts_for, 1000) is None
    with held.holding(ADA.counts_for, 30):
        assert [held.refusal(one.counts_for, 10) for one in (ADA, BOT, BOB, OPERATOR)] == [None] * 4
        assert [held.refusal(one.counts_for, 11) for one in (ADA, BOT)] == [FULL_FOR_USER] * 2
        assert [held.refusal(one.counts_for, 70) for one in (BOB, OPERATOR)] == [None] * 2
        assert [held.refusal(one.counts_for, 71) for one in (BOB, OPERATOR)] == [FULL] * 2
        with held.holding(OPERATOR.counts_for, 60), held.holding(BOB.counts_for, 10):
            assert (held.bytes, len(held)) == (100, 3)
            assert held.refusal(OPERATOR.counts_for, 1) is FULL
    assert (held.bytes, len(held)) == (0, 0)


def test_what_has_no_room_is_not_counted() -> None:
    held = held_bytes()
    with held.taking("ada", 30):
        with pytest.raises(Rejected) as refused, held.taking("ada", 11):
            pass
        assert (refused.value.rejection, held.bytes, len(held)) == (FULL_FOR_USER, 30, 1)
    assert (held.bytes, len(held)) == (0, 0)


def test_what_fails_gives_its_room_back() -> None:
    held = held_bytes()
    with pytest.raises(ConnectionError), held.taking("ada", 30):
        raise ConnectionError
    assert (held.bytes, len(held)) == (0, 0)


def test_a_household_is_one_address() -> None:
    request = make_mocked_request("GET", "/")
    holders = [holder_in(request.clone(remote=f"2001:db8:0:{net}::{host}")) for net in (1, 2) for host in (1, 2)]
    assert (holders[0], holders[2]) == (holders[1], holders[3])
    assert holders[0] != holders[2]


def test_a_bot_is_its_person_and_the_operator_is_nobody() -> None:
    request = make_mocked_request("GET", "/")
    holders = []
    for reader in (ADA, BOT, OPERATOR):
        request[READER] = reader
        holders.append(holder_in(request))
    assert holders == ["ada", "ada", None]
