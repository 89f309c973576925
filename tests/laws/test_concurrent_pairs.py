"""No concurrent pair of link and parent commands closes a cycle, and none is refused without a reason."""

from __future__ import annotations

from typing import Any

import pytest

from actors.project import cycles, links, parents
from tests.laws.concurrent_pairs import run


async def test_concurrent_pairs_close_no_cycle_and_every_refusal_has_its_reason() -> None:
    result = await run(600, seed=3)
    assert result.violations == []
    assert min(result.outcomes[one] for one in ("both refused", "one accepted")) > 30
    assert result.outcomes["both accepted"] == 0
    assert {"cycle", "task_deleted"} <= set(result.reasons)


@pytest.mark.parametrize("module", [links, parents])
async def test_an_actor_that_forgets_to_look_is_caught(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "refuse_cycle", lambda *_: None)
    result = await run(60, seed=3)
    assert any("closed a cycle" in one for one in result.violations)


async def test_an_actor_that_sees_cycles_everywhere_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    look = cycles.refuse_cycle

    def wrong(state: Any, first: str, then: str, by: str) -> Any:
        refused = look(state, first, then, by)
        return refused or look(state, first, first, by)

    monkeypatch.setattr(links, "refuse_cycle", wrong)
    result = await run(60, seed=3)
    assert any("refused without reason" in one for one in result.violations)
