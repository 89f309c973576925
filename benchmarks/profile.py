"""Where the server's microseconds go while it takes durable commands: samples of its stack, from outside, by layer.

py-spy reads the process's memory without stopping it. A sample belongs to a consumer when one of them is on the
stack; else to the innermost of our packages there.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.arena import Arena
from benchmarks.contenders import OURS, Stage
from benchmarks.figures import Section
from benchmarks.flame import svg, tree_of
from benchmarks.generator import RunFailed, sample_of
from benchmarks.rounds import say
from benchmarks.scenarios import COMMANDS_8
from benchmarks.targets import cpu_total

_SAMPLES_PER_S = 200
_WARMUP_S = 1.5
_SLACK_S = 30.0
_PICTURE = "[The flame graph](RESULTS.flame.svg) of the same samples; the product's own frames are the warm ones."

_FILE = re.compile(r"\(([^()]+?):\d+\)")
_ALWAYS = re.compile(r"server/(__main__|cli|cli_commands|app)\.py|server/commands/")
"""What has started the loop."""
CONSUMERS = "consumers: projector, notifier, timekeeper and others"
LAYERS: Mapping[str, str] = {
    "server/gateway/": "gateway: packets in, acks and entries out",
    "server/": "server: routing, enrichment, telemetry",
    "actors/project/": "actor: decide and evolve",
    "actors/runtime/": "runtime: mailbox, cell, gate, lanes, hub",
    "actors/": "actor: decide and evolve",
    "protocol/": "protocol: validation, digests, encoding of entries",
    "storage/": "storage: the append",
}
"""Path → layer; the first that fits."""
OTHERS = "the loop, sockets and libraries by themselves"


def layer_of(stack: str) -> str:
    """The layer of one stack, outermost frame first, as py-spy's raw format has it."""
    files = [_own(path) for path in _FILE.findall(stack)]
    if any(file.startswith(("server/consumers/", "storage/projections/")) for file in files):
        return CONSUMERS
    for file in reversed(files):
        for prefix, layer in LAYERS.items():
            if file.startswith(prefix):
                return layer
    return OTHERS


def _own(path: str) -> str:
    """The path within the checkout; what is not ours becomes nothing, and so does what is in every stack."""
    if "site-packages" in path or _ALWAYS.search(path):
        return ""
    found = re.search(r"(?:^|/)((?:server|actors|protocol|storage)/.*)", path)
    return found[1] if found else ""


def shares(lines: Iterable[str]) -> dict[str, float]:
    """Layer → its share of all samples."""
    counts: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if stack and count.isdigit():
            counts[layer_of(stack)] += int(count)
    whole = counts.total()
    return {layer: count / whole for layer, count in counts.most_common()} if whole else {}


async def measure(arena: Arena, seconds: float) -> tuple[Section, str]:
    """The layers' shares, and the flame graph. Raises RunFailed where py-spy is missing or may not look."""
    python = arena.tools.python_peers
    if python is None:
        raise RunFailed("py-spy is not there")
    async with OURS.running(arena) as stage:
        (pid,) = (await stage.groups())["server"]
        stacks = arena.folder / "stacks"
        profiling = asyncio.create_task(_profile(python.parent / "py-spy", pid, seconds, stacks))
        said = await arena.generator.run("command", await _flags(stage, seconds), await stage.groups())
        await profiling
    sample = sample_of(said)
    lines = stacks.read_text(errors="replace").splitlines()
    found = shares(lines)
    for layer, share in found.items():
        say(f"  {share:6.1%}  {layer}")
    us = sample.cpu_us["server"]
    rows = [[layer, f"{share:.1%}".replace("%", " %"), f"{share * us:.1f} µs"] for layer, share in found.items()]
    postgres, tables = cpu_total(sample.cpu_us, "postgres"), sample.cpu_us.get("postgres_write", 0.0)
    note = (
        f"{sample.per_s:,.0f} commands per second, {us:.0f} µs of the server's process each, while it was sampled; "
        f"Postgres took {postgres:.0f} µs more, {tables:.0f} µs of it for what consumers and snapshots "
        "write. Answers of Postgres that arrive are decoded in the loop's own time."
    )
    section = Section("Where a durable command's time goes", ["layer", "share", "per command"], rows, [note, _PICTURE])
    return section, svg("The server under durable commands of 50 clients, 8 in flight each", tree_of(lines))


async def _flags(stage: Stage, seconds: float) -> dict[str, object]:
    return {"port": stage.port, **await stage.flags(COMMANDS_8), "warmup": _WARMUP_S, "duration": seconds}


async def _profile(program: Path, pid: int, seconds: float, out: Path) -> None:
    await asyncio.sleep(_WARMUP_S)
    options = [
        "--nonblocking",
        "--format",
        "raw",
        "--rate",
        str(_SAMPLES_PER_S),
        "--duration",
        f"{max(1, round(seconds))}",
    ]
    process = await asyncio.create_subprocess_exec(
        str(program),
        "record",
        *options,
        "--output",
        str(out),
        "--pid",
        str(pid),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(seconds + _SLACK_S):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not out.exists():
        raise RunFailed(f"py-spy: {told.decode(errors='replace').strip()[-300:]}")
