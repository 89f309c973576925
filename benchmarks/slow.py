"""Followers that never read, and followers that read too slowly, among a thousand: what the others notice."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.arena import Arena
from benchmarks.contenders import OURS, Stage
from benchmarks.figures import Section, median
from benchmarks.generator import RunFailed
from benchmarks.rounds import say
from benchmarks.scenarios import DURABLE_FAN
from benchmarks.targets import Aim
from benchmarks.watch import Look, began_s, gone_after_s, memory_max, settled_after_s, settled_by, watched
from server.metrics_page import PAGE_AGE_MAX_S

_SHARE = 0.05
_EVENT_BYTES = 6 * 1024
"""Of description in each edit: large, so that what is not read passes the limit within seconds."""
_EDITED_TASKS = 5
"""So few that the state is soon less than the entries: where it is not, slow ones get these, and no state."""
_PER_S = 12
_SLOW_BYTES_PER_S = 50_000
_DURATION_S = 22.0
"""Slow ones pass their limit after about 13 s, and have the grace then."""
_WARM_S = 2.0
_LIMIT_BYTES = (1 << 20) + (256 << 10)
"""Unsent bytes that the server allows a connection, and what its kernel takes before: twice what it is told to."""
_REST_S = 2.0
_LOOKING_S = 0.5 + PAGE_AGE_MAX_S
"""How exactly the moment of passing the limit and that of the end are known."""
_LEAVING_S = 0.3
"""Before its end the generator waits for what is under way, and then all of its connections go."""


@dataclass(frozen=True, slots=True)
class Crowded:
    """One run: what the generator said, and what was seen of the server meanwhile."""

    said: Mapping[str, Any]
    looks: Sequence[Look]
    # Followers that keep up, those that never read, and those that read slowly.
    healthy: int
    never: int
    slow: int

    @property
    def bytes_per_s(self) -> float:
        """What every follower is sent."""
        return float(self.said["bytes_in"] / self.healthy / self.said["seconds"])

    @property
    def never_gone_s(self) -> float | None:
        """How long the last never-reading one was kept after its limit was passed; None: it was kept for good.

        What its own kernel had taken does not count for the server.
        """
        gone_s = gone_after_s(self.looks, self.never)
        return None if gone_s is None else gone_s - (self.said["unread_max"] + _LIMIT_BYTES) / self.bytes_per_s

    @property
    def settled(self) -> int:
        """Slow ones that were promised a state, or let go."""
        return min(self.slow, settled_by(self.looks, self.looks[-1], self.never))

    @property
    def settled_s(self) -> float | None:
        """How long after its limit was passed the last slow one was promised a state or let go; None: not all were."""
        after_s = settled_after_s(self.looks, self.never, self.slow)
        unread_per_s: float = self.bytes_per_s - _SLOW_BYTES_PER_S
        if after_s is None or unread_per_s <= 0:
            return None
        return after_s - float(self.said["unread_max"] + _LIMIT_BYTES) / unread_per_s

    @property
    def let_go(self) -> int:
        """Connections that were open and are not at the end, while nobody left by themself."""
        loaded = [look.connections for look in self.looks if look.at_s >= began_s(self.looks)]
        return max(loaded) - loaded[-1]

    @property
    def promised(self) -> int:
        """States that slow ones were promised instead of entries, because they were less."""
        return self.looks[-1].promised - self.looks[0].promised


def edit_message(stream: str) -> str:
    """An edit of a long description."""
    data = {"taskId": "$K", "description": "$T " + "x" * _EVENT_BYTES}
    payload = {"stream": stream, "opId": "$U", "type": "EditTask", "data": data}
    return f"42$A{json.dumps(['command', payload], separators=(',', ':'))}"


async def _run(arena: Arena, stage: Stage, followers: int, slow_each: int, seconds: float = _DURATION_S) -> Crowded:
    assert arena.crowd is not None
    healthy = followers - 2 * slow_each
    edited = arena.folder / "edited-tasks"
    edited.write_text("\n".join(arena.crowd.task_ids[:_EDITED_TASKS]))
    flags = {
        **await stage.flags(DURABLE_FAN),
        "port": stage.port,
        "message": edit_message(arena.crowd.stream),
        "keys": edited,
        "conns": healthy,
        "never": slow_each,
        "slow": slow_each,
        "slow_bytes": _SLOW_BYTES_PER_S,
        "rate": _PER_S,
        "duration": seconds,
        "warmup": 1,
    }
    async with watched(arena.product) as looks:
        said = await arena.generator.run("fanout", flags)
        end_s = asyncio.get_running_loop().time()
    if said["refused"] or said["lost"] or said["closed"]:
        wrong = ", ".join(f"{said[name]} {name}" for name in ("refused", "lost", "closed"))
        raise RunFailed(f"the healthy ones were not served: {wrong} ({said.get('complaint', '')})")
    loaded = [look for look in looks if look.at_s < end_s - _LEAVING_S]
    return Crowded({"unread_max": 0, "conflated": 0, **said}, loaded, healthy, slow_each, slow_each)


async def measure(arena: Arena, followers: int, rounds: int) -> tuple[Section, list[Aim]]:
    """A B A B: all healthy, then with slow ones in the places of some."""
    each = max(1, round(followers * _SHARE))
    alone: list[Crowded] = []
    among: list[Crowded] = []
    async with OURS.running(arena) as stage:
        await _run(arena, stage, followers, 0, _WARM_S)
        tasks_before = await arena.product.resting_tasks()
        for _ in range(rounds):
            alone.append(await _run(arena, stage, followers, 0))
            among.append(await _run(arena, stage, followers, each))
            p99_ms = [runs[-1].said["p99_us"] / 1000 for runs in (alone, among)]
            say(f"  p99 {p99_ms[0]:.1f} ms alone, {p99_ms[1]:.1f} ms among slow ones")
        await asyncio.sleep(_REST_S)
        tasks_after = await arena.product.resting_tasks()
    return _section(alone, among, each, tasks_before, tasks_after), _aims(
        alone, among, each, tasks_after - tasks_before
    )


def _grown_kb(alone: list[Crowded], among: list[Crowded], each: int) -> float:
    """Memory per slow one beyond what the same number of healthy ones takes."""
    both = zip(alone, among, strict=True)
    return median([(memory_max(slow.looks) - memory_max(well.looks)) / (2 * each) / 1024 for well, slow in both])


def _aims(alone: list[Crowded], among: list[Crowded], each: int, tasks: float) -> list[Aim]:
    p99 = median([b.said["p99_us"] / a.said["p99_us"] for a, b in zip(alone, among, strict=True)])
    what = "5 % never-reading and 5 % slow followers"
    return [
        Aim(f"{what}: p99 of the others", 1.1, p99, at_least=False),
        Aim(f"{what}: memory per slow one", 1024, _grown_kb(alone, among, each), at_least=False, unit="KB"),
        Aim(
            f"{what}: a never-reader past its limit stays (grace 5 s)",
            5 + _LOOKING_S,
            _longest_s([run.never_gone_s for run in among]),
            at_least=False,
            unit="s",
        ),
        Aim(
            f"{what}: a slow one past its limit is promised no state (grace 5 s)",
            5 + _LOOKING_S,
            _longest_s([run.settled_s for run in among]),
            at_least=False,
            unit="s",
        ),
        Aim(f"{what}: tasks left", 0, max(0.0, tasks), at_least=False, unit=""),
    ]


def _longest_s(times_s: Sequence[float | None]) -> float:
    """Infinite where one of them has no end."""
    return max(math.inf if time_s is None else time_s for time_s in times_s)


def _settled(runs: list[Crowded]) -> str:
    """`50 of 50, the last after 5.1 s`, of the worst run."""
    worst = max(runs, key=lambda run: _longest_s([run.settled_s]))
    if not worst.slow:
        return ""
    last = "" if worst.settled_s is None else f", the last after {worst.settled_s:.1f} s"
    return f"{worst.settled} of {worst.slow}{last}"


def _row(name: str, runs: list[Crowded]) -> list[str]:
    return [
        name,
        f"{median([run.said['p50_us'] for run in runs]) / 1000:.1f} ms",
        f"{median([run.said['p99_us'] for run in runs]) / 1000:.1f} ms",
        f"{median([memory_max(run.looks) for run in runs]) / 2**20:.0f} MiB",
        f"{median([run.let_go for run in runs]):.0f}",
        f"{median([run.promised for run in runs]):.0f}",
        f"{median([run.said['conflated'] for run in runs]):.0f}",
        _settled(runs),
    ]


def _section(alone: list[Crowded], among: list[Crowded], each: int, before: float, after: float) -> Section:
    rate = median([run.bytes_per_s for run in among]) / 1000
    head = ["followers", "p50", "p99", "memory at most", "let go by the server", "states promised", "states that came"]
    head.append("slow ones promised a state or let go")
    load = (
        f"{_PER_S} durable edits per second of {_EVENT_BYTES // 1024} KiB each, of {_EDITED_TASKS} tasks: "
        f"{rate:.0f} KB/s for every follower. "
        f"Slow ones read {_SLOW_BYTES_PER_S // 1000} KB/s, never-readers nothing; their own kernels hold 32 KB."
    )
    late = (
        "How late a state is promised is counted from when a slow one had passed its limit of unread bytes, as far as "
        "its pace tells: its kernel and the server's take a second's worth more or less."
    )
    tasks = f"Tasks of the server's loop: {before:.0f} before, {after:.0f} after."
    rows = [_row("all healthy", alone), _row(f"{each} never read, {each} slow", among)]
    return Section("Slow followers among healthy ones", head, rows, [load, late, tasks])
