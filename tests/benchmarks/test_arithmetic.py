"""Samples, ratios, aims and their words."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.arena import role_of
from benchmarks.contenders import libpq_environment
from benchmarks.cores import Cores, two_cores
from benchmarks.figures import percentile
from benchmarks.generator import RunFailed, Sample, argument_list, sample_of
from benchmarks.profile import CONSUMERS, LAYERS, OTHERS, shares
from benchmarks.rounds import Samples
from benchmarks.targets import Aim, aims_of_rounds, cpu_total, ratio


def said(**changes: Any) -> dict[str, Any]:
    """What the generator says of a good run."""
    good = {
        "count": 1000, "per_s": 500.0, "sent_per_s": 5.0, "p50_us": 10.0, "p99_us": 20.0, "p999_us": 30.0,
        "cpu_us": {"server": 4000}, "lost": 0, "refused": 0, "given_up": 0, "closed": 0, "stalled": False,
    }  # fmt: skip
    return {**good, **changes}


def at(per_s: float, p99_us: float = 1.0) -> Sample:
    return Sample(per_s, 1.0, p99_us, 1.0)


def test_time_of_the_processor_is_told_per_delivery() -> None:
    assert sample_of(said()).cpu_us == {"server": 4.0}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"stalled": True}, "it stalled"),
        ({"refused": 3}, "3 refused"),
        ({"lost": 1, "closed": 2}, "1 lost, 2 closed"),
        ({"count": 0}, "nothing came"),
    ],
)
def test_a_run_that_measured_something_else_is_no_sample(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(RunFailed, match=why):
        sample_of(said(**changes))


def test_flags_that_are_not_wished_are_not_said() -> None:
    flags = {"mode": "fanout", "join_all": True, "raw": False, "rate": None, "conns": 3}
    assert argument_list(flags) == ["--mode", "fanout", "--join-all", "--conns", "3"]


def test_a_ratio_compares_runs_of_the_same_round() -> None:
    samples = Samples()
    for number, (mine, other) in enumerate([(10, 10), (40, 20), (90, 30)]):
        samples.add("fan1", "ours", number, at(mine))
        samples.add("fan1", "node-group", number, at(other))
    samples.add("fan1", "ours", 3, at(1000))
    assert ratio(samples, ("fan1", "ours"), ("fan1", "node-group")) == 2
    assert ratio(samples, ("fan1", "ours"), ("fan1", "limit")) is None


def test_aims_say_what_is_missed_and_by_how_much() -> None:
    assert Aim("x", 2.0, 2.5).verdict == "reached"
    assert Aim("x", 2.0, 1.5).verdict == "**missed by 25 %**"
    assert Aim("x", 50, 60, at_least=False, unit="ms").row() == ["x", "≤ 50 ms", "60 ms", "**missed by 20 %**"]
    assert Aim("x", 2.0, None).row() == ["x", "≥ 2×", "–", "not measured"]
    assert Aim("x", 0, 3, at_least=False, unit="").verdict == "**missed**"


def test_every_target_of_the_comparison_has_its_pair() -> None:
    samples = Samples()
    fast, slow = at(100.0, 1.0), at(1.0, 10.0)
    for scenario in ("fan1", "aware1", "aware8", "awareopen", "commands8", "told8"):
        samples.add(scenario, "ours", 0, fast)
        for peer in ("node-group", "node-insert", "uws-group", "python-socketio", "limit"):
            samples.add(scenario, peer, 0, slow)
    aims = aims_of_rounds(samples)
    assert [aim.is_met for aim in aims] == [True] * 12
    assert all(aim.is_met is None for aim in aims_of_rounds(Samples()))


def test_processor_groups_are_added_by_their_prefix() -> None:
    assert cpu_total({"postgres_append": 1.0, "postgres_write": 2.0, "server": 4.0}, "postgres") == 3.0


def test_connections_of_the_product_are_told_apart_by_their_names() -> None:
    names = ["pantherahive/s/lane-0", "pantherahive/s/write", "pantherahive/s/read", ""]
    assert [role_of(name) for name in names] == ["append", "write", "rest", "rest"]


def test_the_address_of_postgres_as_environment() -> None:
    assert libpq_environment("postgresql://hive@/base?host=%2Frun%2Fx&port=5432") == {
        "PGHOST": "/run/x", "PGPORT": "5432", "PGUSER": "hive", "PGDATABASE": "base",
    }  # fmt: skip


def test_the_server_and_the_generator_get_different_cores_where_there_are_two() -> None:
    assert two_cores({3, 1, 2}) == Cores(1, 3)
    assert two_cores({5}) == Cores(5, 5)


def test_percentiles_are_by_nearest_rank() -> None:
    assert [percentile([4, 1, 3, 2], share) for share in (0.25, 0.5, 1.0)] == [1, 2, 4]
    assert percentile([7.0], 0.99) == 7.0


def test_samples_of_the_stack_belong_to_consumers_or_to_the_innermost_layer() -> None:
    start = "<module> (server/__main__.py:9);run (asyncio/runners.py:118)"
    stacks = [
        f"{start};data_received (aiohttp/web_protocol.py:1);take (/x/server/gateway/engine.py:7);loads (orjson.py:2) 6",
        f"{start};run (/x/server/consumers/runner.py:3);decode (/x/protocol/messages.py:4) 3",
        f"{start};send (/x/.venv/site-packages/server/gateway/other.py:1) 1",
        "not a stack",
    ]
    assert shares(stacks) == {LAYERS["server/gateway/"]: 0.6, CONSUMERS: 0.3, OTHERS: 0.1}
    assert shares([]) == {}
