"""Who sends commands."""

from __future__ import annotations

from protocol.event import OPERATOR, SYSTEM, Principal


def test_bots_use_up_the_limits_of_their_owner_and_the_operator_nobodys() -> None:
    assert Principal("bot", "bot", owner_id="ada").counts_for == Principal("ada").counts_for == "ada"
    assert OPERATOR.counts_for is SYSTEM.counts_for is None
