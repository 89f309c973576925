"""Commands as the edges send them."""

from __future__ import annotations

from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.tasks import CreateTask
from server.streams import Wish, refused_base
from tests.server.clock import RandomIds
from tests.server.world import World


def test_only_a_base_is_refused() -> None:
    refused = refused_base(7)
    assert refused is not None
    assert (refused.code, refused.retryable, refused.details) == (ErrorCode.INVALID, False, {"field": "base"})
    assert refused_base(0) is not None
    assert refused_base(None) is None


async def test_a_wish_with_a_base_is_refused_and_does_nothing(world: World) -> None:
    ada = await world.register("ada")
    project = await world.project(ada)
    wish = Wish(f"project/{project['id']}", CreateTask(title="x"), Principal(ada.id), RandomIds().new_id(), base=1)
    outcome = await world.streams.command(wish)
    assert isinstance(outcome, Rejection)
    assert outcome.details == {"field": "base"}
    tasks = await world.http.get(f"/v1/projects/{project['id']}/tasks", headers=ada.auth)
    assert await tasks.json() == []
