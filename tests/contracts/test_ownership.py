"""The contract of `actors.ports.Ownership`."""

import pytest

from protocol.log import SHARDS
from tests.contracts.storages import LEASE_S, SESSION, Storage


async def test_there_are_128_shards_that_nobody_owns(storage: Storage) -> None:
    rows = await storage.ownership.shards()
    assert [row.shard for row in rows] == list(range(SHARDS))
    assert {(row.epoch, row.head, row.owner, row.owner_alive) for row in rows} == {(0, 0, None, False)}


async def test_a_claim_takes_free_shards_under_a_higher_epoch(storage: Storage) -> None:
    claimed = await storage.own(*range(SHARDS))
    assert [shard.shard for shard in claimed] == list(range(SHARDS))
    assert {(shard.epoch, shard.head) for shard in claimed} == {(7, 0)}
    row = (await storage.ownership.shards())[5]
    assert (row.owner, row.owner_alive, row.epoch) == (SESSION, True, 7)


async def test_the_owner_may_claim_again_and_its_old_epoch_is_over(storage: Storage) -> None:
    await storage.own(5)
    [again] = await storage.claim(5, step=3)
    assert again.epoch == 10


async def test_a_claim_with_an_old_epoch_gets_nothing(storage: Storage) -> None:
    await storage.own(5, 6)
    claimed = await storage.ownership.claim(SESSION, {5: 0, 6: 7}, 1)
    assert [shard.shard for shard in claimed] == [6]


async def test_a_live_owner_keeps_its_shards(storage: Storage) -> None:
    await storage.own(5)
    other = await storage.own(5, 6, session="session-2", node="node-2")
    assert [shard.shard for shard in other] == [6]


async def test_an_expired_session_that_nobody_ended_keeps_its_shards(storage: Storage) -> None:
    await storage.own(5)
    await storage.pass_time(LEASE_S + 1)
    assert await storage.own(5, session="session-2", node="node-2") == []
    assert await storage.ownership.beat(SESSION, LEASE_S), "and may go on"


async def test_shards_of_an_ended_session_are_free(storage: Storage) -> None:
    await storage.own(5)
    await storage.ownership.close_session(SESSION)
    assert (await storage.ownership.shards())[5].owner_alive is False
    [taken] = await storage.own(5, session="session-2", node="node-2")
    assert taken.epoch == 14


async def test_a_session_without_a_row_claims_nothing(storage: Storage) -> None:
    assert await storage.claim(5, session="nobody") == []


async def leases(storage: Storage) -> dict[str, int]:
    """As a watcher sees them."""
    return {node.session: node.lease_until_us for node in await storage.ownership.nodes()}


async def test_sessions_are_seen_with_what_is_left_of_their_lease(storage: Storage) -> None:
    ownership = storage.ownership
    await ownership.open_session("old", "node-1", "127.0.0.1:1", LEASE_S)
    await storage.pass_time(LEASE_S + 1)
    await ownership.open_session("young", "node-2", "127.0.0.1:2", LEASE_S)
    old, young = await ownership.nodes()
    assert (old.session, old.node_id, old.address) == ("old", "node-1", "127.0.0.1:1")
    assert (young.session, young.node_id, young.address) == ("young", "node-2", "127.0.0.1:2")
    assert old.lease_left_s < 0 < young.lease_left_s <= LEASE_S


async def test_reaping_ends_what_was_seen_and_nothing_else_and_the_beats_say_so(storage: Storage) -> None:
    ownership = storage.ownership
    await ownership.open_session("old", "node-1", "127.0.0.1:1", LEASE_S)
    await ownership.open_session("young", "node-2", "127.0.0.1:2", LEASE_S)
    await storage.pass_time(LEASE_S + 1)
    seen = await leases(storage)
    assert await ownership.reap({}) == []
    assert await ownership.reap({"old": seen["young"] + 1, "nobody": seen["old"]}) == []
    assert await ownership.reap({"old": seen["old"]}) == ["old"]
    assert await ownership.reap(seen | {"young": 0}) == []
    assert await ownership.beat("old", LEASE_S) is False
    assert await ownership.beat("young", LEASE_S) is True


async def test_a_session_is_ended_also_where_its_lease_seems_to_hold(storage: Storage) -> None:
    await storage.own(5)
    assert await storage.ownership.reap(await leases(storage)) == [SESSION]
    assert (await storage.ownership.shards())[5].owner_alive is False


async def test_a_beat_after_the_look_saves_the_session(storage: Storage) -> None:
    await storage.own()
    seen = await leases(storage)
    await storage.pass_time(LEASE_S + 1)
    assert await storage.ownership.beat(SESSION, LEASE_S)
    assert await storage.ownership.reap(seen) == []


async def test_a_node_that_comes_back_ends_its_earlier_session_at_once(storage: Storage) -> None:
    await storage.own(5)
    [claimed] = await storage.own(5, session="session-2")
    assert claimed.epoch == 14
    assert await storage.ownership.beat(SESSION, LEASE_S) is False
    assert [node.session for node in await storage.ownership.nodes()] == ["session-2"]


async def test_closing_a_session_twice_is_harmless(storage: Storage) -> None:
    await storage.own()
    await storage.ownership.close_session(SESSION)
    await storage.ownership.close_session(SESSION)
    assert await storage.ownership.nodes() == []


async def test_an_epoch_never_falls(storage: Storage) -> None:
    await storage.own()
    with pytest.raises(ValueError, match="grows"):
        await storage.claim(5, step=0)
