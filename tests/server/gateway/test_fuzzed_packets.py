"""Noise before and after authentication, in both parsers' forms: nothing fails, nothing stays, nobody else notices.

The same noise as in the benchmark, a few thousand packets of it; `make bench` sends a million to the whole product.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from urllib.parse import urlsplit

import pytest

from benchmarks.fuzz import Fuzzer
from protocol.members import AddMember
from protocol.tasks import CreateTask
from tests.server.gateway.client import LiveClient
from tests.server.gateway.hive import Hive, eventually

PACKETS = 10_000
WRITES_AT_ONCE = 5


def has_all(witness: LiveClient, stream: str, entries: int) -> bool:
    return len(witness.entries(stream)) == entries


def defects(records: list[logging.LogRecord]) -> list[str]:
    """What the server or its loop complained of; aiohttp tells of bytes that are no HTTP by itself."""
    of_ours = [record for record in records if record.name.startswith(("pantherahive", "asyncio"))]
    return [record.getMessage() for record in of_ours if record.levelno >= logging.ERROR]


async def test_noise_harms_nobody(hive: Hive, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    hive_address = urlsplit(hive.url)
    quiet = await hive.project()
    witness = await hive.client()
    await witness.join(quiet)
    people = [await hive.user(f"noisy{number}") for number in range(4)]
    owner, noisy = people[0][0], await hive.project(5)
    for user_id, _ in people:
        await hive.send(noisy, AddMember(user_id=user_id, role="member"))
    strange = ("project/00000000-0000-7000-8000-000000000000", f"profile/{owner}", "user/x", "")
    fuzzer = Fuzzer(str(hive_address.hostname), int(hive_address.port or 0), [t for _, t in people], (noisy, *strange))
    fuzzing = asyncio.create_task(asyncio.to_thread(fuzzer.run, PACKETS))
    written = 0
    while not fuzzing.done():
        for _ in range(WRITES_AT_ONCE):
            await hive.send(quiet, CreateTask(title=f"Task {written}"))
            written += 1
        await witness.until(partial(has_all, witness, quiet, written))
    tally = await fuzzing
    assert tally.packets >= PACKETS
    assert tally.before > 0
    assert tally.silent == 0, tally
    assert tally.cut <= tally.connections // 10, tally
    assert [entry["seq"] for entry in witness.entries(quiet)] == list(range(2, written + 2))
    assert defects(caplog.records) == []
    await eventually(lambda: hive.gateway.connections == 1)
