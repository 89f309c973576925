"""The node's session: refusing, taking over, being fenced, outages. Time is moved by the tests."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from protocol.faults import NotApplied
from protocol.log import SHARDS
from server.ids import SystemIds
from server.lease_watch import SAFETY_S, AnotherNodeOwns, Lease
from server.node import Node, SessionLost, WatchedShards
from tests.server.one_database import LEASE, Database


@pytest.fixture
def database() -> Database:
    return Database()


async def test_the_first_node_takes_all_shards_at_once(database: Database) -> None:
    node = database.node("a")
    began = database.clock.seconds

    await node.open()

    assert database.owners() == {"session-a"}
    assert database.clock.seconds == began
    assert node.may_serve()
    assert await node.ready() is None


async def test_a_second_node_is_refused_while_the_first_renews_its_lease(database: Database) -> None:
    await database.node("a").open()
    database.meanwhile = lambda _: database.renew("a")
    second = database.node("b")

    with pytest.raises(AnotherNodeOwns, match=r"node node-a at http://a:8080.*Stop that one first"):
        await second.open()

    assert database.owners() == {"session-a"}
    assert list(database.rows.nodes) == ["session-a"], "the refused node leaves nothing behind"


async def test_a_node_that_closed_its_session_is_followed_at_once(database: Database) -> None:
    first = database.node("a")
    await first.open()
    await first.close()
    began = database.clock.seconds

    await database.node("b").open()

    assert database.owners() == {"session-b"}
    assert database.clock.seconds == began


async def test_a_dead_node_is_followed_after_two_leases_of_own_beats(database: Database) -> None:
    await database.node("a").open()
    epochs = [row.epoch for row in database.rows.shards]
    began = database.clock.seconds
    second = database.node("b")

    await second.open()

    assert database.owners() == {"session-b"}
    assert database.clock.seconds - began == 2 * LEASE.lease_s
    assert all(row.epoch > epoch for row, epoch in zip(database.rows.shards, epochs, strict=True))
    assert second.may_serve()


async def test_the_same_node_started_again_waits_for_nobody(database: Database) -> None:
    await database.node("a").open()
    began = database.clock.seconds
    again = Node(
        database.ownership,
        WatchedShards("session-a2", database.clock),
        node_id="node-a",
        address="http://a:8080",
        clock=database.clock,
        ids=SystemIds(),
        lease=LEASE,
        sleep=database.pause,
    )

    await again.open()

    assert database.owners() == {"session-a2"}
    assert database.clock.seconds == began


async def test_a_node_that_wakes_up_while_it_is_watched_keeps_its_shards(database: Database) -> None:
    await database.node("a").open()

    def wake_up(after_s: float) -> None:
        if after_s >= 8:
            database.renew("a")

    database.meanwhile = wake_up
    with pytest.raises(AnotherNodeOwns):
        await database.node("b").open()
    assert database.owners() == {"session-a"}


@pytest.mark.parametrize(("back_s", "longest_s"), [(30, 37), (3600, 68)])
async def test_a_dead_node_is_followed_though_the_databases_clock_stepped_back(
    database: Database, back_s: int, longest_s: float
) -> None:
    await database.node("a").open()
    database.ahead_s -= back_s
    began = database.clock.seconds

    await database.node("b").open()

    assert database.owners() == {"session-b"}
    assert 2 * LEASE.lease_s <= database.clock.seconds - began <= longest_s


@pytest.mark.parametrize("step_s", [-3600, -3, 3, 3600])
async def test_a_live_node_is_respected_wherever_the_databases_clock_steps(database: Database, step_s: int) -> None:
    await database.node("a").open()

    def step_and_renew(after_s: float) -> None:
        if after_s == 3:
            database.ahead_s += step_s
        if after_s % 2 == 0:
            database.renew("a")

    database.meanwhile = step_and_renew
    with pytest.raises(AnotherNodeOwns):
        await database.node("b").open()
    assert database.owners() == {"session-a"}


async def test_a_node_that_beats_rarely_because_its_lease_is_long_is_respected(database: Database) -> None:
    await database.node("a").open()
    rows = database.rows.nodes["session-a"]
    rows.lease_until_s = database.now_s() + 300

    def renew_each_minute(after_s: float) -> None:
        if after_s % 60 == 0:
            rows.lease_until_s = database.now_s() + 300

    database.meanwhile = renew_each_minute
    with pytest.raises(AnotherNodeOwns):
        await database.node("b").open()
    assert database.owners() == {"session-a"}


async def test_whoever_waits_for_another_session_says_so_once(database: Database) -> None:
    await database.node("a").open()
    with capture_logs() as logs:
        await database.node("b").open()
    [waiting] = [line for line in logs if "waiting whether its lease runs out" in line["event"]]
    assert (waiting["node_id"], waiting["address"]) == ("node-a", "http://a:8080")


async def test_an_outage_while_watching_begins_the_watch_anew(database: Database) -> None:
    await database.node("a").open()
    began = database.clock.seconds
    second = database.node("b")

    async def beat_without_line() -> None:
        database.away = True
        await second._beat_or_break()
        database.away = False

    def outage(after_s: float) -> None:
        if after_s == 8:
            asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(beat_without_line()))

    database.meanwhile = outage
    await second.open()

    assert database.clock.seconds - began > 8 + 2 * LEASE.lease_s - LEASE.beat_interval_s
    assert database.owners() == {"session-b"}


async def test_reads_stop_half_a_second_before_the_lease_and_go_on_with_the_next_beat(database: Database) -> None:
    node = database.node("a")
    await node.open()
    database.away = True

    database.clock.seconds += LEASE.lease_s - SAFETY_S - 0.01
    await node._beat_or_break()
    assert node.may_serve()
    database.clock.seconds += 0.01
    assert not node.may_serve()
    assert await node.ready() == "the lease could not be renewed: the database does not answer"

    database.clock.seconds += 1000
    database.away = False
    await node._beat_or_break()
    assert node.may_serve(), "nobody ended the session, so everything goes on"
    assert await node.ready() is None


async def test_a_reader_waits_for_the_renewal_after_an_outage(database: Database) -> None:
    node = database.node("a")
    await node.open()
    database.clock.seconds += LEASE.lease_s
    reading = asyncio.create_task(node.served())
    await asyncio.sleep(0)
    assert not reading.done()
    await node._beat_or_break()
    assert await reading


async def test_a_reader_does_not_wait_for_long(database: Database) -> None:
    node = database.node("a")
    await node.open()
    database.clock.seconds += LEASE.lease_s
    node._lease = Lease(LEASE.lease_s, LEASE.beat_interval_s, wait_s=0)
    assert not await node.served()


async def test_a_beat_that_was_answered_too_late_is_followed_at_once(database: Database) -> None:
    node = database.node("a")
    await node.open()
    answered = database.ownership.beat

    async def stood_still(session: str, lease_s: float) -> bool:
        database.clock.seconds += 10 * LEASE.lease_s
        database.ownership.beat = answered  # type: ignore[method-assign]
        return await answered(session, lease_s)

    database.ownership.beat = stood_still  # type: ignore[method-assign]
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > 1:
            await asyncio.Event().wait()

    node._sleep = pause
    beating = asyncio.create_task(node.run())
    async with asyncio.timeout(5):
        assert await node.served()
        while len(pauses) < 2 or not node.may_serve():  # noqa: ASYNC110 - no other sign of the second pause
            await asyncio.sleep(0)
    beating.cancel()
    assert node.may_serve(), "one pause before the late beat, none before the next"


async def test_a_paused_node_learns_from_its_first_beat_that_it_is_over(database: Database) -> None:
    first, second = database.node("a"), database.node("b")
    await first.open()
    await second.open()

    assert not first.may_serve(), "its deadline passed while it was paused"
    with pytest.raises(SessionLost, match="ended by another node"):
        await first.run()
    assert first.is_over
    assert not first.may_serve()
    assert database.owners() == {"session-b"}


async def test_a_lost_shard_ends_the_session_before_the_next_beat(database: Database) -> None:
    shards = WatchedShards("session-a", database.clock)

    async def never(_: float) -> None:
        await asyncio.Event().wait()

    node = Node(
        database.ownership,
        shards,
        node_id="node-a",
        address="http://a:8080",
        clock=database.clock,
        ids=SystemIds(),
        lease=LEASE,
        sleep=never,
    )
    await node.open()
    running = asyncio.create_task(node.run())
    await asyncio.sleep(0)

    shards.lost(17)

    assert not node.may_serve(), "at once, in the same turn"
    with pytest.raises(SessionLost, match="taken shards"):
        await running
    assert await node.ready() == "this node's session was ended by another node"


async def test_two_nodes_that_start_together_do_not_share_the_shards(database: Database) -> None:
    first, second = database.node("a"), database.node("b")

    def renew_both(_: float) -> None:
        for name in ("a", "b"):
            if f"session-{name}" in database.rows.nodes:
                database.renew(name)

    database.meanwhile = renew_both
    outcomes = await asyncio.gather(first.open(), second.open(), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes if outcome is not None] == [AnotherNodeOwns]
    assert len(database.owners()) == 1
    assert len(database.rows.shards) == SHARDS


async def test_a_start_without_a_database_says_so(database: Database) -> None:
    database.away = True

    with pytest.raises(NotApplied):
        await database.node("a").open()
