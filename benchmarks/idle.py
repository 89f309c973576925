"""Memory per idle connection, signed in and joined to a project."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psutil

from benchmarks.arena import Arena
from benchmarks.contenders import Contender
from benchmarks.figures import Section
from benchmarks.held import held
from benchmarks.rounds import say
from benchmarks.scenarios import AWARE_1
from benchmarks.targets import Aim

_FIRST = 200
"""Opened before the first look, so that what the first connections bring with them is not counted."""
_SETTLE_S = 2.0


async def per_connection_kb(arena: Arena, contender: Contender, connections: int) -> float:
    """Growth of the server's resident memory, divided."""
    async with contender.running(arena) as stage:
        (pid,) = (await stage.groups())["server"]
        flags = {"port": stage.port, **await stage.flags(AWARE_1), "ramp": 16}
        async with held(arena.generator, "hold", {**flags, "conns": _FIRST}):
            await asyncio.sleep(_SETTLE_S)
            before = psutil.Process(pid).memory_info().rss
            async with held(arena.generator, "hold", {**flags, "conns": connections}):
                await asyncio.sleep(_SETTLE_S)
                return (psutil.Process(pid).memory_info().rss - before) / connections / 1024


async def measure(arena: Arena, field: Sequence[Contender], connections: int) -> tuple[Section, list[Aim]]:
    """A row per contender, and the aim for ours."""
    rows, aims = [], []
    for contender in field:
        kb = await per_connection_kb(arena, contender, connections)
        say(f"  {contender.name}: {kb:.1f} KB")
        rows.append([contender.name, f"{connections:,}", f"{kb:.1f} KB"])
        if contender.key == "ours":
            aims.append(Aim("idle connection, signed in and joined", 20, kb, at_least=False, unit="KB"))
    note = "Growth of the server's resident memory after two seconds of rest; the peers' connections have no account."
    return Section("Memory of an idle connection", ["server", "connections", "each"], rows, [note]), aims
