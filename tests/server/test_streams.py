"""Commands as the edges send them."""

from __future__ import annotations

from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.tasks import CreateTask
from server.rate_limits import RateLimits, Rates
from server.streams import Streams, Wish
from server.telemetry import Meters
from tests.server.clock import RandomIds
from tests.server.world import World


async def test_a_base_that_nobody_has_seen_is_refused_and_nothing_is_done(world: World) -> None:
    ada = await world.register("ada")
    project = await world.project(ada)
    wish = Wish(f"project/{project['id']}", CreateTask(title="x"), Principal(ada.id), RandomIds().new_id(), base=2)
    outcome = await world.streams.command(wish)
    assert isinstance(outcome, Rejection)
    assert outcome.code is ErrorCode.INVALID
    assert outcome.details == {"reason": "base_in_future", "field": "base", "seq": 1}
    tasks = await world.http.get(f"/v1/projects/{project['id']}/tasks", headers=ada.auth)
    assert await tasks.json() == []


async def test_a_command_beyond_the_rate_is_counted_like_every_other_answer(world: World) -> None:
    ada, meters, rates = await world.register("ada"), Meters(), Rates(RateLimits(commands_max=1), lambda: 0.0)
    streams = Streams(world.region, world.clock, 10, meters, rates)
    stream = f"project/{(await world.project(ada))['id']}"
    for _ in range(2):
        await streams.command(Wish(stream, CreateTask(title="x"), Principal(ada.id), RandomIds().new_id()))
    for code in ("accepted", "rate_limited"):
        assert f'pantherahive_commands_total{{code="{code}",kind="project"}} 1.0' in meters.exposition().decode()
