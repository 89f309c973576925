"""JSON that is valid and still refused."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.poison import find_poison


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
    assert find_poison([{}] * 100_001) is not None


def test_what_is_told_does_not_quote_the_value() -> None:
    assert "canary" not in str(find_poison({"canary\0": "canary\0"}))
