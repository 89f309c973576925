"""Ten thousand clients gone at once: how long the loop does nothing else."""

from __future__ import annotations

import asyncio

from benchmarks.arena import Arena
from benchmarks.contenders import OURS
from benchmarks.crowd import more_projects
from benchmarks.figures import Section
from benchmarks.generator import RunFailed
from benchmarks.held import Held, held
from benchmarks.product import Product
from benchmarks.rounds import say
from benchmarks.scenarios import AWARE_1, join_message
from benchmarks.targets import Aim

_PROJECTS = 10
_CALM_S = 2.0
_AFTER_S = 4.0
_GONE_S = 20.0
_POLL_S = 0.05


async def measure(arena: Arena, clients: int) -> tuple[Section, list[Aim]]:
    """Everybody follows one of a few projects. One connection pings all the time from outside: its longest wait is
    the figure."""
    async with OURS.running(arena) as stage:
        assert arena.crowd is not None
        streams = arena.folder / "streams"
        streams.write_text("\n".join(await more_projects(arena.product, arena.crowd, _PROJECTS)))
        flags = {"port": stage.port, **await stage.flags(AWARE_1), "keys": streams, "join": join_message("$K", None)}
        async with held(arena.generator, "hold", {**flags, "conns": clients, "timeout": 150}) as crowd:
            say(f"  {clients:,} connected in {crowd.ready['connected_s']:.1f} s")
            await asyncio.sleep(_CALM_S)
            calm = await _probed(arena, flags, None)
            lag_before = await arena.product.histogram("loop_lag_seconds")
            dropped = await _probed(arena, flags, crowd)
        gone_s = await _until_gone(arena.product)
        lag = highest(lag_before, await arena.product.histogram("loop_lag_seconds"))
        tasks = await arena.product.resting_tasks()
    rows = [
        ["connections open", f"{calm['p99_us'] / 1000:.2f} ms", f"{calm['max_us'] / 1000:.2f} ms", ""],
        ["dropped", f"{dropped['p99_us'] / 1000:.2f} ms", f"{dropped['max_us'] / 1000:.2f} ms", lag],
    ]
    note = (
        f"The clients follow {_PROJECTS} projects. A ping is answered in the turn of the loop that reads it. "
        f"{gone_s:.1f} s after the drop no connection and no place of a follower was left; {tasks:.0f} tasks of the "
        "server's own remain."
    )
    head = [f"{clients:,} clients", "p99 of a ping", "longest ping", "longest lag seen by the server"]
    aim = Aim(
        f"{clients:,} clients dropped at once: loop blocked", 50, dropped["max_us"] / 1000, at_least=False, unit="ms"
    )
    return Section("Clients dropped at once", head, rows, [note]), [aim]


async def _probed(arena: Arena, flags: dict[str, object], crowd: Held | None) -> dict[str, float]:
    """What a probe says; in its midst the crowd goes."""
    probe_flags = {**flags, "conns": 1, "duration": _AFTER_S, "join": None, "settle": 0.1}
    async with held(arena.generator, "probe", probe_flags) as probe:
        await asyncio.sleep(0.5)
        if crowd is not None:
            await crowd.kill()
        return await probe.said(_AFTER_S + 10)


async def _until_gone(product: Product) -> float:
    """Seconds until the server shows no connection any more, which is up to `PAGE_AGE_MAX_S` late. Raises RunFailed."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while await product.figure("connections") + await product.figure("followers"):
        if loop.time() - began_s > _GONE_S:
            raise RunFailed(f"{await product.figure('connections'):.0f} connections were left after {_GONE_S:.0f} s")
        await asyncio.sleep(_POLL_S)
    return loop.time() - began_s


def highest(before: dict[float, float], after: dict[float, float]) -> str:
    """The bound of the highest bucket that something came into between two readings of a histogram."""
    reached, below = 0.0, 0.0
    for bound in sorted(after):
        grown = after[bound] - before.get(bound, 0.0)
        if grown > below:
            reached, below = bound, grown
    return f"≤ {reached * 1000:g} ms"
