"""What is on its way to clients is bounded in all and for each user, and one state always goes."""

from __future__ import annotations

from dataclasses import replace

from protocol.event import OPERATOR
from server.gateway.limits import GatewayLimits
from server.gateway.loads import EncodedState, Loads

LIMITS = replace(GatewayLimits(), snapshots_sending_max_bytes=100, snapshots_sending_per_user_max_bytes=40)


def on_way(loads: Loads, user: str | None, size_bytes: int) -> EncodedState:
    """A new state for the user."""
    state = EncodedState()
    loads.add(state, user)
    loads.grow(state, size_bytes)
    return state


def limit_in_the_way(loads: Loads, state: EncodedState, user: str | None) -> object:
    """None where there is room."""
    refusal = loads.refusal(state, user)
    return refusal and refusal.details["limit"]


def test_a_state_counts_once_however_many_places_it_is_on_its_way_to() -> None:
    loads = Loads(LIMITS)
    state = on_way(loads, "ada", 30)
    for user in ("ada", "bob", None):
        loads.add(state, user)
    assert loads.bytes == 30
    for user in ("ada", "bob", None):
        loads.remove(state, user)
        assert loads.bytes == 30
    loads.remove(state, "ada")
    assert (loads.bytes, len(loads)) == (0, 0)


def test_a_user_takes_no_more_than_a_share_and_leaves_the_rest_to_others() -> None:
    loads = Loads(LIMITS)
    on_way(loads, "ada", 30)
    second, bobs = on_way(loads, "ada", 11), on_way(loads, "bob", 40)
    assert limit_in_the_way(loads, second, "ada") == "snapshots-sending-per-user"
    assert limit_in_the_way(loads, bobs, "bob") is None


def test_what_many_users_have_on_their_way_is_bounded_in_all() -> None:
    loads = Loads(LIMITS)
    for number in range(3):
        assert limit_in_the_way(loads, on_way(loads, f"user {number}", 33), f"user {number}") is None
    for user in ("eve", None):
        late = on_way(loads, user, 2)
        assert limit_in_the_way(loads, late, user) == "snapshots-sending"
        loads.remove(late, user)
    assert loads.bytes == 99


def test_the_first_goes_however_large_it_is_and_then_nothing_beside_it() -> None:
    loads = Loads(LIMITS)
    giant, other = on_way(loads, "ada", 1000), EncodedState()
    assert limit_in_the_way(loads, giant, "ada") is None
    loads.add(other, "bob")
    assert limit_in_the_way(loads, other, "bob") == "snapshots-sending"
    loads.remove(giant, "ada")
    assert limit_in_the_way(loads, other, "bob") is None


def test_what_has_no_bytes_yet_does_not_begin_where_all_room_is_taken() -> None:
    loads = Loads(LIMITS)
    on_way(loads, "ada", 40)
    empty = EncodedState()
    loads.add(empty, "ada")
    assert limit_in_the_way(loads, empty, "ada") == "snapshots-sending-per-user"


def test_the_operator_has_no_bound_but_that_of_all() -> None:
    loads = Loads(LIMITS)
    states = [on_way(loads, OPERATOR.counts_for, 45) for _ in range(3)]
    assert [limit_in_the_way(loads, state, None) for state in states[:2]] == [None, "snapshots-sending"]
    loads.remove(states.pop(), None)
    assert limit_in_the_way(loads, states[1], None) is None
