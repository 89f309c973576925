"""A million fuzzed packets against the product, and what it and its other clients notice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from benchmarks.arena import Arena
from benchmarks.client import LeanClient
from benchmarks.crowd import Crowd
from benchmarks.figures import Section
from benchmarks.fuzz import Fuzzer, Tally
from benchmarks.product import Product, create_project
from benchmarks.rounds import say
from benchmarks.targets import Aim
from config.limits import RuntimeLimits

_WRITE_INTERVAL_S = 0.02
_REST_S = 3.0
_TOLD_S = 10.0
_STRETCHES = 5
_SETTLED_LOOK = 1
"""The server is looked at after each; by the second look every table that has a limit has reached it …"""
_SETTLED_PACKETS = 500_000
"""… unless the packets are fewer than so many: then memory says nothing."""
_REMEMBERED = 2 * RuntimeLimits().outcomes_remembered_max
"""What the witness writes before: more than an actor remembers and keeps for followers, so that its memory is full."""
_FRIGHTS = ("Traceback", "[error", '"level":"error"', "[critical")


@dataclass(slots=True)
class Witness:
    """Two clients that behave, in a project of their own: one writes, one follows."""

    writer: LeanClient
    follower: LeanClient
    stream: str
    task_id: str
    written: int = 0
    stopped: bool = False

    async def write(self) -> None:
        """Until it is stopped."""
        while not self.stopped:
            await self.write_one()
            await asyncio.sleep(_WRITE_INTERVAL_S)

    async def write_one(self) -> None:
        title = f"Witnessed {self.written}"
        await self.writer.command(self.stream, "EditTask", {"taskId": self.task_id, "title": title})
        self.written += 1


async def measure(arena: Arena, packets: int) -> tuple[Section, list[Aim]]:
    """The fuzzer runs in a thread, the witnesses beside it."""
    async with arena.running_product() as crowd, aiohttp.ClientSession() as http:
        witness = await _witness(http, arena.product, crowd.tokens[0])
        fuzzer = _fuzzer(arena.product, crowd)
        for _ in range(_REMEMBERED if packets >= _SETTLED_PACKETS else 0):
            await witness.write_one()
        looks = []
        for stretch in range(1, _STRETCHES + 1):
            await _disturbed(fuzzer, witness, packets * stretch // _STRETCHES - fuzzer.tally.packets)
            looks.append((fuzzer.tally.packets, await _look(arena.product)))
        missed = abs(witness.written - witness.follower.entries)
        await witness.writer.close()
        await witness.follower.close()
        frights = count_frights(arena.product.log.read_text(errors="replace").splitlines())
    first, last = looks[_SETTLED_LOOK][1], looks[-1][1]
    grown = last.memory_bytes / first.memory_bytes - 1
    rows = [
        [f"{count:,}", f"{look.memory_bytes / 2**20:.1f} MiB", str(look.connections), str(look.tasks)]
        for count, look in looks
    ]
    others = (
        f"A witness wrote {witness.written:,} entries meanwhile; its follower missed {missed}. Lines of the log that "
        f"tell of an unhandled exception: {frights}."
    )
    section = Section(
        "Fuzzed packets", ["after packets", "resident", "connections", "tasks"], rows, [f"{fuzzer.tally}.", others]
    )
    return section, _aims(packets, frights, missed, grown, fuzzer.tally, last.tasks - first.tasks)


def _aims(packets: int, frights: int, missed: int, grown: float, tally: Tally, tasks: int) -> list[Aim]:
    what = f"{packets:,} fuzzed packets"
    settled = abs(grown) * 100 if packets >= _SETTLED_PACKETS else None
    return [
        Aim(f"{what}: unhandled exceptions", 0, frights, at_least=False, unit=""),
        Aim(f"{what}: connections forgotten", 0, tally.silent, at_least=False, unit=""),
        Aim(f"{what}: tasks left", 0, max(0, tasks), at_least=False, unit=""),
        Aim(f"{what}: entries that others missed", 0, missed, at_least=False, unit=""),
        Aim(f"{what}: memory", 2, settled, at_least=False, unit="%"),
    ]


@dataclass(frozen=True, slots=True)
class _Look:
    memory_bytes: int
    connections: int
    tasks: int


async def _look(product: Product) -> _Look:
    """When nothing has happened for a while."""
    await asyncio.sleep(_REST_S)
    connections = int(await product.figure("connections"))
    return _Look(product.memory_bytes, connections, await product.resting_tasks())


async def _witness(http: aiohttp.ClientSession, product: Product, token: str) -> Witness:
    stream = f"project/{await create_project(product, token, 'Witness')}"
    writer, follower = [await LeanClient.connect(http, product.url, token) for _ in range(2)]
    task = await writer.command(stream, "CreateTask", {"title": "Nothing yet"})
    await follower.join(stream)
    return Witness(writer, follower, stream, task["result"]["taskId"])


def _fuzzer(product: Product, crowd: Crowd) -> Fuzzer:
    """The first of the crowd is the witness, whose quotas stay their own."""
    elsewhere = ("project/00000000-0000-7000-8000-000000000000", "profile/x", "user/x", "shard/1", "project/", "")
    return Fuzzer("127.0.0.1", product.port, crowd.tokens[1:], (crowd.stream, *elsewhere))


async def _disturbed(fuzzer: Fuzzer, witness: Witness, packets: int) -> None:
    """So many packets, while the witness writes and is told of what it wrote."""
    witness.stopped = False
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(witness.write())
        try:
            await asyncio.to_thread(fuzzer.run, packets)
        finally:
            fuzzer.stopped = witness.stopped = True
    fuzzer.stopped = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TOLD_S):
            await witness.follower.received(witness.written)
    say(f"  {fuzzer.tally}")


def count_frights(lines: Sequence[str]) -> int:
    """Lines of a log that tell of a defect."""
    return sum(any(fright in line for fright in _FRIGHTS) for line in lines)
