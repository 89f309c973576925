"""JSON that is valid and still refused."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.poison import NODES_MAX, find_poison, may_hold_poison


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 1.5, -(2**53) + 1, 2**53 - 1, "", "ä😀", [], {}, {"a": [{"b": None}]}, nested(32), "\n\t"],
)
def test_ordinary_values_pass(value: Any) -> None:
    assert find_poison(value) is None


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**53,
        -(2**53),
        1e300,
        10**90,
        "\0",
        "\ud800",
        {"\0": 1},
        {"\udfff": 1},
        {1: 1},
        nested(33),
        nested(100_000),
        b"bytes",
        {"a": [{"b": ["\0"]}]},
    ],
)
def test_poison_is_found_at_any_depth(value: Any) -> None:
    assert find_poison(value) is not None
    assert find_poison([value]) is not None
    assert find_poison({"key": value}) is not None


def test_floods_of_tiny_values_are_found() -> None:
    assert find_poison([{}] * NODES_MAX) is not None
    assert find_poison([{}] * (NODES_MAX - 1)) is None
    assert find_poison([[[0] * 79]] * 100) is not None


def test_nothing_is_made_for_what_is_looked_at() -> None:
    """But for one list of each depth, of 8 bytes for each value."""
    flood: list[Any] = [{}] * (NODES_MAX - 1)
    tracemalloc.start()
    try:
        assert find_poison(flood) is None
        assert tracemalloc.get_traced_memory()[1] < 20 * NODES_MAX
    finally:
        tracemalloc.stop()


def test_a_long_text_need_not_be_searched() -> None:
    text = json.dumps(["command", {"data": {"description": "a word, " * (NODES_MAX // 2)}}])
    assert len(text) > NODES_MAX
    assert not may_hold_poison(text)
    assert may_hold_poison(json.dumps([0] * NODES_MAX))


def test_what_is_told_does_not_quote_the_value() -> None:
    assert "canary" not in str(find_poison({"canary\0": "canary\0"}))


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["\0", "1e9", ", 1234567890123456", "\\u0000", 2**53, -(2**53), 1e16, 1e300]),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
)


@given(st.lists(_JSON), st.booleans(), st.sampled_from([None, 1]), st.integers(1, 6), st.integers(1, 40))
def test_what_is_not_searched_holds_nothing(
    value: list[Any], ensure_ascii: bool, indent: int | None, depth_max: int, nodes_max: int
) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
    if not may_hold_poison(text, depth_max, nodes_max):
        assert find_poison(orjson.loads(text), depth_max, nodes_max) is None


def test_a_command_need_not_be_searched() -> None:
    data = {"taskId": "0199aaaa-bbbb-7ccc-8ddd-1234567890e5", "title": 'Größer als "1e9" 😀', "estimateMinutes": 90}
    text = json.dumps(["command", {"stream": "project/0199aaaa", "data": data}], ensure_ascii=False)
    assert not may_hold_poison(text)
