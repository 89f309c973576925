"""A command names the one before it as long as that one's outcome is not known, and no longer."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from pantherahive_client.outcomes import OUTCOMES_MAX, KnownOutcomes

STREAM = "project/p"


def frame(op_id: str, after: Any = None, stream: str = STREAM) -> dict[str, Any]:
    return {"stream": stream, "opId": op_id, "data": {}} | ({} if after is None else {"afterOpId": after})


def test_only_what_has_no_outcome_is_named() -> None:
    outcomes = KnownOutcomes()
    outcomes.begun(frame("a"))
    assert outcomes.due(frame("b", "a")) == frame("b", "a")
    outcomes.accepted(frame("a"))
    assert outcomes.due(frame("b", "a")) == frame("b")
    outcomes.refused(frame("b", "a"))
    assert outcomes.due(frame("c", "b")) == frame("c")
    assert outcomes.due(frame("d")) == frame("d")


def test_ids_are_compared_as_the_server_does_and_within_their_stream() -> None:
    outcomes = KnownOutcomes()
    outcomes.accepted(frame("A"))
    assert outcomes.due(frame("b", "a")) == frame("b")
    assert outcomes.due(frame("b", "a", "project/q")) == frame("b", "a", "project/q")


def test_what_comes_after_a_refused_one_comes_after_what_that_one_came_after() -> None:
    """The refused ones need not have waited: what cannot be read is refused before anything is looked at."""
    outcomes = KnownOutcomes()
    outcomes.refused(frame("c", "b"))
    outcomes.refused(frame("d", "c"))
    assert outcomes.due(frame("e", "d")) == frame("e", "b")
    outcomes.refused(frame("b", "a"))
    assert outcomes.due(frame("e", "d")) == frame("e", "a")
    outcomes.accepted(frame("a"))
    assert outcomes.due(frame("e", "d")) == frame("e")


def test_what_comes_after_an_accepted_one_waits_for_nothing() -> None:
    outcomes = KnownOutcomes()
    outcomes.accepted(frame("b", "a"))
    assert outcomes.due(frame("c", "b")) == frame("c")


def test_a_refused_one_that_is_sent_anew_is_on_its_way_again() -> None:
    outcomes = KnownOutcomes()
    outcomes.refused(frame("a"))
    outcomes.begun(frame("a"))
    assert outcomes.due(frame("b", "a")) == frame("b", "a")
    outcomes.accepted(frame("a"))
    outcomes.begun(frame("a"))
    assert outcomes.due(frame("b", "a")) == frame("b"), "what is in the log stays there"


@pytest.mark.parametrize(
    "refused",
    [
        [("a", "a")],
        [("a", "b"), ("b", "a")],
        [("a", "b"), ("b", "c"), ("c", "a")],
        [("b", "a"), ("a", "b"), ("b", "c")],
    ],
)
def test_commands_that_come_after_themselves_end_nowhere(refused: list[tuple[str, str]]) -> None:
    outcomes = KnownOutcomes()
    for number, (op_id, after) in enumerate(refused * 3):
        if number % 2:
            outcomes.begun(frame(after, op_id))
        outcomes.refused(frame(op_id, after))
        if number % 2:
            outcomes.ended(frame(after, op_id))
        for last in "abc":
            outcomes.due(frame("d", last))


def test_what_comes_after_what_came_after_it_and_was_refused_waits_for_nothing() -> None:
    outcomes = KnownOutcomes()
    outcomes.begun(frame("a", "b"))
    outcomes.refused(frame("b", "a"))
    assert outcomes.due(frame("a", "b")) == frame("a")


@pytest.mark.parametrize("what", ["accepted", "refused", "sent"])
def test_a_try_that_never_left_changes_nothing_that_is_known(what: str) -> None:
    outcomes = KnownOutcomes()
    getattr(outcomes, what)(frame("a"))
    before = outcomes.due(frame("b", "a"))
    outcomes.begun(frame("a", "z"))
    outcomes.ended(frame("a", "z"))
    assert outcomes.due(frame("b", "a")) == before


def test_what_never_left_is_waited_for_no_longer() -> None:
    outcomes = KnownOutcomes()
    outcomes.begun(frame("a", "z"))
    assert outcomes.due(frame("b", "a")) == frame("b", "a")
    outcomes.ended(frame("a", "z"))
    assert outcomes.due(frame("b", "a")) == frame("b", "z")


def test_the_newest_try_that_left_counts() -> None:
    outcomes = KnownOutcomes()
    for _ in range(2):
        outcomes.begun(frame("a"))
    outcomes.sent(frame("a"))
    outcomes.refused(frame("a"))
    outcomes.ended(frame("a"))
    assert outcomes.due(frame("b", "a")) == frame("b", "a"), "another one is to come"
    outcomes.ended(frame("a"))
    assert outcomes.due(frame("b", "a")) == frame("b"), "which never left"
    outcomes.sent(frame("a"))
    assert outcomes.due(frame("b", "a")) == frame("b", "a")


def test_what_was_accepted_stays_so() -> None:
    outcomes = KnownOutcomes()
    outcomes.accepted(frame("a"))
    outcomes.refused(frame("a", "z"))
    assert outcomes.due(frame("b", "a")) == frame("b")


def test_a_chain_of_refused_ones_is_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(OrderedDict[Any, Any]):
        reads = 0

        def get(self, key: Any, default: Any = None) -> Any:
            self.reads += 1
            return super().get(key, default)

    outcomes, known = KnownOutcomes(), Counting()
    monkeypatch.setattr(outcomes, "_known", known)
    for place in reversed(range(1, 1_000)):
        outcomes.refused(frame(str(place), str(place - 1)))
        assert outcomes.due(frame("last", "999"))["afterOpId"] == str(place - 1)
    assert known.reads < 10_000


@pytest.mark.parametrize("nonsense", ["", 5, [], {}, 1.5, False])
def test_what_is_no_id_is_left_to_the_server(nonsense: Any) -> None:
    outcomes = KnownOutcomes()
    outcomes.refused({"stream": STREAM, "opId": "a", "afterOpId": nonsense})
    assert outcomes.due(frame("b", nonsense))["afterOpId"] == nonsense


def test_the_oldest_outcomes_are_forgotten() -> None:
    assert OUTCOMES_MAX >= 10_000
    outcomes = KnownOutcomes(2)
    for op_id in "abac":
        outcomes.accepted(frame(op_id))
    assert [outcomes.due(frame("z", op_id)).get("afterOpId") for op_id in "abc"] == [None, "b", None]
