"""Who is in the way of a change of the tables, and for how long. Time is moved by the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from protocol.log import NodeRow
from server.lease_watch import AnotherNodeOwns, Lease, Outliving
from storage.memory.ownership import MemoryOwnership
from storage.memory.shards import MemoryShards

LEASE = Lease(lease_s=5.0, beat_interval_s=1.0)


class World:
    """A database with a clock, and what happens in it while somebody waits."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.rows = MemoryShards()
        self.ownership = MemoryOwnership(self.rows, lambda: self.seconds)
        # Called at each pause, with the seconds since the first one.
        self.meanwhile: Callable[[float], None] = lambda _: None
        # How long the database takes for the next answer.
        self.slow_s = 0.0
        self.asked = 0

    @property
    def waited_s(self) -> float:
        return self.seconds - 1000.0

    async def pause(self, seconds: float) -> None:
        self.seconds += seconds
        self.meanwhile(self.waited_s)

    async def nodes(self) -> Sequence[NodeRow]:
        """As `Sessions` has it."""
        self.asked += 1
        rows = await self.ownership.nodes()
        self.seconds, self.slow_s = self.seconds + self.slow_s, 0.0
        return rows

    async def reap(self, seen: Mapping[str, int]) -> Sequence[str]:
        """As `Sessions` has it."""
        return await self.ownership.reap(seen)

    async def live(self, name: str) -> None:
        await self.ownership.open_session(f"session-{name}", f"node-{name}", f"http://{name}:8080", LEASE.lease_s)

    def renew(self, name: str) -> None:
        """The beat of a node that is somewhere else."""
        self.rows.nodes[f"session-{name}"].lease_until_s = self.seconds + LEASE.lease_s

    async def outlive(self, node_id: str | None = "node-b") -> None:
        await Outliving(node_id, LEASE, lambda: self.seconds, self.pause).outlive(self)


@pytest.fixture
def world() -> World:
    return World()


async def test_where_nobody_is_nobody_waits(world: World) -> None:
    await world.outlive()
    assert (world.waited_s, world.asked) == (0.0, 1)


async def test_the_own_earlier_session_is_in_nobodys_way(world: World) -> None:
    await world.live("b")
    await world.outlive("node-b")
    assert world.waited_s == 0.0
    assert list(world.rows.nodes) == ["session-b"], "it ends with the beginning of the next one"


async def test_a_renewed_session_refuses_and_goes_on(world: World) -> None:
    await world.live("a")
    world.meanwhile = lambda _: world.renew("a")
    with pytest.raises(AnotherNodeOwns, match=r"node node-a at http://a:8080.*Stop that one first"):
        await world.outlive()
    assert world.waited_s == 6.0
    assert list(world.rows.nodes) == ["session-a"]


async def test_a_visitor_without_an_id_respects_every_session(world: World) -> None:
    await world.live("b")
    world.meanwhile = lambda _: world.renew("b")
    with pytest.raises(AnotherNodeOwns):
        await world.outlive(None)


async def test_a_silent_session_is_ended_after_two_leases(world: World) -> None:
    await world.live("a")
    await world.outlive()
    assert world.waited_s == 2 * LEASE.lease_s
    assert world.rows.nodes == {}, "whoever was only frozen has to learn that it is over"


async def test_a_session_that_stops_in_order_is_waited_for(world: World) -> None:
    await world.live("a")

    def stop(after_s: float) -> None:
        world.renew("a")
        if after_s == 4:
            world.rows.nodes.clear()

    world.meanwhile = lambda after_s: stop(after_s)
    await world.outlive()
    assert world.waited_s == 4.0


async def test_a_last_beat_after_the_first_look_is_no_sign_of_life_for_long(world: World) -> None:
    await world.live("a")
    world.meanwhile = lambda after_s: world.renew("a") if after_s == 1 else None
    await world.outlive()
    assert world.rows.nodes == {}


async def test_a_database_that_stood_still_begins_the_watch_anew(world: World) -> None:
    await world.live("a")
    world.meanwhile = lambda after_s: setattr(world, "slow_s", 30.0) if after_s == 7 else None
    await world.outlive()
    assert world.waited_s == 7 + 30 + 2 * LEASE.lease_s


async def test_a_session_that_beats_while_it_is_ended_goes_on(world: World) -> None:
    await world.live("a")
    ended = world.reap

    async def beaten(seen: Mapping[str, int]) -> Sequence[str]:
        world.renew("a")
        return await ended(seen)

    world.reap = beaten  # type: ignore[method-assign]
    with pytest.raises(AnotherNodeOwns):
        await world.outlive()
    assert list(world.rows.nodes) == ["session-a"]
